/** Sizes of memory that bhyve takes and cannot use, or takes for another one. */
import { formatSize } from '../../address/format';
import { MIB, PAGE } from '../../address/range';
import { memorySize } from '../../vmm/bhyve/config/numbers';
import { at, shown } from '../places';
import { bhyveCheck, replaceValue } from './bhyveCheck';

export const memoryPages = bhyveCheck(
  { code: 'bhyve-memory-pages', severity: 'error', title: 'Memory that is no whole number of pages' },
  function* (config) {
    const given = config.values.get('memory.size');
    const size = config.memory;
    if (!given || given.open || size === null || (size > 0n && size % PAGE === 0n)) return;
    const down = size - (size % MIB);
    yield {
      at: at(config, given.entry.valueSpan),
      message: `\`memory.size=${shown(given.value)}\` is ${size} bytes, ${size === 0n ? 'no memory at all' : 'no whole number of 4096-byte pages'}: vm_alloc_memseg refuses it with EINVAL, and bhyve ends with status 4.`,
      fixes: down > 0n ? replaceValue(config, given.entry, `${down / MIB}M`) : [],
    };
  },
);

/** A plain number counts MiB below 1048576 and bytes from there on: what is meant in KiB or MiB comes out as very little. */
export const memoryUnit = bhyveCheck(
  {
    code: 'bhyve-memory-unit',
    severity: 'warning',
    title: 'A memory size whose unit is not what it looks like',
  },
  function* (config) {
    const given = config.values.get('memory.size');
    if (!given || given.open) return;
    const text = given.value.trim();
    const size = memorySize(given.value);
    if (size === null) return;
    if (/^\d+$/.test(text) && size >= MIB && size < 64n * MIB && BigInt(text) >= MIB) {
      yield {
        at: at(config, given.entry.valueSpan),
        message: `A number from 1048576 on counts bytes: \`memory.size=${text}\` is ${formatSize(size)}. Below, it counts MiB.`,
        fixes: [`${text}K`].flatMap((each) => replaceValue(config, given.entry, each)),
      };
    }
  },
);
