/** A kernel, or what it is told, that no page table reaches when it starts. */
import { formatRange } from '../../address/format';
import type { BootStructure } from '../../machine/bootState';
import type { Check } from '../check';
import { bootsOf, pagingOn, written } from './boots';

const NEEDED: ReadonlyMap<BootStructure['kind'], string> = new Map([
  ['kernel', 'The guest runs and reads its own image before it has tables of its own'],
  ['boot-parameters', 'Linux reads its boot parameters before it has tables of its own'],
  ['command-line', 'Linux reads its command line before it has tables of its own'],
]);

export const imageMapped: Check = {
  code: 'boot-image-unmapped',
  severity: 'warning',
  title: 'Page tables that do not reach what is loaded',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      const { state, machine } = boot;
      const needed = state.structures.filter(({ kind, origin }) => NEEDED.has(kind) && written(origin));
      const paged = state.vcpus.some((vcpu) => pagingOn(vcpu) === true);
      if (needed.length === 0 || !paged || !boot.linear.physicalKnown) continue;
      for (const structure of needed) {
        const missing = boot.linear.firstUnreached(structure.range);
        if (!missing) continue;
        yield {
          at: structure.at ?? machine.nameAt ?? machine.at,
          evidence: 'proven',
          message: `No linear address leads to ${formatRange(missing)} of ${structure.name} ${formatRange(structure.range)}. ${NEEDED.get(structure.kind)!}, and the first access there is a page fault.`,
        };
      }
    }
  },
};
