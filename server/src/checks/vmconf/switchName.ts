/** Switch names in interfaces that are longer than vmd's array. */
import { at, byteLength, vmconfCheck } from './vmconfCheck';

export const switchName = vmconfCheck(
  { code: 'vmconf-switch-name', severity: 'error', title: 'A switch name longer than an interface can hold' },
  function* (config) {
    const { maxName } = config.version.facts;
    for (const { interfaces } of config.vms) {
      for (const { options } of interfaces) {
        for (const option of options) {
          if (option.kind !== 'switch' || byteLength(option.name.text) < maxName) continue;
          yield {
            at: at(option.name),
            message: `This switch name has ${byteLength(option.name.text)} bytes: an interface takes at most ${maxName - 1}, and vmd refuses the file.`,
          };
        }
      }
    }
  },
);
