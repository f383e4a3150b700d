/** A device at a function other than 0 of a slot that has no function 0: no guest looks further. */
import { CHIPSET_FUNCTIONS, parseBdf } from '../../vmm/propolis/bootOrder';
import { isPciDriver, propolisCheck, textOf } from './propolisCheck';

export const pciFunction = propolisCheck(
  {
    code: 'propolis-pci-function',
    severity: 'warning',
    title: 'A PCI device without a function 0 in its slot',
  },
  function* (rules) {
    const places = rules.devices.flatMap(({ name, table }) => {
      const path = isPciDriver(table) ? textOf(table, 'pci-path') : null;
      const bdf = path && parseBdf(path.value);
      return path && bdf ? [{ name, path, bdf }] : [];
    });
    // A path that cannot be told may be any function 0.
    if (places.length < rules.devices.filter(({ table }) => isPciDriver(table)).length) return;
    const roots = new Set([...places.map(({ bdf }) => bdf.join('.')), ...CHIPSET_FUNCTIONS.keys()]);
    for (const { name, path, bdf } of places) {
      const [bus, slot, fn] = bdf;
      if (bus !== 0 || fn === 0 || roots.has(`0.${slot}.0`)) continue;
      yield {
        at: rules.at(path),
        message: `Nothing is at 0.${slot}.0, and a guest that finds no function 0 looks for no other function of the slot: it does not find device \`${name.slice(0, 60)}\`.`,
        fixes: [rules.replace(`Change to 0.${slot}.0`, path, `"0.${slot}.0"`)],
      };
    }
  },
);
