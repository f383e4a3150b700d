/** More memory than vmd takes, or than vmm(4) maps: the limit is on addresses, and the window below 4 GiB costs some. */
import { formatSize, hex } from '../../address/format';
import { MIB } from '../../address/range';
import { optionsOf } from '../../vmm/vmd/config';
import { createMemoryMap, largestMemory } from '../../vmm/vmd/layout';
import { memorySize } from '../../vmm/vmd/memorySize';
import { at, replace, vmconfCheck } from './vmconfCheck';

export const memoryLimit = vmconfCheck(
  { code: 'vmconf-memory-limit', severity: 'error', title: 'More memory than this version can give' },
  function* (config) {
    const { version } = config;
    const largest = largestMemory(version);
    for (const { block } of config.vms) {
      for (const { value } of optionsOf(block, 'memory')) {
        const size = memorySize(value, version.facts.maxMemory);
        if (size.ok ? size.bytes <= largest : size.reason !== 'too large') continue;
        const fixes = value.macro
          ? []
          : [replace(`Change to the most that starts, ${largest / MIB}M`, value, `${largest / MIB}M`)];
        if (!size.ok) {
          const given = size.given === null ? `\`${value.text.slice(0, 80)}\`` : formatSize(size.given);
          yield {
            at: at(value),
            message: `${given} is more than VMM_MAX_VM_MEM_SIZE, ${formatSize(version.facts.maxMemory)} in vmd@${version.id}: the VM does not start.`,
            fixes,
          };
        } else {
          const end = createMemoryMap(version, size.bytes).at(-1)!.range.end;
          yield {
            at: at(value),
            message: `vmd takes ${formatSize(size.bytes)}, but its memory map would end at ${hex(end)}, and vmm(4) refuses addresses beyond ${formatSize(version.facts.maxMemory)}: the VM does not start with more than ${formatSize(largest)}.`,
            evidence: 'inferred',
            fixes,
          };
        }
      }
    }
  },
);
