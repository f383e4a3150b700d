/** The known issue `chv-hypertransport-hole`: the config decides memory and device, not whose host it is. */
import { formatSize, hex } from '../../address/format';
import { overlaps } from '../../address/range';
import {
  chvHyperTransportHole as issue,
  HYPER_TRANSPORT,
  LARGEST_BELOW,
} from '../../vmm/cloud-hypervisor/knownIssues/hyperTransportHole';
import type { Check } from '../check';

const DEVICE = /^devices\.\d+\.path$/;

export const chvHyperTransportHole: Check = {
  code: issue.id,
  severity: 'information',
  title: issue.title,
  on: ['cloud-hypervisor'],
  *run({ choice, machines }) {
    if (choice?.vmm !== issue.vmm || !issue.affected.includes(choice.version)) return;
    for (const { regions, settings, memory, at } of machines) {
      const device = [...(settings ?? [])].find(([key]) => DEVICE.test(key))?.[1];
      const ram = regions.find(({ kind, range }) => kind === 'ram' && overlaps(range, HYPER_TRANSPORT));
      if (!device || !ram) continue;
      const { origin } = device;
      yield {
        at: memory?.origin.kind === 'text' ? memory.origin : at,
        evidence: 'proven',
        message: `RAM goes up to ${hex(ram.range.end)} and so covers [${hex(HYPER_TRANSPORT.start)}, ${hex(HYPER_TRANSPORT.end)}), which AMD hosts keep for HyperTransport: VFIO refuses to map it for a passed-through device, and the VM does not start there. ${formatSize(LARGEST_BELOW)} stay below it; Intel hosts are not concerned.`,
        ...(origin.kind === 'text'
          ? {
              related: [
                { at: { uri: origin.uri, range: origin.range }, message: 'The passed-through device.' },
              ],
            }
          : {}),
      };
    }
  },
};
