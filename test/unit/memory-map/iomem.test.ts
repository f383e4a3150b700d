import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { runChecks } from '../../../server/src/checks/catalogue';
import { describeAddress } from '../../../server/src/features/regionText';
import { levelOf, parentsOf, regionAt } from '../../../server/src/machine/machine';
import { iomemDialect } from '../../../server/src/memory-map/iomem';
import { memmap } from '../../../server/src/memory-map/language';
import { fixture, parse, rowsOf } from './read';

test('a listing is one map: closed ends, nested levels, kinds by names', () => {
  const { machines, problems } = parse(fixture('iomem.txt'));
  assert.deepEqual(problems, []);
  assert.equal(machines.length, 1);
  const [machine] = machines;
  assert.equal(machine!.producer, '/proc/iomem');
  assert.deepEqual(
    machine!.regions.map((region, index) => `${levelOf(region)} ${rowsOf(machine!)[index]}`).slice(0, 13),
    [
      '0 reserved [0x0, 0x1000) Reserved',
      '0 ram [0x1000, 0x9f800) System RAM',
      '0 reserved [0x9f800, 0x100000) Reserved',
      '1 mmio [0xa0000, 0xc0000) PCI Bus 0000:00',
      '1 rom [0xc0000, 0xc9a00) Video ROM',
      '1 rom [0xf0000, 0x100000) System ROM',
      '0 ram [0x100000, 0x7ffda000) System RAM',
      '1 ram [0x12000000, 0x12e01a42) Kernel code',
      '1 ram [0x13000000, 0x134f8000) Kernel rodata',
      '1 ram [0x13600000, 0x139f23c0) Kernel data',
      '1 ram [0x13d0a000, 0x14000000) Kernel bss',
      '1 ram [0x28000000, 0x38000000) Crash kernel',
      '0 acpi [0x7ffda000, 0x7fff0000) ACPI Tables',
    ],
  );
});

test('what lies in another line is no overlap, and the first MiB of a real listing is no RAM', () => {
  assert.deepEqual(runChecks(parse(fixture('iomem.txt'))), []);
});

test('the region of an address is the innermost one', () => {
  const [machine] = parse(fixture('iomem.txt')).machines;
  assert.equal(regionAt(machine!, 0x12000000n)!.name, 'Kernel code');
  assert.equal(regionAt(machine!, 0x11ffffffn)!.name, 'System RAM');
  assert.equal(regionAt(machine!, 0xb0000000n)!.name, 'pnp 00:04');
  assert.equal(regionAt(machine!, 0xfd100000n)!.name, '0000:00:01.0');
});

test('a hover on an address names the innermost line first', () => {
  const [machine] = parse(fixture('iomem.txt')).machines;
  assert.match(describeAddress(machine!, 0x12000010n), /is in Kernel code .*, and in System RAM /);
});

test('siblings that overlap are an overlap at any level', () => {
  const document = parse(
    '00100000-001fffff : System RAM\n  00100000-0017ffff : Kernel code\n  00140000-001bffff : Kernel data\n',
  );
  assert.deepEqual(
    runChecks(document).map(({ code, severity }) => [code, severity]),
    [['region-overlap', 'warning']],
  );
});

test('nesting does not need the indentation, which a paste may lose', () => {
  const levels = (text: string): number[] => parse(text).machines[0]!.regions.map(levelOf);
  const whole = fixture('iomem.txt');
  assert.deepEqual(levels(whole.replace(/^ +/gm, '')), levels(whole));
  assert.deepEqual(levels(whole.replace(/^/gm, '> ')), levels(whole));
});

test('a fragment without parents is read with its prompt', () => {
  const text =
    'me@host:~$ sudo cat /proc/iomem | grep e1000e\n[sudo] password for me: \n    fb300000-fb31ffff : e1000e\n    fb328000-fb328fff : e1000e\n';
  assert.ok(memmap.recognise(text, 'x.txt'));
  assert.deepEqual(rowsOf(parse(text).machines[0]!), [
    'mmio [0xfb300000, 0xfb320000) e1000e',
    'mmio [0xfb328000, 0xfb329000) e1000e',
  ]);
});

