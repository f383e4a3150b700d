/** Interfaces of VMs other than tap(4) ones. */
import { at, replace, vmconfCheck } from './vmconfCheck';

export const interfaceName = vmconfCheck(
  { code: 'vmconf-interface-name', severity: 'error', title: 'A VM interface that is no tap' },
  function* (config) {
    for (const { interfaces } of config.vms) {
      for (const { name } of interfaces) {
        if (!name || name.kind === 'unknown' || name.text === 'tap' || isTap(name.text)) continue;
        yield {
          at: at(name),
          message: `An interface of a VM is a tap(4): \`tap\` for the next free one or \`tapN\`, not \`${name.text.slice(0, 80)}\`. vmd refuses the file.`,
          fixes: name.macro ? [] : [replace('Change to tap', name, 'tap')],
        };
      }
    }
  },
);

/** `tap` with a unit number that fits 32 bits and IF_NAMESIZE. */
function isTap(text: string): boolean {
  return /^tap\d{1,12}$/.test(text) && Number(text.slice(3)) <= 0xffffffff;
}
