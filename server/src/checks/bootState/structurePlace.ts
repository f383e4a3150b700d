/** A structure of the boot where the machine has no memory. */
import { formatRange } from '../../address/format';
import type { Check } from '../check';
import { bootsOf } from './boots';

export const structurePlace: Check = {
  code: 'boot-structure-outside-memory',
  severity: 'error',
  title: 'Boot structure where there is no memory',
  on: ['machine'],
  *run(document) {
    for (const { state, memory, machine } of bootsOf(document)) {
      if (!memory.known) continue;
      for (const structure of state.structures) {
        const missing = memory.coverage.firstMissing(structure.range);
        if (!missing) continue;
        yield {
          at: structure.at ?? machine.nameAt ?? machine.at,
          evidence: 'proven',
          message: `${structure.name} ${formatRange(structure.range)} is not all in memory: ${formatRange(missing)} is behind no region. It cannot be written there, or what is written is lost, and the guest does not find it.`,
        };
      }
    }
  },
};
