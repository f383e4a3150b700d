import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { overlaps } from '../../../server/src/address/range';
import { landmarkLabels } from '../../../server/src/picture/landmarkLabels';
import { layoutAddressSpace } from '../../../server/src/picture/layout';
import { fromWire, ramOf } from '../../../server/src/picture/pictureMachine';
import { anyMachine, region, VMD } from './sample';

test('regions that touch stand on each other, from 0 to the height', () => {
  const { boxes, holes, height, ticks } = layoutAddressSpace(VMD);
  assert.deepEqual(holes, []);
  assert.equal(boxes[0]!.y, 0);
  boxes.slice(1).forEach((box, index) => {
    const above = boxes[index]!;
    assert.ok(Math.abs(above.y + above.height - box.y) < 1e-9);
  });
  const last = boxes.at(-1)!;
  assert.ok(Math.abs(last.y + last.height - height) < 1e-9);
  assert.deepEqual(
    ticks.map(({ address }) => address),
    [0n, 0xa0000n, 0x100000n, 0xf0000000n, 0xffc00000n, 0x100000000n, 0x210000000n],
  );
});

test('a page beside a terabyte is still legible, and the terabyte is taller', () => {
  const machine = {
    ...VMD,
    regions: [region(0n, 4096n, 'rom', 'tiny'), region(4096n, 1n << 40n, 'ram', 'huge')],
  };
  const [tiny, huge] = layoutAddressSpace(machine).boxes;
  assert.ok(tiny!.height >= 17);
  assert.ok(huge!.height > tiny!.height && huge!.height < 5 * tiny!.height);
});

test('a hole between two regions is a band, a printed gap is a box of its own', () => {
  const machine = {
    ...VMD,
    regions: [region(0x1000n, 0x2000n, 'ram', 'a'), region(0x9000n, 0xa000n, 'ram', 'b')],
  };
  assert.deepEqual(
    layoutAddressSpace(machine).holes.map(({ range }) => range),
    [
      { start: 0n, end: 0x1000n },
      { start: 0x2000n, end: 0x9000n },
    ],
  );
  const printed = {
    ...VMD,
    regions: [
      region(0n, 0x2000n, 'ram', 'a'),
      region(0x2000n, 0x9000n, 'hole', 'gap'),
      region(0x9000n, 0xa000n, 'ram', 'b'),
    ],
  };
  const layout = layoutAddressSpace(printed);
  assert.deepEqual(layout.holes, []);
  assert.equal(layout.boxes.length, 3);
});

test('any machine: order is kept, boxes are as tall as their addresses say, overlapping ones do not cover each other', () => {
  fc.assert(
    fc.property(
      anyMachine,
      fc.option(fc.integer({ min: 50, max: 400 }), { nil: undefined }),
      (machine, maxHeight) => {
        const layout = layoutAddressSpace(machine, maxHeight === undefined ? {} : { maxHeight });
        assert.equal(layout.boxes.length, machine.regions.length);
        for (let i = 1; i < layout.ticks.length; i++) {
          assert.ok(layout.ticks[i]!.address > layout.ticks[i - 1]!.address);
          assert.ok(layout.ticks[i]!.y > layout.ticks[i - 1]!.y);
        }
        for (const box of layout.boxes) {
          const { range } = machine.regions[box.region]!;
          assert.ok(Math.abs(layout.yOf(range.start) - box.y) < 1e-6);
          assert.ok(Math.abs(layout.yOf(range.end) - box.y - box.height) < 1e-6);
          assert.ok(box.height >= 14.9 && box.lane < box.lanes);
        }
        layout.boxes.forEach((a, i) =>
          layout.boxes.slice(i + 1).forEach((b) => {
            if (overlaps(machine.regions[a.region]!.range, machine.regions[b.region]!.range)) {
              assert.notEqual(a.lane, b.lane);
              assert.equal(a.lanes, b.lanes);
            }
          }),
        );
      },
    ),
  );
});

test('yOf never falls and stays inside the picture', () => {
  fc.assert(
    fc.property(
      anyMachine,
      fc.bigInt({ min: 0n, max: 1n << 64n }),
      fc.bigInt({ min: 0n, max: 1n << 64n }),
      (machine, a, b) => {
        const { yOf, height } = layoutAddressSpace(machine);
        const [low, high] = a < b ? [a, b] : [b, a];
        assert.ok(yOf(low) <= yOf(high));
        assert.ok(yOf(low) >= 0 && yOf(high) <= height);
      },
    ),
  );
});

