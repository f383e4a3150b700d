/** MONITOR and MWAIT (SDM vol. 2; vol. 3, 8.10): what MWAIT waits for, and what ends the wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, SELECTOR } from './lab';
import { ApicLab, ENABLE, dword, write } from './apic/bench';
import { testProfile } from './oracle/profile';

/** Leaf 5 of this CPU has bit 1 of ECX: interrupts may end the wait where IF is 0. */
const profile = testProfile({ with: ['MONITOR'] }).replace(5, null, [64, 64, 3, 0]);
const LINE = DATA + 0x140n;
/** mov eax, address; xor ecx, ecx; xor edx, edx; monitor */
const monitor = (address: bigint): string => `b8${dword(Number(address))} 31c9 31d2 0f01c8`;
const MWAIT = '31c9 0f01c9';
const MWAIT_OPEN = 'b901000000 0f01c9';
const IF = 'fb 90';

/** vCPU 1 has run `code`: true where it waits, false where it came to the HLT behind it. */
function waits(lab: ApicLab, code: string): boolean {
  lab.runOn(1, `31db ${code} 43`);
  lab.taken();
  assert.equal(lab.core.activity(1), 'halted');
  return lab.core.state(1).general.rbx === 0n;
}
function machine(): ApicLab {
  const lab = new ApicLab({ vcpus: 2, profile });
  lab.runOn(1, ENABLE);
  return lab;
}
const woken = (lab: ApicLab): boolean => lab.core.state(1).general.rbx === 1n;

for (const [title, code, expected] of [
  ['without MONITOR', MWAIT, false],
  ['behind MONITOR', monitor(LINE) + MWAIT, true],
  ['behind MONITOR and a write to the line', `${monitor(LINE)} c605${dword(Number(LINE))}01 ${MWAIT}`, false],
  [
    'behind MONITOR and a write beside it',
    `${monitor(LINE)} c605${dword(Number(LINE) + 64)}01 ${MWAIT}`,
    true,
  ],
  ['behind MONITOR and a read of the line', `${monitor(LINE)} a0${dword(Number(LINE))} ${MWAIT}`, true],
  ['behind MONITOR and an exception', `${monitor(LINE)} cc ${MWAIT}`, true],
  ['of device memory', monitor(0xfec00000n) + MWAIT, false],
  ['of the local APIC', monitor(0xfee00000n) + MWAIT, false],
  ['a second time', monitor(LINE) + `c605${dword(Number(LINE))}01` + MWAIT + MWAIT, false],
] as const)
  test(`MWAIT ${title} ${expected ? 'waits' : 'goes on'}`, () => {
    const lab = machine();
    // INT3 comes back.
    lab.put(0x8800n, 0xcf, 1);
    assert.equal(waits(lab, code), expected);
  });

for (const [title, code, expected] of [
  ['a byte at its start', `c605${dword(Number(LINE))}00`, true],
  ['its last byte', `c605${dword(Number(LINE) + 63)}00`, true],
  ['the byte before', `c605${dword(Number(LINE) - 1)}00`, false],
  ['the byte behind', `c605${dword(Number(LINE) + 64)}00`, false],
  ['four bytes that reach into it', `c705${dword(Number(LINE) - 2)}00000000`, true],
  ['a locked read-modify-write', `f0ff05${dword(Number(LINE) + 8)}`, true],
  ['a string from far before', `bf${dword(Number(LINE) - 256)} b980000000 31c0 f3ab`, true],
  ['a string that ends before it', `bf${dword(Number(LINE) - 256)} b940000000 31c0 f3ab`, false],
  ['a push', `89e5 bc${dword(Number(LINE) + 12)} 50 89ec`, true],
] as const)
  for (const before of [false, true])
    test(`another CPU writes ${title}${before ? ', as it had before' : ''}: ${expected ? 'MWAIT goes on' : 'it waits on'}`, () => {
      const lab = machine();
      // The write TLB of the other CPU knows the page.
      if (before) lab.runOn(0, code);
      assert.equal(waits(lab, monitor(LINE) + MWAIT), true);
      lab.runOn(0, code);
      assert.equal(woken(lab), expected);
    });

