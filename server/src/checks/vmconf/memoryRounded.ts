/** Memory that is no whole number of MiB: vmd rounds it down and says so in its debug log only. */
import { formatSize } from '../../address/format';
import { MIB } from '../../address/range';
import { at, replace, vmconfCheck } from './vmconfCheck';

export const memoryRounded = vmconfCheck(
  {
    code: 'vmconf-memory-rounded',
    severity: 'information',
    title: 'Memory that vmd rounds down to whole MiB',
  },
  function* (config) {
    for (const vm of config.vms) {
      if (!vm.memory?.size.ok || !vm.block.options.includes(vm.memory.option)) continue;
      const { size, option } = vm.memory;
      if (size.bytes === size.given) continue;
      const whole = `${size.bytes / MIB}M`;
      yield {
        at: at(option.value),
        message: `\`${option.value.text}\` is ${size.given} bytes: vmd rounds down to whole MiB, so the guest gets ${formatSize(size.bytes)}.`,
        fixes: option.value.macro ? [] : [replace(`Change to ${whole}`, option.value, whole)],
      };
    }
  },
);
