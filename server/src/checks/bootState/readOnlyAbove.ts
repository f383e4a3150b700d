/** Page tables whose upper entry takes away the RW that the leaves have. */
import { formatRange, hex } from '../../address/format';
import type { Check } from '../check';
import { bootsOf, written } from './boots';

const WP = 1n << 16n;

export const readOnlyAbove: Check = {
  code: 'boot-read-only-above',
  severity: 'warning',
  title: 'Upper page-table entry without RW above writable pages',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      const { state, machine } = boot;
      // Of what a VMM alone decides the known issues tell.
      if (!state.vcpus.some(({ origin }) => written(origin))) continue;
      const said = new Set<string>();
      const protecting = state.vcpus.some(({ state: { cr0 } }) => cr0 !== undefined && (cr0 & WP) !== 0n);
      for (const { linear: range, writable, readOnlyAbove: above, at } of boot.linear.mappings) {
        if (!above || !writable) continue;
        const key = `${above.level} ${above.value}`;
        if (said.has(key)) continue;
        said.add(key);
        const place = above.origin.kind === 'text' ? above.origin : (at ?? machine.nameAt ?? machine.at);
        yield {
          severity: protecting ? 'warning' : 'information',
          at: place,
          evidence: 'proven',
          message: `The ${above.level} ${hex(above.value)} above ${formatRange(range)} has no RW, and so none of its pages is writable, whatever their own entries say (SDM vol. 3A, “Access Rights”). ${
            protecting
              ? 'CR0.WP is 1, so the first write of the guest, its stack included, is a page fault.'
              : 'While CR0.WP is 0 a supervisor may write all the same; a guest that sets WP before it loads CR3 faults at its next write.'
          }`,
          ...(at && place !== at
            ? { related: [{ at, message: `The writable pages ${formatRange(range)}.` }] }
            : {}),
        };
      }
    }
  },
};