test('a device that writes the line by DMA ends the wait', () => {
  const lab = machine();
  assert.equal(waits(lab, monitor(LINE) + MWAIT), true);
  lab.put(LINE + 32n, 7, 4);
  lab.go();
  assert.ok(woken(lab));
});

/** Events by message to vCPU 1: vector, delivery mode. */
for (const [title, code, vector, mode, taken, goesOn] of [
  ['an interrupt with IF set', monitor(LINE) + IF + MWAIT, 0x41, 0, ['fixed 41 on 1'], true],
  ['an interrupt with IF clear', monitor(LINE) + MWAIT, 0x41, 0, [], false],
  ['an interrupt with IF clear and bit 0 of ECX', monitor(LINE) + MWAIT_OPEN, 0x41, 0, [], true],
  [
    'an interrupt with IF set and bit 0 of ECX',
    monitor(LINE) + IF + MWAIT_OPEN,
    0x41,
    0,
    ['fixed 41 on 1'],
    true,
  ],
  ['an NMI', monitor(LINE) + MWAIT, 0, 4, ['nmi on 1'], true],
] as const)
  test(`${title}: the wait ${goesOn ? 'ends' : 'goes on'}, ${taken.length ? 'the event is taken' : 'nothing is taken'}`, () => {
    const lab = machine();
    assert.equal(waits(lab, code), true);
    // The handler comes back with interrupts off.
    lab.core.write(0x8800n, Uint8Array.from([0x83, 0x64, 0x24, 0x08, 0x00, 0xcf]));
    lab.core.deliver(vector, 1, false, mode, false);
    assert.equal(lab.core.wakesByInterrupt(1), code.includes(IF) || code.includes(MWAIT_OPEN));
    lab.go();
    assert.deepEqual(lab.taken(), [...taken]);
    assert.equal(woken(lab), goesOn);
  });

test('the frame of an interrupt out of MWAIT leads behind it', () => {
  const lab = machine();
  assert.equal(waits(lab, monitor(LINE) + IF + MWAIT), true);
  const { rip } = lab.core.state(1);
  lab.core.deliver(0x41, 1, false, 0, false);
  lab.go();
  const { general, segments } = lab.core.state(1);
  assert.equal(lab.get(general.rsp, 4), rip);
  assert.equal(segments.cs.selector, SELECTOR.code32);
});

test('INIT ends the wait, and a write to the line later wakes nobody', () => {
  const lab = machine();
  assert.equal(waits(lab, monitor(LINE) + MWAIT), true);
  lab.core.deliver(0, 1, false, 5, false);
  lab.go();
  assert.deepEqual(lab.taken(), ['init on 1']);
  lab.put(LINE, 1, 1);
  lab.go();
  assert.equal(lab.core.activity(1), 'wait-for-sipi');
});

test('a local APIC timer ends the wait, and the time until then is skipped', () => {
  const lab = machine();
  const timer = write('divide', 0xb) + write('timer', 0x41) + write('initialCount', 5000);
  lab.runOn(1, `31db ${timer} ${monitor(LINE)} ${IF} ${MWAIT} 43`);
  assert.deepEqual(lab.taken(), ['fixed 41 on 1']);
  assert.ok(lab.core.now - lab.core.instructions > 4000);
});

test('who waits in a saved machine waits in the restored one, and is woken there', () => {
  const lab = machine();
  assert.equal(waits(lab, monitor(LINE) + MWAIT), true);
  const other = new ApicLab({ vcpus: 2, profile });
  other.core.restore(structuredClone(lab.core.snapshot()));
  other.runOn(0, `c605${dword(Number(LINE) + 64)}00`);
  assert.equal(woken(other), false);
  other.runOn(0, `c605${dword(Number(LINE))}00`);
  assert.equal(woken(other), true);
  assert.equal(other.core.state(0).rip > CODE, true);
});
