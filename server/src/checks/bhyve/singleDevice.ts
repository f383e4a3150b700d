/** Devices that there may be one of, and where the ISA bridge may be (pci_lpc_init, pci_fbuf_init). */
import type { PciNode } from '../../vmm/bhyve/config/config';
import { at, related } from '../places';
import { bhyveCheck } from './bhyveCheck';

const SINGLE: ReadonlyMap<string, string> = new Map([
  ['lpc', 'Only one LPC bridge is allowed.'],
  ['fbuf', 'Only one frame buffer device is allowed.'],
]);

export const singleDevice = bhyveCheck(
  {
    code: 'bhyve-single-device',
    severity: 'error',
    title: 'A second LPC bridge or frame buffer, or an LPC bridge off bus 0',
  },
  function* (config) {
    const first = new Map<string, PciNode>();
    for (const node of config.devices) {
      const said = node.row && node.address ? SINGLE.get(node.row.name) : undefined;
      if (said === undefined) continue;
      const span = node.device!.entry.valueSpan;
      if (node.row!.name === 'lpc' && node.address!.bus !== 0) {
        yield {
          at: at(config, span),
          message: `The LPC bridge is on bus ${node.address!.bus}: bhyve ends with "LPC bridge can be present only on bus 0." and status 4.`,
        };
      }
      const before = first.get(node.row!.name);
      if (before) {
        yield {
          at: at(config, span),
          message: `This is a second \`${node.row!.name}\` device: bhyve ends with "${said}" and status 4.`,
          related: [related(config, before.device!.entry.valueSpan, 'The first one')],
        };
      } else first.set(node.row!.name, node);
    }
  },
);
