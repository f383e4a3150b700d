/** A size in bytes where MiB are meant. */
import { formatSize } from '../../address/format';
import { MIB } from '../../address/range';
import { integerOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

/** 16 MiB in bytes, or 16 TiB in MiB, which no microVM has. */
const IMPLAUSIBLE = 16n * MIB;

export const memoryUnit = firecrackerCheck(
  { code: 'firecracker-memory-unit', severity: 'warning', title: 'Memory that looks like bytes' },
  function* (rules) {
    const size = integerOf(rules.machine, 'mem_size_mib');
    if (!size || size.value < IMPLAUSIBLE || size.value >= 1n << 64n) return;
    const mib = size.value / MIB;
    const whole = size.value % MIB === 0n;
    yield {
      at: rules.at(size),
      message: `\`mem_size_mib\` counts MiB, so this asks for ${formatSize(size.value * MIB)}.${whole ? ` In bytes it would be ${formatSize(size.value)}, which is ${mib} here.` : ''}`,
      fixes: whole ? [rules.replace(`Change to ${mib}`, size, `${mib}`)] : [],
    };
  },
);
