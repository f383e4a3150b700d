/** Guests so small that create_memory_map gives them no RAM above 1 MiB. */
import { formatSize, hex } from '../../address/format';
import { MIB } from '../../address/range';
import { createMemoryMap } from '../../vmm/vmd/layout';
import { at, replace, vmconfCheck } from './vmconfCheck';

export const memoryTiny = vmconfCheck(
  {
    code: 'vmconf-memory-tiny',
    severity: 'error',
    title: 'So little memory that the memory map degenerates',
  },
  function* (config) {
    const { facts, id, layoutSource } = config.version;
    const enough = facts.tinyGuest + 2n * MIB;
    for (const vm of config.vms) {
      if (!vm.memory?.size.ok || !vm.block.options.includes(vm.memory.option)) continue;
      const { bytes } = vm.memory.size;
      if (bytes - MIB > facts.tinyGuest || facts.tinyGuest === 0n) continue;
      const { value } = vm.memory.option;
      const firmware = createMemoryMap(config.version, bytes).at(-1)!.range;
      const none = `With ${formatSize(bytes)} the guest gets no RAM above 1 MiB in vmd@${id}`;
      yield {
        at: at(value),
        severity: facts.tinyGuestOffByOne ? 'error' : 'warning',
        message: facts.tinyGuestOffByOne
          ? `${none}, and its firmware range begins at ${hex(firmware.start)}, one byte low (${layoutSource}): vmm(4) takes page-aligned ranges only, so the VM does not start.`
          : `${none}: create_memory_map wants more than ${formatSize(facts.tinyGuest)} above the first MiB.`,
        evidence: 'inferred',
        fixes: value.macro ? [] : [replace(`Change to ${enough / MIB}M`, value, `${enough / MIB}M`)],
      };
    }
  },
);
