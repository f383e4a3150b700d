/**
 * The known issue `illumos-13253`, under a version that panics. What the guest writes decides; a config with more than one
 * vCPU only says that it will start others.
 */
import { illumos13253 as issue } from '../../vmm/bhyve/knownIssues/illumos13253';
import type { Check } from '../check';

export const illumos13253: Check = {
  code: issue.id,
  severity: 'information',
  title: issue.title,
  on: ['machine'],
  *run({ choice, machines }) {
    if (choice?.vmm !== issue.vmm || !issue.affected.includes(choice.version)) return;
    for (const { vcpus, at } of machines) {
      // A map that does not say how many there are is taken for one.
      if (vcpus.value < 2) continue;
      yield {
        at: vcpus.origin.kind === 'text' ? vcpus.origin : at,
        evidence: 'reproduced',
        message: `A guest with ${vcpus.value} vCPUs starts the others by IPI. Where it does so by INIT to all but itself (ICR 0xc4500, as EDK2 firmware does), this bhyve's kernel panics: bad pending MMIO state (illumos issue 13253). INIT to one destination after the other is not concerned.`,
      };
    }
  },
};
