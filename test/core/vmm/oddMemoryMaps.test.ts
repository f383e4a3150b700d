/** Memory maps that no machine has, under every model: a run or a reason why there is none, and never a crash. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { Region, RegionKind } from '../../../server/src/machine/machine';
import { simulate } from '../../../server/src/simulation/simulate';
import { VMM_MODELS } from '../../../server/src/vmm/models';
import { underModel } from '../../../server/src/vmm/relayout';
import { guest } from '../../vmm-matrix/matrix';

const PAST_64_BITS = 1n << 64n;
const origin = { kind: 'vmm', vmm: 'none', version: '', citation: 'the map of this test' } as const;
const region = (start: bigint, end: bigint, kind: RegionKind = 'ram'): Region => ({
  range: { start, end },
  kind,
  name: kind,
  permissions: null,
  reason: '',
  origin,
  at: null,
});
const pieces = (count: number): Region[] =>
  Array.from({ length: count }, (_, i) => region(BigInt(i) << 21n, (BigInt(i) << 21n) + 0x100000n));

const MAPS: readonly (readonly [what: string, regions: readonly Region[], refused: boolean])[] = [
  ['no region', [], false],
  ['300 pieces of RAM', pieces(300), false],
  ['10000 pieces of RAM', pieces(10_000), true],
  ['RAM in all 2^64 bytes', [region(0n, PAST_64_BITS)], true],
  ['RAM that ends within a page', [region(1n, 2n), region(5n, 0x1fffn)], false],
  ['RAM above 4 GiB only', [region(1n << 32n, 1n << 33n)], false],
  [
    'regions that overlap',
    [region(0n, 0x8000000n), region(0x1000n, 0x9000000n, 'reserved'), region(0x2000n, 0x3000n, 'hole')],
    false,
  ],
  ['device addresses up to 2^64', [region(0n, 0x8000000n), region(0x8000000n, PAST_64_BITS, 'mmio')], false],
];

for (const model of VMM_MODELS) {
  for (const [what, regions, refused] of MAPS) {
    test(`${model.name}: a map with ${what}`, () => {
      const machine = { ...guest(1n), memory: null, vmm: null, version: null, regions };
      for (const { id } of [model.versions[0]!, model.versions.at(-1)!]) {
        const { reason, outcome } = simulate(
          underModel(machine, model, id),
          model,
          id,
          {
            ...{ machine: null, firmware: null, kernel: null, probe: 'boot-path', taps: [] },
            ...{ maxInstructions: 10_000, reboots: 0 },
          },
          { createCore, cancelled: () => false, progress: () => undefined },
        );
        if (!refused) continue;
        // The plain PC lays out a size of memory and looks at no map.
        if (model.name === 'pc') continue;
        assert.equal(outcome, 'vmm-exit');
        // The VMM's own reason comes before the emulator's limits.
        assert.match(reason, /^The VM does not start: /);
      }
    });
  }
}
