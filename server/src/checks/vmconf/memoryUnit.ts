/** `memory 512` is 512 bytes: a number without a suffix below 1 MiB. */
import { GIB, MIB } from '../../address/range';
import { optionsOf } from '../../vmm/vmd/config';
import { largestMemory } from '../../vmm/vmd/layout';
import { at, replace, vmconfCheck } from './vmconfCheck';

const UNITS = [
  { unit: 'M', bytes: MIB },
  { unit: 'G', bytes: GIB },
] as const;

export const memoryUnit = vmconfCheck(
  { code: 'vmconf-memory-unit', severity: 'error', title: 'A memory size without a unit, so in bytes' },
  function* (config) {
    const largest = largestMemory(config.version);
    for (const { block } of config.vms) {
      for (const { value } of optionsOf(block, 'memory')) {
        if (value.kind !== 'number' || value.text.startsWith('-') || value.text.length > 7) continue;
        const count = BigInt(value.text);
        if (count >= MIB) continue;
        // The edit replaces what is written: not the macro that it may come from.
        const fixes = value.macro
          ? []
          : UNITS.filter(({ bytes }) => count > 0n && count * bytes <= largest).map(({ unit }) =>
              replace(`Change to ${value.text}${unit}`, value, value.text + unit, unit === 'M'),
            );
        yield {
          at: at(value),
          message: `A number without a suffix is in bytes: \`memory ${value.text}\` asks for ${value.text} bytes, and vmd refuses less than 1 MiB.`,
          fixes,
        };
      }
    }
  },
);