test('a limited height takes from the tall pieces first', () => {
  const free = layoutAddressSpace(VMD);
  const tight = layoutAddressSpace(VMD, { maxHeight: 160 });
  assert.ok(free.height > 200);
  assert.ok(Math.abs(tight.height - 160) < 1e-6);
  assert.ok(tight.boxes.every(({ height }) => height >= 17));
});

test('with a limit of regions the selected one is shown and the rest is folded', () => {
  const many = {
    ...VMD,
    regions: Array.from({ length: 100 }, (_, index) =>
      region(BigInt(index) << 12n, BigInt(index + 1) << 12n, 'ram', `r${index}`),
    ),
  };
  const { boxes, folds } = layoutAddressSpace(many, { maxRegions: 9, selected: [50] });
  assert.deepEqual(
    boxes.map((box) => box.region),
    [46, 47, 48, 49, 50, 51, 52, 53, 54],
  );
  assert.deepEqual(
    folds.map(({ count }) => count),
    [46, 45],
  );
});

test('no two landmark labels touch, and each stands near its place', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 400 }), (maxHeight) => {
      const labels = landmarkLabels(layoutAddressSpace(VMD, { maxHeight }), 140);
      assert.ok(labels.some(({ text }) => text.includes('VGA')));
      const sorted = [...labels].sort((a, b) => a.y - b.y);
      for (let i = 1; i < sorted.length; i++) assert.ok(sorted[i]!.y - sorted[i - 1]!.y >= 12.999);
      for (const { y, at } of labels) assert.ok(Math.abs(y - at) <= 45);
    }),
  );
});

test('landmarks beyond the map are not drawn', () => {
  const small = { ...VMD, regions: [region(0n, 0xa0000n, 'ram', 'low')] };
  const labels = landmarkLabels(layoutAddressSpace(small), 140).map(({ text }) => text);
  assert.ok(!labels.some((text) => /GiB|APIC|1 MiB/.test(text)), labels.join());
});

test('a machine from the wire keeps order, ends of 2^64 and places', () => {
  const wire = {
    name: 'a',
    vmm: 'vmd@7.8',
    regions: [
      {
        start: '0x0',
        end: '0xa0000',
        kind: 'ram',
        name: 'low',
        permissions: 'rwx',
        reason: '',
        uri: 'file:///x',
        range: { start: { line: 1, character: 0 }, end: { line: 1, character: 2 } },
        approximate: false,
      },
      {
        start: '0xfffffffffffff000',
        end: '0x10000000000000000',
        kind: 'rom',
        name: 'top',
        permissions: null,
        reason: '',
        uri: null,
        range: null,
        approximate: true,
      },
    ],
  } as const;
  const machine = fromWire(wire);
  assert.deepEqual([machine.vmm, machine.version], ['vmd', '7.8']);
  assert.equal(machine.regions[1]!.range.end, 1n << 64n);
  assert.equal(machine.regions[0]!.at!.range.start.line, 1);
  assert.equal(machine.regions[1]!.at, null);
  assert.equal(machine.regions[1]!.approximate, true);
});

/** An /proc/iomem in small: [start, end, level]. */
const NESTED = {
  ...VMD,
  regions: (
    [
      [0n, 0x1000n, 0],
      [0x1000n, 0x9000n, 0],
      [0x1000n, 0x5000n, 1],
      [0x1000n, 0x2000n, 2],
      [0x6000n, 0x7000n, 1],
      [0x9000n, 0xa000n, 0],
    ] as const
  ).map(([start, end, level]) => ({ ...region(start, end, 'ram', `level ${level}`), level })),
};

test('what lies in another region stands right of it, and goes on to the edge where nothing lies in it', () => {
  assert.deepEqual(
    layoutAddressSpace(NESTED).boxes.map(({ lane, lanes, span, nested }) => [lane, lanes, span, nested]),
    [
      [0, 1, 1, false],
      [0, 3, 1, true],
      [1, 3, 1, true],
      [2, 3, 1, true],
      [1, 3, 2, true],
      [0, 1, 1, false],
    ],
  );
});

test('RAM inside RAM is counted once', () => assert.equal(ramOf(NESTED), 0xa000n));

test('regions that only overlap keep their lanes', () => {
  const machine = {
    ...VMD,
    regions: [region(0n, 0x3000n, 'ram', 'a'), region(0x1000n, 0x4000n, 'rom', 'b')],
  };
  assert.deepEqual(
    layoutAddressSpace(machine).boxes.map(({ lane, span, nested }) => [lane, span, nested]),
    [
      [0, 1, false],
      [1, 1, false],
    ],
  );
});
