/** Accesses over a page end, the end of 4 GiB and the edge of the canonical range (SDM vol. 3, 3.3.7.1, 4.7, 4.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, Lab, TABLES, outcomeText, type LabMode } from '../lab';
import { pagingProfile } from './machine';

const ABSENT = 0xb000n;

/** Each instruction on [RSI]: which of them would write. */
const OPERATIONS = [
  ['mov eax, [rsi]', '8b06', false],
  ['mov [rsi], eax', '8906', true],
  ['add [rsi], eax', '0106', true],
  ['xchg [rsi], eax', '8706', true],
  ['lock cmpxchg [rsi], ecx', 'f00fb10e', true],
  ['bts dword [rsi], 1', '0fba2e01', true],
] as const;

for (const [name, code, writes] of OPERATIONS) {
  test(`${name} into an absent second page: CR2 is its first byte, the first page gets neither data, A nor D`, () => {
    const lab = new Lab({ mode: 'long' }).set({ rsi: ABSENT - 3n, rax: 0xffffffffn });
    lab.put(lab.entryOf(ABSENT), 0n, 8);
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), writes ? '#PF(2)' : '#PF(0)');
    assert.equal(outcome.fault?.cr2, ABSENT);
    assert.equal(lab.get(ABSENT - 3n, 3), 0n);
    assert.equal(lab.get(lab.entryOf(ABSENT - 1n), 8), 0xa007n);
  });
  test(`${name} out of an absent first page: CR2 is the operand`, () => {
    const lab = new Lab({ mode: 'long' }).set({ rsi: ABSENT + 0xffdn });
    lab.put(lab.entryOf(ABSENT), 0n, 8);
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), writes ? '#PF(2)' : '#PF(0)');
    assert.equal(outcome.fault?.cr2, ABSENT + 0xffdn);
  });
  if (writes)
    test(`${name} into a read-only second page: #PF(3), nothing written`, () => {
      const lab = new Lab({ mode: 'long' }).set({ rsi: ABSENT - 1n, rax: 0xffffffffn });
      lab.put(lab.entryOf(ABSENT), ABSENT | 1n, 8);
      const outcome = lab.run(code);
      assert.equal(outcomeText(outcome), '#PF(3)');
      assert.equal(outcome.fault?.cr2, ABSENT);
      assert.equal(lab.get(ABSENT - 1n, 5), 0n);
    });
}

test('a read-modify-write over a page end sets D in both pages', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: ABSENT - 2n, rax: 0x01020304n });
  lab.put(ABSENT - 2n, 0x10101010, 4);
  lab.run('0106');
  assert.equal(lab.get(ABSENT - 2n, 4), 0x11121314n);
  for (const page of [ABSENT - 0x1000n, ABSENT]) assert.equal(lab.get(lab.entryOf(page), 8), page | 0x67n);
});

/** Linear 4 GiB - 4 KiB maps onto DATA, so that an operand at its end goes on somewhere. */
function topOf4G(mode: LabMode): Lab {
  const lab = new Lab({ mode });
  const wide = mode !== 'paging-32';
  if (!wide) {
    lab.put(TABLES + 1023n * 4n, 0x21007n, 4);
    lab.put(0x21000n + 1023n * 4n, DATA | 7n, 4);
  } else {
    lab.put(mode === 'pae' ? TABLES + 24n : TABLES + 0x2018n, 0x20000n | (mode === 'pae' ? 1n : 7n), 8);
    lab.put(0x20000n + 511n * 8n, 0x21007n, 8);
    lab.put(0x21000n + 511n * 8n, DATA | 7n, 8);
  }
  // A base above zero, so that the operand does not meet the limit before it wraps.
  if (mode !== 'long') lab.segment('ds', { base: 0x40n });
  else lab.set({});
  return lab.set({ rsi: mode === 'long' ? 0xfffffffen : 0xffffffben, rax: 0x44332211n });
}
for (const mode of ['paging-32', 'pae', 'compatibility'] as const)
  test(`32-bit linear addresses wrap at 4 GiB (${mode})`, () => {
    const lab = topOf4G(mode);
    assert.equal(outcomeText(lab.run('8906 8b0e 0106')), 'ok');
    assert.deepEqual([lab.get(DATA + 0xffen, 2), lab.get(0n, 2)], [0x4422n, 0x8866n]);
    assert.equal(lab.core.state(0).general.rcx, 0x44332211n);
  });
test('64-bit ones do not: the operand goes on at 4 GiB', () => {
  const outcome = topOf4G('long').run('8906');
  assert.equal(outcomeText(outcome), '#PF(2)');
  assert.equal(outcome.fault?.cr2, 1n << 32n);
});

/** As seen on hardware (AMD family 1Ah, user mode): the whole operand is checked before any page is walked. */
for (const [title, at, code, expected] of [
  ['the last quadword below the edge', 0x7ffffffffff8n, '488b06', '#PF(0)'],
  ['one byte over the edge', 0x7ffffffffff9n, '488b06', '#GP(0)'],
  ['one byte over the edge, through RBP', 0x7ffffffffff9n, '488b4500', '#SS(0)'],
  ['from below the upper half into it', 0xffff7ffffffffffcn, '488b06', '#GP(0)'],
  ['over the end of the address space', 0xfffffffffffffffcn, '488b06', '#PF(0)'],
] as const)
  test(`canonical form, ${title}: ${expected}`, () => {
    assert.equal(outcomeText(new Lab({ mode: 'long' }).set({ rsi: at, rbp: at }).run(code)), expected);
  });

