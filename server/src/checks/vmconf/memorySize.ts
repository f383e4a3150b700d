/** Sizes that scan_scaled(3) does not take, and sizes below 1 MiB with a unit. */
import { optionsOf } from '../../vmm/vmd/config';
import { memorySize as sizeOf } from '../../vmm/vmd/memorySize';
import { at, replace, vmconfCheck } from './vmconfCheck';

export const memorySize = vmconfCheck(
  {
    code: 'vmconf-memory-size',
    severity: 'error',
    title: 'A memory size that vmd cannot read or finds too small',
  },
  function* (config) {
    for (const { block } of config.vms) {
      for (const { value } of optionsOf(block, 'memory')) {
        const size = sizeOf(value, config.version.facts.maxMemory);
        if (size.ok || size.reason === 'unknown' || size.reason === 'too large') continue;
        if (value.kind === 'number' && !value.text.startsWith('-')) continue;
        if (size.reason === 'too small') {
          yield {
            at: at(value),
            message: `\`${value.text}\` is ${size.given} bytes: vmd wants 1 MiB at least and refuses the file.`,
          };
          continue;
        }
        // `512MB`, `2GiB`: the suffix is a single letter.
        const unit = /^(\d+(?:\.\d+)?)([KMGTP])i?B$/i.exec(value.text);
        const right = unit && unit[1]! + unit[2]!.toUpperCase();
        yield {
          at: at(value),
          message: right
            ? `\`${value.text}\` is no size to scan_scaled(3), whose suffixes are a single letter: vmd refuses the file.`
            : `\`${value.text.slice(0, 80)}\` is no size: vmd wants a number with at most one of B K M G T P E after it.`,
          fixes: right && !value.macro ? [replace(`Change to ${right}`, value, right, true)] : [],
        };
      }
    }
  },
);
