/** The known issues of Propolis that the size of memory decides. */
import { formatSize } from '../../address/format';
import type { Document } from '../../machine/language';
import { propolisAddressSpace } from '../../vmm/propolis/knownIssues/addressSpace';
import { FIRST_WRAPPED, propolisCmosMemory } from '../../vmm/propolis/knownIssues/cmosMemory';
import { memoryRefusal } from '../../vmm/propolis/layout';
import { propolisVersion } from '../../vmm/propolis/versions';
import type { KnownIssue } from '../../machine/knownIssue';
import type { Check, Found } from '../check';

/** `message` gets the version's id and the memory; null where that much is not concerned. */
function memoryCheck(
  issue: KnownIssue,
  evidence: Found['evidence'],
  message: (version: string, memory: bigint) => string | null,
): Check {
  return {
    code: issue.id,
    severity: 'warning',
    title: issue.title,
    on: ['propolis'],
    *run({ choice, machines }: Document) {
      if (choice?.vmm !== issue.vmm || !issue.affected.includes(choice.version)) return;
      for (const { memory, at } of machines) {
        const text = memory && message(choice.version, memory.value);
        if (!memory || !text) continue;
        yield {
          at: memory.origin.kind === 'text' ? memory.origin : at,
          message: text,
          ...(evidence ? { evidence } : {}),
        };
      }
    },
  };
}

export const PROPOLIS_MEMORY_CHECKS: readonly Check[] = [
  memoryCheck(propolisAddressSpace, 'proven', (id, memory) => {
    const why = memory > 0n ? memoryRefusal(propolisVersion(id), memory) : null;
    return why && `propolis@${id} does not start this VM: ${why} (propolis issue 903).`;
  }),
  memoryCheck(propolisCmosMemory, 'reproduced', (id, memory) => {
    if (memory < FIRST_WRAPPED) return null;
    const told = (memory - FIRST_WRAPPED) % (FIRST_WRAPPED - 3n * (1n << 30n));
    return `propolis@${id} tells the firmware of memory from 4 GiB on in 24 bits of CMOS, which hold less than 1 TiB: of ${formatSize(memory)} they tell ${told === 0n ? 'nothing' : formatSize(told)}, and the firmware puts 64-bit BARs where memory is (propolis issue 907).`;
  }),
];
