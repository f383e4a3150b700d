/** A slot whose function 0 is missing: pci_cfgrw answers it with all ones, and guests then pass over the whole slot. */
import type { PciNode } from '../../vmm/bhyve/config/config';
import { at } from '../places';
import { bhyveCheck } from './bhyveCheck';

export const functionHole = bhyveCheck(
  { code: 'bhyve-function-hole', severity: 'warning', title: 'A PCI slot without function 0' },
  function* (config) {
    if (!config.complete) return;
    const slots = new Map<string, PciNode[]>();
    for (const node of config.devices) {
      if (!node.address) continue;
      const slot = `${node.address.bus}.${node.address.slot}`;
      slots.set(slot, [...(slots.get(slot) ?? []), node]);
    }
    for (const [slot, nodes] of slots) {
      if (nodes.some(({ address }) => address!.function === 0)) continue;
      const first = nodes[0]!;
      const { entry } = first.device ?? first.entries[0]!;
      yield {
        at: at(config, entry.implied ? entry.valueSpan : entry.keySpan),
        message: `Slot ${slot.replace('.', ':')} has no function 0, which bhyve answers with all ones: a guest looks at the other functions only where function 0 is there (PCI Local Bus Specification 3.0, 3.2.2.3.4), so it does not find ${nodes.length === 1 ? 'this device' : `these ${nodes.length} devices`}.`,
      };
    }
  },
);
