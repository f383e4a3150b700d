import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { explain, EXPLAIN_KINDS, identify } from '../../../server/src/x86/explain';
import type { Explanation } from '../../../server/src/x86/bitField';

function explained(kind: string, ...values: string[]): Explanation {
  const result = explain(kind, values);
  if ('problem' in result) assert.fail(result.problem);
  return result;
}

for (const [kind, values, summary] of [
  ['descriptor', ['0x00af9b000000ffff'], '64-bit code · DPL 0 · present · 4 GiB'],
  ['descriptor', ['00af9b000000ffff'], '64-bit code · DPL 0 · present · 4 GiB'],
  [
    'descriptor',
    ['0x00008b0000000067', '0xffff8880'],
    'busy 64-bit TSS · DPL 0 · present · 104 B at 0xffff888000000000',
  ],
  ['icr', ['0xc4500'], 'INIT · assert · all but self'],
  ['icr', ['0x4608', '0x3000000'], 'SIPI vector 8 (starts at 0x8000) · assert · physical destination 0x3'],
  ['cr0', ['0x80050013'], 'protected mode, paging · PE MP ET WP AM PG'],
  ['cr4', ['b50eb0'], 'PSE PAE PGE OSFXSR OSXMMEXCPT UMIP FSGSBASE OSXSAVE SMEP SMAP CET'],
  ['efer', ['0x500'], 'long mode active · LME LMA'],
  ['pf-error', ['17'], 'supervisor fetch · NX or SMEP'],
  ['pf-error', ['0x80000003'], 'supervisor write · reverse map table'],
  ['svm-exit', ['-1'], 'invalid guest state: VMRUN refused it'],
  ['vmx-exit', ['2'], 'triple fault'],
  ['pte', ['0xe3', 'pde'], 'present · writable · supervisor · frame 0x0'],
] as const) {
  test(`explain ${kind} ${values.join(' ')}: ${summary}`, () =>
    assert.equal(explained(kind, ...values).summary, summary));
}

test('digits without 0x and without a letter are decimal', () => {
  assert.equal(explained('pte', '4096').value, '0x1000');
});

test('fields have the contract: bits, lower-case hex, a meaning', () => {
  const { fields, set, value } = explained('efer', '0xD00');
  assert.equal(value, '0xd00');
  assert.deepEqual(set, ['LME', 'LMA', 'NXE']);
  assert.deepEqual(
    fields.find(({ name }) => name === 'LMA'),
    {
      name: 'LMA',
      bits: '10',
      value: '0x1',
      meaning: 'long mode active: on',
    },
  );
});

for (const [kind, values, words] of [
  ['cr9', ['1'], /unknown kind/],
  ['cr4', [], /needs a value/],
  ['cr4', ['1', '2'], /takes one value/],
  ['cr4', ['zz'], /not a number/],
  ['cr4', ['0x10000000000000000'], /does not fit/],
  ['pte', ['1', 'top'], /no level/],
] as const) {
  test(`explain ${kind} ${values.join(' ')} is refused: ${words.source}`, () => {
    const result = explain(kind, values);
    assert.ok('problem' in result);
    assert.match(result.problem, words);
  });
}

for (const [kind, value, words] of [
  ['cr0', '0x80000010', /PG is 1 with PE 0/],
  ['cr0', '0x20000011', /NW is 1 with CD 0/],
  ['cr4', '0x8000', /bit 15/],
  ['efer', '0x400', /LMA is 1 with LME 0/],
  ['rflags', '0x0', /Bit 1 is 0/],
  ['rflags', '0x8002', /bit 15/],
  ['pf-error', '0x8', /RSVD is 1 with P 0/],
] as const) {
  test(`explain ${kind} ${value} names the problem`, () =>
    assert.match(explained(kind, value).problems.join(), words));
}

for (const [kind, value] of [
  ['cr0', '0x60000010'],
  ['cr0', '0x80050033'],
  ['cr4', '0xb50eb0'],
  ['efer', '0xd01'],
  ['rflags', '0x10046'],
  ['rflags', '0x2'],
] as const) {
  test(`explain ${kind} ${value} has no problem`, () =>
    assert.deepEqual(explained(kind, value).problems, []));
}

test('any text is explained or refused, never an exception', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...EXPLAIN_KINDS),
      fc.array(
        fc.oneof(
          fc.string(),
          fc.bigInt({ min: 0n, max: 1n << 65n }).map((value) => '0x' + value.toString(16)),
        ),
        { maxLength: 4 },
      ),
      (kind, values) => {
        const result = explain(kind, values);
        assert.ok('problem' in result ? result.problem : result.summary);
      },
    ),
  );
});

for (const [value, context, kinds] of [
  ['0xb50eb0', 'CR4:', ['cr4']],
  ['0xc4500', 'ICRLO write', ['icr']],
  ['0x00cf9b000000ffff', 'let gdt_table = [', ['descriptor']],
  ['0x00cf9b000000ffff', 'const BOOT_CODE =', ['descriptor']],
  ['0xe23cd7067', 'assertion failed: ptes[i] == 0', ['pte']],
  ['0x100000', 'kernel starts at', []],
  ['not', 'CR4', []],
] as const) {
  test(`${value} beside "${context}" is taken for ${kinds.join() || 'nothing'}`, () =>
    assert.deepEqual(
      identify(value, context).map(({ kind }) => kind),
      [...kinds],
    ));
}