test('a read without privileges is one finding and no machine', () => {
  const text = fixture('iomem.txt').replace(/[0-9a-f]{8,9}-[0-9a-f]{8,9} :/g, '00000000-00000000 :');
  assert.ok(memmap.recognise(text, 'x.txt'));
  const document = parse(text);
  assert.deepEqual(document.machines, []);
  assert.deepEqual(
    document.problems.map(({ code, at }) => [code, at!.range.start.line]),
    [['iomem-unprivileged', 1]],
  );
});

test('one line of zeros in a listing with addresses is a resource that is not set', () => {
  const document = parse('00000000-0009ebff : System RAM\n  00000000-00000000 : Crash kernel\n');
  assert.deepEqual(document.problems, []);
  assert.deepEqual(rowsOf(document.machines[0]!), ['ram [0x0, 0x9ec00) System RAM']);
});

test('two listings in one text are two maps', () => {
  const one = fixture('iomem.txt');
  assert.deepEqual(
    parse(one + one).machines.map(({ name }) => name),
    ['iomem', 'iomem (2)'],
  );
  const later = '00100000-001fffff : System RAM\nhost two:\n00200000-002fffff : System RAM\n';
  assert.equal(parse(later).machines.length, 2);
});

test('a mangled line in a listing is pointed out and does not end it', () => {
  const { machines, problems } = parse(
    '00001000-0009ffff : System RAM\n  a0000-bffff : PCI Bus 0000:00\n00100000-001fffff : System RAM\n',
  );
  assert.equal(machines.length, 1);
  assert.deepEqual(
    problems.map(({ code, at }) => [code, at!.range.start.line]),
    [['map-unreadable-line', 1]],
  );
});

for (const text of [
  '0000-0cf7 : PCI Bus 0000:00\n  0000-001f : dma1\n',
  '20260101-20261231 : Vacation\n',
  '0000000000000000-000000000009ffff (prio 0, ram): ram-below-4g',
]) {
  test(`${JSON.stringify(text.slice(0, 30))} is no listing`, () =>
    assert.equal(iomemDialect.has(text), false));
}

test('a nested listing comes back range by range and level by level', () => {
  type Node = { size: number; gap: number; children: Node[] };
  // Deeper than the five levels that the kernel sets in.
  const node = (depth: number): fc.Arbitrary<Node> =>
    fc.record({
      size: fc.integer({ min: 1, max: 50 }),
      gap: fc.integer({ min: 0, max: 3 }),
      children: depth === 0 ? fc.constant([]) : fc.array(node(depth - 1), { maxLength: 2 }),
    });
  fc.assert(
    fc.property(fc.array(node(7), { minLength: 1, maxLength: 5 }), (roots) => {
      const rows: { start: bigint; end: bigint; level: number }[] = [];
      // A parent ends at least a page after its last child, so that no two are the same range.
      const place = (nodes: readonly Node[], from: bigint, level: number): bigint => {
        let at = from;
        for (const { size, gap, children } of nodes) {
          const start = at + BigInt(gap) * 4096n;
          const row = { start, end: 0n, level };
          rows.push(row);
          row.end = place(children, start, level + 1) + BigInt(size) * 4096n;
          at = row.end;
        }
        return at;
      };
      place(roots, 4096n, 0);
      const hex8 = (value: bigint): string => value.toString(16).padStart(8, '0');
      const text = rows
        .map(
          ({ start, end, level }) =>
            `${' '.repeat(2 * Math.min(level, 5))}${hex8(start)}-${hex8(end - 1n)} : System RAM`,
        )
        .join('\n');
      const { regions } = parse(text).machines[0]!;
      assert.deepEqual(
        regions.map((region) => ({ ...region.range, level: levelOf(region) })),
        rows,
      );
      const parents = parentsOf(regions);
      regions.forEach((region, index) => {
        const parent = regions[parents[index]!];
        assert.equal(parent === undefined ? 0 : levelOf(parent) + 1, levelOf(region));
      });
    }),
  );
});
