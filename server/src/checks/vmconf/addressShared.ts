/** One MAC address for two interfaces on one switch. */
import type { InterfaceOption } from '../../vmm/vmd/syntax';
import type { Token } from '../../vmm/vmd/lexer';
import { at, lineOf, related, vmconfCheck } from './vmconfCheck';

export const addressShared = vmconfCheck(
  {
    code: 'vmconf-lladdr-shared',
    severity: 'warning',
    title: 'A MAC address that another interface of the switch has',
  },
  function* (config) {
    const taken = new Map<string, Token>();
    for (const vm of config.vms) {
      if (vm.duplicateOf || !vm.enabled) continue;
      for (const { options } of vm.interfaces) {
        const address = addressOf(options);
        const joined = options.findLast(({ kind }) => kind === 'switch');
        if (!address || joined?.kind !== 'switch' || !joined.name.known) continue;
        const octets = address.text
          .toLowerCase()
          .split(':')
          .map((octet) => octet.replace(/^0(?=.)/, ''));
        // A zero address has vmd draw one.
        if (octets.length !== 6 || octets.every((octet) => octet === '0')) continue;
        const place = `${octets.join(':')} ${joined.name.text}`;
        const first = taken.get(place);
        if (!first) {
          taken.set(place, address);
          continue;
        }
        yield {
          at: at(address),
          message: `The interface in line ${lineOf(first)} has this address too, on the same switch: the bridge learns one port for it, and frames for one of the two go to the other.`,
          related: [related(first, 'The same address')],
        };
      }
    }
  },
);

function addressOf(options: readonly InterfaceOption[]): Token | null {
  const option = options.findLast(({ kind }) => kind === 'lladdr');
  return option?.kind === 'lladdr' && option.address?.kind === 'string' ? option.address : null;
}
