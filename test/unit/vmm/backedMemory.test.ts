/** Memory slots of regions whose borders lie within pages, as those of PC memory maps do. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { hex } from '../../../server/src/address/format';
import type { RegionKind } from '../../../server/src/machine/machine';
import { ramSlots, slotsOf } from '../../../server/src/vmm/backedMemory';

const origin = { kind: 'vmm', vmm: 'none', version: '', citation: 'the map of this test' } as const;
const region = (start: bigint, end: bigint, kind: RegionKind) => ({
  ...{ range: { start, end }, kind, name: kind, permissions: null, reason: '', origin, at: null },
});
const shown = (slots: ReturnType<typeof slotsOf>) =>
  slots.map(({ start, end, kind }) => `${hex(start)}..${hex(end)} ${kind}`);

for (const [what, regions, slots] of [
  [
    'RAM to 639 KiB and a reserved KiB behind it are one slot, so the page of the EBDA is there',
    [region(0n, 0x9fc00n, 'ram'), region(0x9fc00n, 0xa0000n, 'reserved')],
    ['0x0..0xa0000 ram'],
  ],
  [
    'a border within a page that nobody continues loses the page',
    [region(0x800n, 0x2800n, 'ram')],
    ['0x1000..0x2000 ram'],
  ],
  ['less than a page is no slot', [region(0x1n, 0xfffn, 'ram')], []],
  [
    'ROM beside RAM stays ROM',
    [region(0xf0000n, 0x100000n, 'rom'), region(0x100000n, 0x200000n, 'ram')],
    ['0xf0000..0x100000 rom', '0x100000..0x200000 ram'],
  ],
  [
    'the order of the regions does not matter, and one may lie in another',
    [region(0x4000n, 0x5000n, 'ram'), region(0x1000n, 0x8000n, 'ram'), region(0n, 0x1000n, 'ram')],
    ['0x0..0x8000 ram'],
  ],
] as const) {
  test(what, () => assert.deepEqual(shown(slotsOf(regions)), slots));
}

test('RAM alone is RAM whatever a region calls it', () => {
  assert.deepEqual(shown(ramSlots([{ start: 0xf0000n, end: 0x100000n }])), ['0xf0000..0x100000 ram']);
});