/** 5-level paging: the same tables under a PML5 whose entries 0 and 0x80 lead to them. */
function wideLab(): Lab {
  const profile = pagingProfile({ width: 46, amd: false, pages1g: false, pse36: true });
  const lab = new Lab({ mode: 'long', profile });
  for (const index of [0n, 0x80n]) lab.put(0x20000n + index * 8n, TABLES | 7n, 8);
  lab.put(0x20000n + 8n, TABLES | 0x87n, 8);
  lab.put(DATA, 0x1234, 4);
  return lab.set({}, { cr3: 0x20000n, cr4: 0x1020n });
}
for (const [title, address, expected] of [
  ['an address of the lower half', 0x80n << 48n, 'ok'],
  ['PS in a PML5 entry', 1n << 48n, '#PF(9)'],
  ['an absent PML5 entry', 2n << 48n, '#PF(0)'],
  ['bit 56 without its extension', 1n << 56n, '#GP(0)'],
  ['the upper half', 0xff00000000000000n, '#PF(0)'],
  ['just below the upper half', 0xfeffffffffff0000n, '#GP(0)'],
] as const)
  test(`5-level paging (4.5), ${title}: ${expected}`, () => {
    const outcome = wideLab()
      .set({ rsi: address | DATA })
      .run('8b06');
    assert.equal(outcomeText(outcome), expected);
    if (expected === 'ok') assert.equal(outcome.state.general.rax, 0x1234n);
  });

test('A20 off masks the addresses of page tables as well', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: DATA }, { cr3: TABLES | 0x100000n });
  lab.put(DATA, 0x55, 1);
  lab.core.setA20(false);
  assert.equal(lab.run('8a06').state.general.rax & 0xffn, 0x55n);
});

test('a physical address beyond RAM goes to the bus, up to the last below MAXPHYADDR', () => {
  for (const width of [36, 39, 46, 52]) {
    const seen: bigint[] = [];
    const frame = ((1n << BigInt(width)) - 1n) & ~0xfffn;
    const lab = new Lab({
      mode: 'long',
      profile: pagingProfile({ width, amd: false, pages1g: false, pse36: true }),
      bus: { readMmio: (address) => (seen.push(address), 0x77n) },
    }).set({ rsi: ABSENT + 8n });
    lab.put(lab.entryOf(ABSENT), frame | 7n, 8);
    assert.equal(lab.run('8b06').state.general.rax, 0x77n);
    assert.deepEqual(seen, [frame + 8n]);
    if (width === 52) continue;
    const beyond = new Lab({
      mode: 'long',
      profile: pagingProfile({ width, amd: false, pages1g: false, pse36: true }),
    });
    beyond.put(beyond.entryOf(ABSENT), (1n << BigInt(width)) | 7n, 8);
    assert.equal(outcomeText(beyond.set({ rsi: ABSENT }).run('8b06')), '#PF(9)');
  }
});

/** 4.3: bits 20:13 of a 4 MiB entry are address bits 39:32, as far as M = min(40, MAXPHYADDR) goes; the rest is reserved. */
for (const [width, pse36, bit, expected] of [
  [36, true, 13, 'ok'],
  [36, true, 16, 'ok'],
  [36, true, 17, '#PF(9)'],
  [39, true, 19, 'ok'],
  [39, true, 20, '#PF(9)'],
  [46, true, 20, 'ok'],
  [46, true, 21, '#PF(9)'],
  [46, false, 13, '#PF(9)'],
] as const)
  test(`bit ${bit} of a 4 MiB entry, MAXPHYADDR ${width}${pse36 ? '' : ', no PSE-36'}: ${expected}`, () => {
    const seen: bigint[] = [];
    const lab = new Lab({
      mode: 'paging-32',
      profile: pagingProfile({ width, amd: false, pages1g: false, pse36 }),
      bus: { readMmio: (address) => (seen.push(address), 0n) },
    }).set({ rsi: 0x400123n }, { cr4: 0x10n });
    lab.put(TABLES + 4n, 0x87n | (1n << BigInt(bit)), 4);
    assert.equal(outcomeText(lab.run('8a06')), expected);
    assert.deepEqual(seen, expected === 'ok' ? [(1n << BigInt(bit + 19)) | 0x123n] : []);
  });

/** APM vol. 2, 5.3.3: AMD reserves bit 8 of PML4 entries; Intel ignores it. Both ignore it in the tables below. */
for (const [vendor, at, expected] of [
  ['AMD', TABLES, '#PF(9)'],
  ['Intel', TABLES, 'ok'],
  ['AMD', TABLES + 0x2000n, 'ok'],
  ['AMD', TABLES + 0x3000n, 'ok'],
] as const)
  test(`bit 8 of the entry at 0x${at.toString(16)}, ${vendor}: ${expected}`, () => {
    const lab = new Lab({
      mode: 'long',
      profile: pagingProfile({ width: 40, amd: vendor === 'AMD', pages1g: false, pse36: true }),
    });
    lab.put(at, lab.get(at, 8) | 0x100n, 8);
    const outcome = lab.run('90');
    assert.equal(outcomeText(outcome), expected === 'ok' ? 'ok' : '#PF(19)', 'of the fetch');
  });
