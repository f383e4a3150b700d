/** Ports that BoxLite does not forward (PortSpec::validate_publishable; BoxOptions::sanitize_common). */
import { memberOf, type NodeSpan } from '../../text/shape/node';
import { isTemplate } from '../../text/shape/checkShape';
import { listItems } from '../jsonRules';
import { boxliteCheck } from './boxliteCheck';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** Enough to tell an address from a name: hexadecimal groups and at least two colons. */
const IPV6 = /^(?=.*:.*:)[0-9A-Fa-f:.]+$/;

export const ports = boxliteCheck(
  { code: 'boxlite-port', severity: 'error', title: 'A port that BoxLite does not forward' },
  function* (places) {
    const list = places.option('ports');
    const items = listItems(list?.value);
    if (list && items.length > 0 && places.offline) {
      yield {
        at: places.at(list.key),
        message: 'BoxLite refuses ports of a box without a network: nothing can reach them.',
        related: [places.related(places.offline, 'No network')],
      };
    }
    const taken = new Map<string, NodeSpan>();
    for (const item of items) {
      const guest = memberOf(item, 'guest_port')?.value;
      const host = memberOf(item, 'host_port')?.value;
      const address = memberOf(item, 'host_ip')?.value;
      const protocol = memberOf(item, 'protocol')?.value;
      if (guest?.kind === 'integer' && guest.value === 0n) {
        yield { at: places.at(guest), message: 'BoxLite refuses port 0 of the guest: it takes 1 to 65535.' };
      }
      if (protocol?.kind === 'string' && /^udp$/i.test(protocol.value)) {
        yield {
          at: places.at(protocol),
          message: 'BoxLite forwards TCP alone and refuses UDP (older versions forward it as TCP).',
        };
      }
      if (address?.kind === 'string' && !IPV4.test(address.value) && !IPV6.test(address.value)) {
        if (isTemplate(address.value)) continue;
        yield {
          at: places.at(address),
          message: `BoxLite takes an IPv4 or IPv6 address here and refuses \`${address.value.slice(0, 60)}\`.`,
        };
      }
      if (host?.kind !== 'integer' || host.value === 0n) continue;
      const place = `${address?.kind === 'string' ? address.value : ''} ${host.value}`;
      const first = taken.get(place);
      if (first) {
        yield {
          at: places.at(host),
          severity: 'warning',
          message: `Port ${host.value} of the host is taken by another mapping: it can be bound once (older versions forward the last mapping alone, without a word).`,
          related: [places.related(first, 'The other mapping')],
        };
      } else taken.set(place, host);
    }
  },
);
