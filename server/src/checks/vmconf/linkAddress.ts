/** MAC addresses that ether_aton(3) does not take. */
import { at, vmconfCheck } from './vmconfCheck';

/** Six hexadecimal octets with colons; strtol(3) also takes leading zeros and 0x. */
const ADDRESS = /^\s*(?:(?:0x)?0*[0-9a-f]{1,2}(?::|$)){6}/i;

export const linkAddress = vmconfCheck(
  { code: 'vmconf-lladdr', severity: 'error', title: 'A MAC address that vmd cannot read' },
  function* (config) {
    for (const { interfaces } of config.vms) {
      for (const { options } of interfaces) {
        for (const option of options) {
          if (option.kind !== 'lladdr' || !option.address || option.address.kind === 'unknown') continue;
          if (ADDRESS.test(option.address.text)) continue;
          yield {
            at: at(option.address),
            message: `\`${option.address.text.slice(0, 80)}\` is no MAC address: vmd wants six hexadecimal octets with colons, such as fe:e1:bb:d1:c8:01.`,
          };
        }
      }
    }
  },
);
