import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Machine } from '../../../server/src/machine/machine';
import { comparisonText } from '../../../server/src/output/layoutComparison';
import { parse } from '../memory-map/read';
import { region, VMD } from '../picture/sample';

const STYLE = { pathOf: (uri: string): string => uri.replace('file:///', ''), width: Infinity };
const e820 = (...lines: readonly string[]): Machine =>
  parse(lines.map((line) => `BIOS-e820: [mem ${line}\n`).join('')).machines[0]!;
const compare = (left: Machine, right: Machine): string =>
  comparisonText({ machine: left, file: 'a' }, { machine: right, file: 'b' }, STYLE);
const vmm = (...regions: readonly ReturnType<typeof region>[]): Machine =>
  ({ ...VMD, memory: null, images: [], at: null, nameAt: null, regions }) as unknown as Machine;

const LOW = '0x0-0x9fbff] usable';

test('two maps that say the same have no difference, whatever gaps one of them prints', () => {
  const text =
    'BIOS-e820: [mem 0x0-0x9fbff] usable\nBIOS-e820: [gap 0x9fc00-0xfffff]\nBIOS-e820: [mem 0x100000-0x1fffff] usable\n';
  const gaps = parse(text).machines[0]!;
  assert.match(compare(gaps, e820(LOW, '0x100000-0x1fffff] usable')), /\nno difference\n$/);
});

test('an end that moved is told as such, with both sides, the size and the lines', () => {
  const report = compare(e820(LOW), e820('0x0-0x9ffff] usable'));
  assert.match(report, /^left {3}BIOS-e820 \(Linux e820\) in a: 639 KiB of RAM\n/);
  assert.match(report, /\n! \[0x9fc00, 0xa0000\) {2}1 KiB {2}nothing \| RAM\n/);
  assert.match(
    report,
    /usable \(RAM\) ends at 0xa0000 on the right, usable \(RAM\) at 0x9fc00 on the left: 1 KiB less\./,
  );
  assert.match(report, /\n {4}right map:1:1\n/);
  assert.match(report, /\n1 difference, 1 about RAM \(marked !\)\. The right has 1 KiB more RAM\.\n$/);
});

test('an end that is one byte off is what a closed end makes of an end', () => {
  const report = compare(e820('0x0-0x9fbff] usable'), e820('0x0-0x9fbfe] usable'));
  assert.match(report, /\[0x9fbff, 0x9fc00\).*\n.*exactly one byte: one of the two takes the last byte/);
  assert.doesNotMatch(compare(e820(LOW), e820('0x0-0x9fbfd] usable')), /exactly/);
});

test('an end that is one page off is said to be one page', () =>
  assert.match(compare(e820('0x0-0x9ffff] usable'), e820('0x0-0x9efff] usable')), /exactly one page/));

test('a start that moved names both starts', () =>
  assert.match(
    compare(e820('0x1000-0x9ffff] usable'), e820('0x0-0x9ffff] usable')),
    /usable \(RAM\) starts at 0x0 on the right, usable \(RAM\) at 0x1000 on the left: 4 KiB less\./,
  ));

const MEANINGS: readonly (readonly [string, Machine, Machine, RegExp])[] = [
  [
    'RAM that only the guest sees',
    vmm(region(0n, 0x90000n, 'ram', 'low')),
    e820('0x0-0x9ffff] usable'),
    /The guest takes for RAM what the VMM does not back\./,
  ],
  [
    'RAM that the VMM means as registers',
    vmm(region(0n, 0x90000n, 'ram', 'low'), region(0x90000n, 0xa0000n, 'mmio', 'window')),
    e820('0x0-0x9ffff] usable'),
    /The guest takes for RAM what the VMM means as MMIO\./,
  ],
  [
    'RAM that firmware keeps',
    vmm(region(0n, 0xa0000n, 'ram', 'low')),
    e820(LOW, '0x9fc00-0x9ffff] reserved'),
    /This is the VMM’s RAM, which the firmware keeps from the guest\./,
  ],
  [
    'RAM that nobody tells the guest of',
    vmm(region(0n, 0xa0000n, 'ram', 'low')),
    e820(LOW),
    /The guest is never told of this memory\./,
  ],
  [
    'registers that an e820 map need not list',
    vmm(region(0n, 0x9fc00n, 'ram', 'low'), region(0xfee00000n, 0xfee01000n, 'mmio', 'local APIC')),
    e820(LOW),
    /need not list devices and ROMs, so this is no contradiction/,
  ],
  [
    'two words for what is no RAM',
    vmm(region(0n, 0x9fc00n, 'ram', 'low'), region(0xf0000n, 0x100000n, 'rom', 'BIOS')),
    e820(LOW, '0xf0000-0xfffff] reserved'),
    /Neither is RAM to an operating system\./,
  ],
];
for (const [what, left, right, expected] of MEANINGS)
  test(`${what}, on either side`, () => {
    assert.match(compare(left, right), expected);
    assert.match(compare(right, left), expected);
  });

test('two maps of one kind are not told as a VMM and its guest', () =>
  assert.doesNotMatch(compare(e820(LOW), e820('0x0-0x9ffff] usable')), /guest|VMM/));

test('a nested listing is compared by its outermost lines', () => {
  const iomem = parse('00000000-0009fbff : System RAM\n  00010000-0001ffff : Kernel code\n').machines[0]!;
  assert.match(compare(iomem, e820(LOW)), /\nno difference\n$/);
});

test('thousands of differences end in a number', () => {
  const at = (index: number, off: number): string => `0x${(index * 0x10000 + off).toString(16)}`;
  const map = (kind: string): Machine =>
    e820(...Array.from({ length: 3000 }, (_, index) => `${at(index, 0)}-${at(index, 0xfff)}] ${kind}`));
  const report = compare(map('usable'), map('reserved'));
  assert.match(report, /\nand 2800 more\n3000 differences, 3000 about RAM/);
});

test('only what is one thing has a boundary that moves: RAM under any name, all else under its own', () => {
  const device = (last: string, name: string): Machine =>
    parse(`10000000-${last} : ${name}\n20000000-2fffffff : System RAM\n`).machines[0]!;
  assert.match(
    compare(device('10000fff', 'hpet'), device('10001fff', 'hpet')),
    /hpet \(MMIO\) ends at 0x10002000/,
  );
  assert.match(compare(device('10000fff', 'hpet'), device('10001fff', 'dmar0')), /Only the right has dmar0/);
});

test('a guest that its VMM refuses has no layout, and nothing is said to be on one side only', () => {
  const refused = { ...vmm(), name: 'big', memory: { value: 1n << 40n } } as unknown as Machine;
  const report = compare(refused, e820(LOW));
  assert.match(report, /^left {3}big \(.*\) in a: no region known\n/);
  assert.match(
    report,
    /\nNo region of the left is known: vmd lays out no memory for "big"; bootpath simulate says why\. There is nothing to compare\.\n$/,
  );
  assert.doesNotMatch(report, /Only the|0 B/);
});

test('a guest whose text tells no memory is said to be that, on the right too', () =>
  assert.match(
    compare(e820(LOW), vmm()),
    /No region of the right is known: the text does not say how much memory/,
  ));
