/** Virtual-8086 mode: paragraphs, IOPL, and the way out through an interrupt gate (SDM vol. 3, 20.2, 20.3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, IDT, Lab, SELECTOR, STACK, TSS, outcomeText } from './lab';
import { testProfile } from './oracle/profile';

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

/** SDM vol. 3, 21.3.2 and Table 21-2; vol. 2, CLI, STI, PUSHF, POPF, IRET. Bochs judges all combinations: virtual-interrupts.asm. */
const VIF = 0x80000n;
const VIP = 0x100000n;
for (const [title, code, flags, expected] of [
  ['CLI clears VIF', 'fa', VIF, 0n],
  ['STI sets VIF', 'fb', 0n, VIF],
  ['STI with VIP: #GP(0)', 'fb', VIP, null],
  ['POPF takes IF as VIF', '680002 9d', 0n, VIF],
  ['POPF of TF: #GP(0)', '680001 9d', 0n, null],
  ['POPF of IF with VIP: #GP(0)', '680002 9d', VIP, null],
  ['POPFD: #GP(0)', '669d', 0n, null],
] as const)
  test(`VME below IOPL 3, ${title}`, () => {
    const lab = v86(0n);
    const { rflags } = lab.core.state(0);
    lab.set({}, { cr4: 1n, rflags: rflags | flags });
    lab.run(code);
    const first = lab.core.faults(0)[0];
    const end = BigInt(code.replace(/ /g, '').length / 2);
    if (expected === null) assert.ok((first?.state.rip ?? end) < end, 'the instruction faults');
    else {
      assert.equal(first?.state.rip, end, 'HLT behind it faults');
      assert.equal(first.state.rflags & (VIF | VIP), expected);
      assert.equal(first.state.rflags & 0x200n, 0n, 'IF is as before');
    }
  });

test('VME: INT n goes to the program where the redirection bitmap has 0, with IF as VIF and IOPL 3 in the image', () => {
  const lab = v86(0n);
  lab.set({}, { cr4: 1n, rflags: 0x20002n | VIF });
  lab.segment('tr', { limit: 0x100 });
  lab.put(TSS + 102n, 0xa0, 2);
  lab.put(0x100n, 0x0800_0100n, 4);
  lab.put(CODE + 0x100n, 0xf4, 1);
  lab.run('cd40');
  const state = lab.core.faults(0)[0]?.state;
  assert.equal(state?.rip, 0x100n);
  assert.equal(state.rflags & VIF, 0n);
  assert.equal(lab.get(0x6000n + state.general.rsp + 4n, 2), 0x3202n);
});

test('PVI: CLI and STI at CPL 3 below IOPL 3 use VIF', () => {
  for (const [code, flags, expected] of [
    ['fa', VIF, 0n],
    ['fb', 0n, VIF],
  ] as const) {
    const lab = new Lab({ mode: 'protected-32' });
    const { segments } = lab.core.state(0);
    const user = (selector: number, attributes: number) => ({
      selector,
      base: 0n,
      limit: 0xffffffff,
      attributes,
    });
    lab.set(
      {},
      {
        cr4: 2n,
        rflags: 2n | flags,
        segments: {
          ...segments,
          cs: user(SELECTOR.user32 | 3, 0xc0fb),
          ss: user(SELECTOR.userData | 3, 0xc0f3),
        },
      },
    );
    const { fault } = lab.run(code);
    assert.equal(fault?.state.rip, CODE + 1n);
    assert.equal(fault.state.rflags & VIF, expected);
  }
});

test('IRET to virtual-8086 mode with indirect-branch tracking at CPL 3: #GP(0) (SDM vol. 2, IRET)', () => {
  for (const [cr4, expected] of [
    [0x800000n, '#GP(0)'],
    [0n, 'ok'],
  ] as const) {
    const lab = new Lab({ mode: 'protected-32', profile: testProfile({ ibt: true }) });
    // EIP, CS, EFLAGS with VM and IOPL 3, ESP, SS, ES, DS, FS, GS
    [0n, 0x900n, 0x23002n, 0x700n, 0x600n, 0n, 0n, 0n, 0n].forEach((value, i) =>
      lab.put(STACK + BigInt(4 * i), value, 4),
    );
    // There: a jump to itself.
    lab.put(0x9000n, 0xfeeb, 2);
    // IA32_U_CET = ENDBR_EN, then iretd
    const { cr0 } = lab.core.state(0);
    lab.set({ rcx: 0x6a0n, rax: 4n, rdx: 0n }, { cr0: cr0 | 0x10000n, cr4 });
    assert.equal(outcomeText(lab.run('0f30 cf', 50)).replace('deadline', 'ok'), expected);
  }
});
