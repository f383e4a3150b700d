/** Network devices (NetConfig::validate), and MAC addresses that no interface may have (Linux, eth_validate_addr). */
import { flagOf, integerOf, isMulticast, textOf, unicast } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

const LEAST_MTU = 1280n;

export const net = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-net',
    severity: 'error',
    title: 'Options of a network device that do not go together',
  },
  function* (rules) {
    for (const device of rules.devices('net')) {
      const [ip, mask] = [rules.present(device, 'ip'), rules.present(device, 'mask')];
      const alone = (ip === null) !== (mask === null) && rules.has({ since: 'v52.0' });
      if (alone) {
        yield {
          at: rules.at((ip ?? mask)!.key),
          message: ip
            ? `An \`ip\` needs its \`mask\`: ${REFUSED} since v49.0 (IpProvidedWithoutMask).`
            : `A \`mask\` needs its \`ip\`: ${REFUSED} since v49.0 (MaskProvidedWithoutIp).`,
        };
      }
      const mtu = integerOf(device, 'mtu');
      if (mtu && mtu.value < LEAST_MTU && mtu.value >= 0n && rules.has({ since: 'v28.0' })) {
        yield {
          at: rules.at(mtu),
          message: `The MTU is ${mtu.value}, and ${LEAST_MTU} is the least: ${REFUSED} (InvalidMtu).`,
        };
      }
      if (!rules.has({ since: 'v31.0' })) continue;
      const checksum = flagOf(device, 'offload_csum');
      if (checksum?.value !== false) continue;
      // Each is on where it is not given.
      const on = ['offload_tso', 'offload_ufo'].filter(
        (key) => !rules.present(device, key) || flagOf(device, key)?.value === true,
      );
      if (on.length === 0) continue;
      yield {
        at: rules.at(checksum),
        message: `${on.map((key) => `\`${key}\``).join(' and ')} ${on.length === 1 ? 'is' : 'are'} on and need${on.length === 1 ? 's' : ''} the checksum offload, which is off: ${REFUSED} (NoHardwareChecksumOffload).`,
      };
    }
  },
);

export const macMulticast = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-mac-multicast',
    severity: 'warning',
    title: 'A MAC address that is a multicast one',
  },
  function* (rules) {
    for (const device of rules.devices('net')) {
      for (const key of ['mac', 'host_mac']) {
        const mac = textOf(device, key);
        if (!mac || isMulticast(mac.value) !== true) continue;
        yield {
          at: rules.at(mac),
          message: `Bit 0 of the first byte, 0x${mac.value.slice(0, 2)}, marks a group of receivers. Cloud Hypervisor takes the address, and Linux does not bring such an interface up (EADDRNOTAVAIL).`,
          fixes: [rules.replace(`Change to ${unicast(mac.value)}`, mac, `"${unicast(mac.value)}"`)],
        };
      }
    }
  },
);
