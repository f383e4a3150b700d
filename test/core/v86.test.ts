/** Virtual-8086 mode: paragraphs, IOPL, and the way out through an interrupt gate (SDM vol. 3, 20.2, 20.3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, IDT, Lab, SELECTOR, TSS, outcomeText } from './lab';

/** Virtual-8086 code at 0x800:0, a ring-0 stack in the TSS, and a handler for vectors 13 and 0x40 that halts. */
function v86(iopl: bigint): Lab {
  const lab = new Lab({ mode: 'protected-32' });
  const { segments } = lab.core.state(0);
  const paragraph = (selector: number) => ({
    selector,
    base: BigInt(selector) << 4n,
    limit: 0xffff,
    attributes: 0xf3,
  });
  lab.set(
    { rsp: 0x700n },
    {
      rip: 0n,
      rflags: 0x20002n | (iopl << 12n),
      idtr: { base: IDT, limit: 0x7ff },
      segments: {
        ...segments,
        cs: paragraph(Number(CODE >> 4n)),
        ss: paragraph(0x600),
        ds: paragraph(0x900),
        es: paragraph(0x901),
        fs: paragraph(0x902),
        gs: paragraph(0x903),
      },
    },
  );
  lab.put(TSS + 4n, 0x5000, 4);
  lab.put(TSS + 8n, SELECTOR.data, 4);
  for (const vector of [13, 0x40])
    lab.put(IDT + BigInt(8 * vector), 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0xeen << 40n), 8);
  lab.put(0x8800n, 0xf4, 1);
  return lab;
}

for (const [name, code, sensitive] of [
  ['cli', 'fa', true],
  ['sti', 'fb', true],
  ['pushf', '9c', true],
  ['popf', '9d', true],
  ['int 0x40', 'cd40', true],
  ['int3', 'cc', false],
  ['nop', '90', false],
] as const)
  test(`${name} below IOPL 3${sensitive ? ': #GP(0)' : ' is no matter of IOPL'}`, () => {
    const lab = v86(0n);
    lab.put(IDT + 24n, 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0xeen << 40n), 8);
    lab.run(code);
    const first = lab.core.faults(0)[0];
    // HLT, the last instruction of the code, is privileged in any case.
    const expected = sensitive ? 0n : name === 'int3' ? undefined : 1n;
    assert.equal(first?.state.rip, expected);
  });

test('segments are paragraphs with a limit of 64 KiB', () => {
  const lab = v86(3n).set({ rsi: 0x10n });
  lab.put(0x9010n, 0x1234, 2);
  lab.run('8b04');
  assert.equal(lab.core.state(0).general.rax & 0xffffn, 0x1234n);
});

test('an interrupt leaves by the ring-0 stack with nine doublewords, and clears the data segments', () => {
  const lab = v86(3n);
  const { state, exit } = lab.run('cd40');
  assert.equal(exit.reason, 'idle');
  assert.equal(state.general.rsp, 0x5000n - 36n);
  const frame = Array.from({ length: 9 }, (_, i) => lab.get(state.general.rsp + BigInt(4 * i), 4));
  assert.deepEqual(frame, [2n, CODE >> 4n, 0x23002n, 0x700n, 0x600n, 0x901n, 0x900n, 0x902n, 0x903n]);
  assert.deepEqual([state.segments.ds.selector, state.segments.gs.selector], [0, 0]);
  assert.equal(state.rflags & 0x20000n, 0n);
});

test('IRET at ring 0 with VM in the image goes back', () => {
  const lab = v86(3n);
  lab.core.write(0x8800n, Uint8Array.from([0xcf]));
  // int 0x40; mov al, 7; then HLT faults into the handler of vector 13, which is the same IRET: stop before.
  const { state } = lab.run('cd40 b007', 3);
  assert.equal(state.general.rax & 0xffn, 7n);
  assert.equal(state.rflags & 0x20000n, 0x20000n);
  assert.deepEqual([state.segments.cs.selector, state.segments.ds.selector], [0x800, 0x900]);
});

test('ports in virtual-8086 mode ask the bitmap whatever IOPL says', () => {
  const lab = v86(3n);
  lab.segment('tr', { limit: 0x80 });
  lab.put(TSS + 0x66n, 0x68, 2);
  lab.put(TSS + 0x68n + 0xcn, 0x01, 1);
  assert.equal(lab.run('e461', 1).exit.reason, 'deadline');
  assert.equal(lab.core.faults(0).length, 0, 'port 0x61 is open');
  const closed = v86(3n);
  closed.segment('tr', { limit: 0x80 });
  closed.put(TSS + 0x66n, 0x68, 2);
  closed.put(TSS + 0x68n + 0xcn, 0x01, 1);
  closed.run('e460', 1);
  assert.equal(closed.core.faults(0)[0]?.vector, 13);
  assert.equal(outcomeText(new Lab({ mode: 'protected-32' }).run('e460')), 'ok');
});
