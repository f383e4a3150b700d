/** The PDPTE registers of PAE paging (SDM vol. 3, 4.4.1): when they are loaded, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuProfile } from '../../../server/emulator/face';
import { GDT, IDT, Lab, SELECTOR, STACK, TABLES, bytesOf, outcomeText } from '../lab';
import { pagingProfile } from './machine';

const CPU = { width: 40, amd: false, pages1g: false, pse36: true };
const SECOND = TABLES + 8n;
const LEGAL = TABLES + 0x3001n;
const READ = '8b1500900040'; // mov edx, [1 GiB + DATA]
const RELOAD = '0f20d8 0f22d8'; // mov eax, cr3; mov cr3, eax

function lab(): Lab {
  const made = new Lab({ mode: 'pae', profile: pagingProfile(CPU) }).set({ rsi: SECOND, rbx: LEGAL });
  // SMEP must find its own code on a supervisor page.
  made.put(made.entryOf(0x8000n), 0x8003n, 8);
  return made;
}
const changing = (register: 'c0' | 'e0', bit: number): string =>
  `0f20${register} 0fbae8${bit.toString(16).padStart(2, '0')} 0f22${register}`;

for (const [title, event, expected] of [
  ['nothing', '', '#PF(0)'],
  ['MOV CR3', RELOAD, 'ok'],
  ['CR0.CD changes', changing('c0', 30), 'ok'],
  ['CR0.CD and NW change', `0f20c0 0d00000060 0f22c0`, 'ok'],
  ['CR0.TS changes', changing('c0', 3), '#PF(0)'],
  ['CR4.PGE changes', changing('e0', 7), 'ok'],
  ['CR4.PSE changes', changing('e0', 4), 'ok'],
  ['CR4.SMEP changes', changing('e0', 20), 'ok'],
  ['CR4.TSD changes', changing('e0', 2), '#PF(0)'],
  ['INVLPG', '0f013d00900040', '#PF(0)'],
] as const)
  test(`an entry appears in memory, then ${title}: ${expected === 'ok' ? 'it counts' : 'it does not count yet'}`, () => {
    // mov [rsi], ebx
    assert.equal(outcomeText(lab().run(`891e ${event} ${READ}`)), expected);
  });

test('a present entry with a reserved bit: #GP(0) at MOV CR3; without P nothing is checked', () => {
  const reserved = [1, 2, 5, 6, 7, 8, 40, 51, 52, 62, 63];
  const ignored = [3, 4, 9, 10, 11];
  for (const bit of [...reserved, ...ignored]) {
    const made = lab();
    made.put(SECOND, LEGAL | (1n << BigInt(bit)), 8);
    assert.equal(outcomeText(made.run(RELOAD)), reserved.includes(bit) ? '#GP(0)' : 'ok', `bit ${bit}`);
    const absent = lab();
    absent.put(SECOND, (LEGAL & ~1n) | (1n << BigInt(bit)), 8);
    assert.equal(outcomeText(absent.run(RELOAD)), 'ok', `bit ${bit}, not present`);
  }
});

test('the #GP(0) of a bad entry leaves all four registers and CR3 as they were', () => {
  const made = lab();
  made.put(SECOND, LEGAL, 8);
  made.put(SECOND + 8n, LEGAL | 2n, 8);
  // #GP has a handler: it uses the good entry, which must not have been loaded.
  made.put(IDT + 13n * 8n, (0x8e00n << 32n) | (BigInt(SELECTOR.code32) << 16n) | 0x8800n, 8);
  made.core.write(0x8800n, Uint8Array.from(bytesOf(`${READ} f4`)));
  made.set({}, { idtr: { base: IDT, limit: 0x6f } });
  // The registers hold the second entry only if someone loads it behind this.
  made.put(SECOND, 0n, 8);
  made.set({});
  const outcome = made.run(`891e ${RELOAD}`);
  assert.equal(outcomeText(outcome), '#PF(0)');
  assert.equal(outcome.fault?.cr2, 0x40009000n);
  assert.equal(outcome.state.cr3, TABLES);
});

test('CR0.PG 0 to 1 loads and checks them, too', () => {
  for (const [entry, expected] of [
    [LEGAL, 'ok'],
    [LEGAL | 2n, '#GP(0)'],
  ] as const) {
    const made = lab();
    made.put(SECOND, entry, 8);
    made.set({}, { cr0: 0x31n });
    assert.equal(outcomeText(made.run(`${changing('c0', 31)} ${READ}`)), expected);
  }
});

test('they have no A bit: a walk leaves the table in memory alone', () => {
  const made = lab();
  made.run(`891e ${RELOAD} ${READ}`);
  assert.equal(made.get(SECOND, 8), LEGAL);
  assert.equal(made.get(TABLES, 8), LEGAL);
});

/** A jump to a TSS whose CR3 is that or another table; the new task reads 1 GiB + DATA at once. */
const OTHER_TABLE = TABLES + 0x1020n;
for (const [title, cr3, second, expected, rip] of [
  ['another CR3 loads them', OTHER_TABLE, LEGAL, 'ok', null],
  ['another CR3 with a reserved bit: #GP(0) in the new task', OTHER_TABLE, LEGAL | 2n, '#GP(0)', 0x8a00n],
  ['the same CR3 loads nothing', TABLES, LEGAL, '#PF(0)', 0x8a00n],
  ['the same CR3 checks nothing', TABLES, LEGAL | 2n, '#PF(0)', 0x8a00n],
] as const)
  test(`a task switch: ${title}`, () => {
    const made = lab();
    const tss = 0x3800n;
    made.put(GDT + BigInt(SELECTOR.tss), 0x00008b0030000067n, 8);
    made.put(GDT + BigInt(SELECTOR.spare), 0x0000890038000067n, 8);
    made.put(tss + 28n, cr3, 4);
    made.put(tss + 32n, 0x8a00n, 4);
    made.put(tss + 36n, 2n, 4);
    made.put(tss + 56n, STACK, 4);
    made.put(tss + 76n, SELECTOR.code32, 4);
    for (const offset of [72n, 80n, 84n, 88n, 92n]) made.put(tss + offset, SELECTOR.data, 4);
    made.core.write(0x8a00n, Uint8Array.from(bytesOf(`${READ} f4`)));
    made.put(OTHER_TABLE, LEGAL, 8);
    made.put(OTHER_TABLE + 8n, second, 8);
    made.set({});
    made.put(SECOND, second, 8);
    const outcome = made.run('ea 00000000 5000');
    assert.equal(outcomeText(outcome), expected);
    if (rip !== null) assert.equal(outcome.fault?.state.rip, rip);
    assert.equal(outcome.state.cr3, expected === 'ok' ? cr3 : TABLES);
  });

