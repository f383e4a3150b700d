/** The metadata service: its interfaces and its address (resources.rs, set_mmds_network_stack_config). */
import { isTemplate } from '../../text/shape/checkShape';
import { memberOf } from '../../text/shape/node';
import { itemsOf, nearestName, textOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const mmdsInterface = firecrackerCheck(
  {
    code: 'firecracker-mmds-interface',
    severity: 'error',
    title: 'An interface that the microVM does not have',
  },
  function* (rules) {
    const config = rules.section('mmds-config');
    const list = memberOf(config, 'network_interfaces')?.value;
    if (list?.kind !== 'array') return;
    if (list.items.length === 0) {
      yield {
        at: rules.at(list),
        message:
          'The list is empty, and one interface at least must reach the metadata service: Firecracker refuses the config (EmptyNetworkIfaceList).',
      };
      return;
    }
    const interfaces = rules.devices('network-interfaces');
    const ids = interfaces.flatMap((device) => textOf(device, 'iface_id')?.value ?? []);
    // A name that a template fills in may be any of them.
    if (ids.length < interfaces.length || ids.length < itemsOf(rules.config, 'network-interfaces').length)
      return;
    const known = new Set(ids);
    for (const item of list.items) {
      if (item.kind !== 'string' || isTemplate(item.value) || known.has(item.value)) continue;
      const nearest = nearestName(item.value, known) ?? (ids.length === 1 ? ids[0] : undefined);
      yield {
        at: rules.at(item),
        message: `No entry of \`network-interfaces\` has the iface_id \`${item.value}\`: Firecracker refuses the config (InvalidNetworkInterfaceId).`,
        fixes:
          nearest === undefined ? [] : [rules.replace(`Change to ${nearest}`, item, JSON.stringify(nearest))],
      };
    }
  },
);

export const mmdsAddress = firecrackerCheck(
  { code: 'firecracker-mmds-address', severity: 'error', title: 'A metadata address that is not link-local' },
  function* (rules) {
    const address = textOf(rules.section('mmds-config'), 'ipv4_address');
    const parts = address
      ? /^(\d+)\.(\d+)\.(\d+)\.\d+$/.exec(address.value)?.slice(1).map(Number)
      : undefined;
    if (!address || !parts) return;
    const [first, second, third] = parts as [number, number, number];
    if (first === 169 && second === 254 && third > 0 && third < 255) return;
    yield {
      at: rules.at(address),
      message: `${address.value} is outside of 169.254.1.0 to 169.254.254.255, the link-local addresses of RFC 3927: Firecracker refuses the config (InvalidIpv4Addr).`,
    };
  },
);
