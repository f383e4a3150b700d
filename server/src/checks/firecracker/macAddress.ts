/** MAC addresses that two interfaces share (NetBuilder::build), or that no interface may have (Linux, eth_validate_addr). */
import { isMulticast, textOf, unicast, type TextNode } from '../jsonRules';
import { firecrackerCheck, type FirecrackerRules } from './firecrackerCheck';

function addressesOf(rules: FirecrackerRules) {
  return rules.devices('network-interfaces').flatMap((device) => {
    const mac = textOf(device, 'guest_mac');
    return mac && isMulticast(mac.value) !== null ? [{ mac, id: textOf(device, 'iface_id') }] : [];
  });
}

export const macInUse = firecrackerCheck(
  { code: 'firecracker-mac-in-use', severity: 'error', title: 'A MAC address of two interfaces' },
  function* (rules) {
    const known = new Map<string, { readonly mac: TextNode; readonly id: string }>();
    const addresses = new Map<string, string>();
    for (const { mac, id } of addressesOf(rules)) {
      if (!id) continue;
      const address = mac.value.toLowerCase();
      const first = known.get(address);
      if (first && first.id !== id.value) {
        yield {
          at: rules.at(mac),
          message: `The address is that of \`${first.id}\` too: Firecracker refuses the config (GuestMacAddressInUse).`,
          related: [rules.related(first.mac, 'The same address')],
        };
        continue;
      }
      // An interface of the same name takes the place of the first, whose address is free then.
      known.delete(addresses.get(id.value) ?? '');
      known.set(address, { mac, id: id.value });
      addresses.set(id.value, address);
    }
  },
);

export const macMulticast = firecrackerCheck(
  { code: 'firecracker-mac-multicast', severity: 'warning', title: 'A MAC address that is a multicast one' },
  function* (rules) {
    for (const { mac } of addressesOf(rules)) {
      if (isMulticast(mac.value) !== true) continue;
      yield {
        at: rules.at(mac),
        message: `Bit 0 of the first byte, 0x${mac.value.slice(0, 2)}, marks a group of receivers. Firecracker takes the address, and Linux then does not bring the interface up (EADDRNOTAVAIL).`,
        fixes: [rules.replace(`Change to ${unicast(mac.value)}`, mac, `"${unicast(mac.value)}"`)],
      };
    }
  },
);
