/** Nodes of PCI devices that bhyve never looks at: init_pci makes their names with `%d` for buses, slots and functions. */
import { pciAddress, type BhyveConfig, type PciNode } from '../../vmm/bhyve/config/config';
import type { Found } from '../check';
import { at, edit, shown } from '../places';
import { bhyveCheck } from './bhyveCheck';

const PARTS = [
  { name: 'bus', most: 255 },
  { name: 'slot', most: 31 },
  { name: 'function', most: 7 },
] as const;

export const pciAddressRule = bhyveCheck(
  { code: 'bhyve-pci-address', severity: 'warning', title: 'A PCI address that bhyve does not look at' },
  function* (config) {
    const paths = new Set(config.devices.map(({ path }) => path));
    for (const node of config.devices) {
      if (node.address === null && !node.parts.some((part) => /[$%{]/.test(part))) {
        yield found(config, node, paths);
      }
    }
    for (const [key, { entry }] of config.values) {
      if (!key.startsWith('pci.') || key.split('.').length > 4 || /[$%{]/.test(key)) continue;
      yield {
        at: at(config, entry.keySpan),
        message: `\`${shown(key)}\` is below no PCI device: those are \`pci.BUS.SLOT.FUNCTION\`, and bhyve does not look at this one.`,
        tags: ['unnecessary'],
      };
    }
  },
);

function found(config: BhyveConfig, node: PciNode, paths: ReadonlySet<string>): Found {
  const entry = node.entries[0]!.entry;
  const plain = node.parts.map((part) => (/^\d{1,6}$/.test(part) ? String(Number(part)) : part));
  const better = `pci.${plain.join('.')}`;
  const fits = pciAddress(plain as [string, string, string]) !== null && !paths.has(better);
  const reason = PARTS.flatMap(({ name, most }, index) => {
    const part = node.parts[index]!;
    if (!/^\d{1,6}$/.test(part)) return `the ${name} \`${shown(part)}\` is no decimal number`;
    if (Number(part) > most) return `the largest ${name} is ${most}`;
    return String(Number(part)) === part ? [] : `the ${name} is written with a leading zero`;
  });
  const edits = node.entries
    .filter(({ entry: each }) => !each.implied)
    .map(({ entry: each }) =>
      edit(config, { start: each.keySpan.start, end: each.keySpan.start + node.path.length }, better),
    );
  return {
    at: at(config, { start: entry.keySpan.start, end: entry.keySpan.start + node.path.length }),
    message: `bhyve does not look at \`${shown(node.path)}\`, since ${reason.join(' and ')}: the guest does not get this device.`,
    fixes: fits ? [{ title: `Change to ${better}`, edits, preferred: true }] : [],
  };
}
