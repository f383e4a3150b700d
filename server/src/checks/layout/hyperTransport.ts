/** RAM where AMD systems keep HyperTransport's addresses, in a text that says that its CPU is AMD's. */
import { formatRange, hex } from '../../address/format';
import { overlaps } from '../../address/range';
import { HYPER_TRANSPORT } from '../../vmm/cloud-hypervisor/knownIssues/hyperTransportHole';
import { cpuOf } from '../bootState/cpu';
import type { Check } from '../check';

export const hyperTransport: Check = {
  code: 'ram-in-hypertransport-hole',
  severity: 'information',
  title: 'RAM in AMD’s HyperTransport range',
  on: ['boot-plan'],
  *run({ machines }) {
    for (const machine of machines) {
      if (cpuOf(machine).vendor !== 'amd') continue;
      for (const { kind, range, name, at } of machine.regions) {
        if (kind !== 'ram' || !overlaps(range, HYPER_TRANSPORT)) continue;
        yield {
          at,
          evidence: 'proven',
          message: `${name} ${formatRange(range)} covers addresses of [${hex(HYPER_TRANSPORT.start)}, ${hex(HYPER_TRANSPORT.end)}), which AMD systems keep for HyperTransport. An AMD IOMMU maps no DMA there, so a passed-through device cannot reach this memory, and VFIO refuses the map; QEMU puts such memory above 1 TiB.`,
        };
      }
    }
  },
};
