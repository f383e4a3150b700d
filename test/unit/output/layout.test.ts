import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Machine, Region, RegionKind } from '../../../server/src/machine/machine';
import { sortRegions } from '../../../server/src/machine/machine';
import { differencesJson, layoutDifferences, layoutJson } from '../../../server/src/output/layout';

function machine(regions: readonly (readonly [bigint, bigint, RegionKind])[]): Machine {
  return {
    name: 'm',
    vmm: 'vmd',
    version: '7.8',
    memory: null,
    vcpus: { value: 1, origin: { kind: 'vmm', vmm: 'vmd', version: '7.8', citation: 'test' } },
    regions: sortRegions(
      regions.map(([start, end, kind]): Region => ({
        range: { start, end },
        kind,
        name: kind,
        permissions: null,
        reason: 'test',
        origin: { kind: 'vmm', vmm: 'vmd', version: '7.8', citation: 'test' },
        at: null,
      })),
    ),
    images: [],
    at: null,
    nameAt: null,
  };
}

test('a range may end at 2^64 in JSON', () => {
  const json = layoutJson([machine([[0xffffffff00000000n, 1n << 64n, 'reserved']])], (uri) => uri) as {
    machines: { regions: { end: string }[]; vmm: string }[];
  };
  assert.equal(json.machines[0]!.regions[0]!.end, '0x10000000000000000');
  assert.equal(json.machines[0]!.vmm, 'vmd@7.8');
});

test('640 KiB against 576 KiB of low memory differ in one span', () => {
  const old = machine([
    [0n, 0xa0000n, 'ram'],
    [0xa0000n, 0x100000n, 'reserved'],
  ]);
  const now = machine([
    [0n, 0x90000n, 'ram'],
    [0x90000n, 0x100000n, 'reserved'],
  ]);
  assert.deepEqual(differencesJson(layoutDifferences(old, now)), {
    differences: [{ start: '0x90000', end: '0xa0000', left: 'ram', right: 'reserved' }],
  });
});

test('a span that only one side maps has null on the other', () => {
  const [difference] = layoutDifferences(machine([[0n, 4096n, 'ram']]), machine([]));
  assert.deepEqual(difference, { start: 0n, end: 4096n, left: 'ram', right: null });
});

test('differences agree with a byte-by-byte comparison', () => {
  const kinds: RegionKind[] = ['ram', 'reserved', 'mmio'];
  const regions = fc
    .array(
      fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.constantFrom(...kinds)),
      { maxLength: 6 },
    )
    .map((spans) => {
      // Spans and gaps laid end to end: no overlaps.
      let at = 0n;
      return spans.map(([gap, size, kind]) => {
        const start = at + BigInt(gap);
        at = start + BigInt(size);
        return [start, at, kind] as const;
      });
    });
  const kindAt = (m: Machine, address: bigint): string | null =>
    m.regions.find((region) => address >= region.range.start && address < region.range.end)?.kind ?? null;
  fc.assert(
    fc.property(regions, regions, (a, b) => {
      const left = machine(a);
      const right = machine(b);
      const differences = layoutDifferences(left, right);
      for (let address = 0n; address < 70n; address++) {
        const expected = kindAt(left, address) !== kindAt(right, address);
        assert.equal(
          differences.some((d) => address >= d.start && address < d.end),
          expected,
          String(address),
        );
      }
    }),
  );
});
