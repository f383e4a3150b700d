/** Regions of a boot plan: three ways to write a range, and what is said where its bounds do not go together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hex } from '../../../server/src/address/format';
import { findings, read, told } from './read';

const region = (bounds: string) => `[[region]]\nkind = "ram"\n${bounds}\n`;
const rangeOf = (bounds: string) => {
  const [found] = read(region(bounds)).plan.regions;
  return found && `${hex(found.range.start)} ${hex(found.range.end)}`;
};

test('base and size, start and end, start and last say the same region', () => {
  for (const bounds of [
    'base = 0x100000\nsize = "1 MiB"',
    'start = 0x100000\nend = 0x200000',
    'start = "1M"\nlast = 0x1fffff',
    'base = "0x100000"\nlast = "2M-1"',
  ]) {
    assert.equal(rangeOf(bounds), '0x100000 0x200000', bounds);
    assert.deepEqual(told(region(bounds)), []);
  }
});

test('a region may end with the address space, in each way', () => {
  for (const bounds of [
    'base = "0xffffffffffff0000"\nsize = "64K"',
    'start = "0xffffffffffff0000"\nend = "0x10000000000000000"',
    'start = "0xffffffffffff0000"\nlast = "0xffffffffffffffff"',
  ]) {
    assert.equal(rangeOf(bounds), '0xffffffffffff0000 0x10000000000000000', bounds);
    assert.deepEqual(told(region(bounds)), []);
  }
});

test('bounds that do not go together are told at the bound, and the region is left out', () => {
  const refused: readonly [string, string[]][] = [
    ['base = 0\nsize = 0', ['boot-plan-region: 0']],
    ['start = 0x2000\nend = 0x1000', ['boot-plan-region: 0x1000']],
    ['start = 0x2000\nend = 0x2000', ['boot-plan-region: 0x2000']],
    ['start = 0x2000\nlast = 0xfff', ['boot-plan-region: 0xfff']],
    ['base = "0xfffffffffffff000"\nsize = "8K"', ['boot-plan-region: "8K"']],
    ['base = 0\nsize = "4K"\nend = 0x1000', ['boot-plan-region: end']],
    ['base = 0\nstart = 0\nsize = "4K"', ['boot-plan-region: start']],
    ['base = 0', ['boot-plan-region: [']],
    ['size = "4K"', ['boot-plan-region: [']],
    ['base = "4M-2G"\nsize = "4K"', ['boot-plan-number: "4M-2G"']],
    ['base = "${BASE}"\nsize = "4K"', ['boot-plan-number: "${BASE}"']],
    ['base = "64 bytes"\nsize = "4K"', ['boot-plan-value: "64 bytes"']],
    ['base = -1\nsize = "4K"', ['boot-plan-value: -1']],
    ['base = true\nsize = "4K"', ['boot-plan-wrong-type: true']],
    ['base = 0xffffffffffff0000\nsize = "4K"', ['boot-plan-toml: 0xffffffffffff0000']],
  ];
  for (const [bounds, expected] of refused) {
    assert.deepEqual(told(region(bounds)), expected, bounds);
    if (!bounds.includes('0xffffffffffff0000')) assert.equal(rangeOf(bounds), undefined, bounds);
  }
});

test('an end that is the last byte of a page, and a last that is the first of one, are asked about', () => {
  const [closed] = findings(region('start = 0\nend = 0x9ffff'));
  assert.equal(closed!.code, 'boot-plan-closed-end');
  assert.deepEqual(
    closed!.fixes!.map(({ edits }) => edits[0]!.newText),
    ['last', '0xa0000'],
  );
  const [open] = findings(region('start = 0\nlast = 0xa0000'));
  assert.deepEqual(
    open!.fixes!.map(({ edits }) => edits[0]!.newText),
    ['end', '0x9ffff'],
  );
});

test('a size of a byte more or less than whole pages is asked about', () => {
  for (const [size, whole] of [
    ['0x9ffff', '0xa0000'],
    ['0xa0001', '0xa0000'],
  ]) {
    const [odd] = findings(region(`base = 0\nsize = ${size}`));
    assert.equal(odd!.code, 'boot-plan-closed-end');
    assert.equal(odd!.fixes![0]!.edits[0]!.newText, whole);
  }
  for (const bounds of ['base = 0\nsize = 1', 'base = 0\nsize = "639K"', 'base = 0x9fc00\nsize = 0x3ff']) {
    assert.deepEqual(told(region(bounds)), [], bounds);
  }
});

test('an end inside of a page is no mistake: the EBDA begins at 639 KiB', () => {
  for (const bounds of [
    'start = 0\nend = 0x9fc00',
    'start = 0x9fc00\nend = 0x9ffff',
    'start = 0\nlast = 0x9fbff',
  ]) {
    assert.deepEqual(told(region(bounds)), [], bounds);
  }
});

test('whatever a region is, its three writings read back as the same half-open range', () => {
  const address = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(address, address, (one, other) => {
      const [start, last] = one <= other ? [one, other] : [other, one];
      const size = last + 1n - start;
      const shown = `${hex(start)} ${hex(last + 1n)}`;
      assert.equal(rangeOf(`start = "${hex(start)}"\nlast = "${hex(last)}"`), shown);
      assert.equal(rangeOf(`start = "${hex(start)}"\nend = "${hex(last + 1n)}"`), shown);
      if (size < 1n << 64n) assert.equal(rangeOf(`base = "${hex(start)}"\nsize = "${hex(size)}"`), shown);
    }),
  );
});

test('a region beyond the address space names its size as it is, and not rounded', () => {
  const messageOf = (size: string) => findings(region(`base = 0x1000\nsize = ${size}`))[0]!.message;
  assert.match(messageOf('"0xffffffffffffffff"'), /^0x1000 and 0xffffffffffffffff bytes end at /);
  assert.match(
    findings(region('base = "0xfffffffffffff000"\nsize = "8K"'))[0]!.message,
    /^0xfffffffffffff000 and 8 KiB end at 0x10000000000001000,/,
  );
});