/** AMD under a VMM with nested paging (APM vol. 2, 15.25.10): every walk reads the table, and finds reserved bits there. */
const nested = (amd: boolean): CpuProfile => {
  const profile = pagingProfile({ ...CPU, amd });
  return { cpuid: (leaf, subleaf, vcpu) => profile.cpuid(leaf, subleaf, vcpu), nestedPaging: true };
};

function guestOf(amd: boolean): Lab {
  const made = new Lab({ mode: 'pae', profile: nested(amd) }).set({ rsi: SECOND, rbx: LEGAL });
  made.put(made.entryOf(0x8000n), 0x8003n, 8);
  return made;
}

for (const [vendor, amd, appears, reserved] of [
  ['Intel', false, '#PF(0)', '#GP(0)'],
  ['AMD', true, 'ok', '#PF(9)'],
] as const) {
  test(`${vendor} under nested paging: an entry that appears in memory, nothing else: ${appears}`, () => {
    assert.equal(outcomeText(guestOf(amd).run(`891e ${READ}`)), appears);
  });

  test(`${vendor} under nested paging: a reserved bit and MOV CR3, then a read: ${reserved}`, () => {
    for (const bit of [1, 2, 5, 6, 7, 8, 40, 51, 52, 62, 63]) {
      const made = guestOf(amd);
      made.put(SECOND, LEGAL | (1n << BigInt(bit)), 8);
      const outcome = made.run(`${RELOAD} ${READ}`);
      assert.equal(outcomeText(outcome), reserved, `bit ${bit}`);
      if (amd) assert.equal(outcome.fault?.cr2, 0x40009000n);
    }
  });

  test(`${vendor} under nested paging: PAE goes on over a directory of 4 MiB pages`, () => {
    const made = new Lab({ mode: 'protected-32', profile: nested(amd) });
    for (let i = 0n; i < 1024n; i++) made.put(TABLES + i * 4n, i * 0x400000n + 0x87n, 4);
    made.set({}, { cr0: 0x80000011n, cr3: TABLES, cr4: 0x10n });
    const outcome = made.run(changing('e0', 5));
    assert.equal(outcomeText(outcome), amd ? '#PF(9)' : '#GP(0)');
    // Intel refuses the MOV itself; on AMD it is done, and the fetch after it faults.
    assert.equal(outcome.state.cr4, amd ? 0x30n : 0x10n);
  });
}
