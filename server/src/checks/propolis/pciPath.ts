/** The place of a device on the PCI bus: missing, malformed, on a bus that is not there, or taken. */
import { isTemplate } from '../../text/shape/checkShape';
import { memberOf } from '../../text/shape/node';
import { CHIPSET_FUNCTIONS, parseBdf } from '../../vmm/propolis/bootOrder';
import type { Found } from '../check';
import { isPciDriver, propolisCheck, type NamedTable, type PropolisRules } from './propolisCheck';

const PANICS = 'propolis-standalone panics before the VM starts';

export const pciPath = propolisCheck(
  { code: 'propolis-pci-path', severity: 'error', title: 'A place on the PCI bus that Propolis cannot use' },
  function* (rules) {
    const taken = new Map<string, NamedTable>();
    for (const device of rules.devices) {
      if (isPciDriver(device.table)) yield* findings(rules, device, taken);
    }
  },
);

function* findings(
  rules: PropolisRules,
  device: NamedTable,
  taken: Map<string, NamedTable>,
): Generator<Found> {
  const member = memberOf(device.table, 'pci-path');
  const value = member?.value;
  if (!member) {
    yield {
      at: rules.at(device.key),
      message: `Device \`${device.name.slice(0, 60)}\` has no \`pci-path\`: ${PANICS}, since every driver whose name begins with \`pci-\` needs one such as "0.4.0".`,
    };
    return;
  }
  if (!value || value.kind === 'invalid') return;
  if (value.kind !== 'string') {
    yield {
      at: rules.at(value),
      message: `\`pci-path\` must be a string such as "0.4.0": ${PANICS}.`,
    };
    return;
  }
  if (isTemplate(value.value)) return;
  const bdf = parseBdf(value.value);
  const at = rules.at(value);
  if (!bdf) {
    yield {
      at,
      message: `\`${value.value.slice(0, 60)}\` is no place on a PCI bus: ${PANICS}. It takes bus.device.function as three decimal numbers, device 0 to 31 and function 0 to 7.`,
    };
    return;
  }
  const place = bdf.join('.');
  const first = taken.get(place);
  if (bdf[0] !== 0) {
    yield {
      at,
      message: `Bus ${bdf[0]} is not there: propolis-standalone has bus 0 alone, and panics when the device is attached.`,
    };
  } else if (CHIPSET_FUNCTIONS.has(place)) {
    yield {
      at,
      message: `${place} is the chipset's ${CHIPSET_FUNCTIONS.get(place)!}: ${PANICS}, as two devices cannot have one place.`,
    };
  } else if (first) {
    yield {
      at,
      message: `${place} is the place of device \`${first.name.slice(0, 60)}\` too: ${PANICS}, as two devices cannot have one place.`,
      related: [rules.related(first.key, 'The other device')],
    };
  } else {
    taken.set(place, device);
  }
}
