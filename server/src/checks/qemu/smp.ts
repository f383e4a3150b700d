/** A topology of vCPUs that QEMU refuses (hw/core/machine-smp.c, machine_parse_smp_config; before 6.2 softmmu/vl.c, smp_parse). */
import { isTemplate } from '../../text/shape/checkShape';
import { OPTION_GROUPS } from '../../vmm/pc/readconfig/groups';
import type { ConfigPair } from '../../vmm/pc/readconfig/read';
import type { Found } from '../check';
import { qemuCheck } from './qemuCheck';

const LEVELS = ['drawers', 'books', 'sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'];
/** Without these QEMU works the missing ones out of the number of vCPUs. */
const NEEDED = ['sockets', 'cores', 'threads'];
const WRAPS = 1n << 32n;

export const smp = qemuCheck(
  { code: 'qemu-smp', severity: 'error', title: 'A topology of vCPUs that QEMU refuses' },
  function* ({ groups }, places): Generator<Found> {
    const last = new Map<string, ConfigPair>();
    const numbers = new Map<string, bigint>();
    let told = true;
    for (const { name, pairs } of groups) {
      if (name.text !== 'smp-opts') continue;
      for (const pair of pairs) last.set(pair.key.text, pair);
    }
    for (const [key, { value }] of last) {
      if (!OPTION_GROUPS['smp-opts']!.keys!.includes(key)) continue;
      const written = value.text;
      if (/^[1-9]\d{0,9}$/.test(written)) {
        numbers.set(key, BigInt(written));
        continue;
      }
      told = false;
      // Octal and hexadecimal numbers are taken too (qemu_strtou64 with base 0).
      if (isTemplate(written) || /^\s*\+?(?:0[xX][0-9A-Fa-f]+|0[0-7]+|[1-9]\d*)$/.test(written)) continue;
      yield {
        at: places.at(value.start === value.end ? last.get(key)!.key : value),
        message: `\`${key}\` must be a number above zero: QEMU refuses \`${written.slice(0, 63)}\`.`,
      };
    }
    if (!told) return;
    const cpus = numbers.get('cpus');
    const most = numbers.get('maxcpus') ?? cpus;
    if (most === undefined) return;
    if (cpus !== undefined && cpus > most) {
      yield {
        at: places.at(last.get('cpus')!.value),
        message: `QEMU refuses ${cpus} vCPUs of at most ${most}.`,
        related: [places.related(last.get('maxcpus')!.value, 'The most that there may be')],
      };
      return;
    }
    const levels = LEVELS.filter((level) => numbers.has(level));
    const product = levels.reduce((result, level) => result * numbers.get(level)!, 1n);
    // QEMU counts in 32 bits.
    if (most >= WRAPS || product >= WRAPS) return;
    const complete = NEEDED.every((level) => numbers.has(level));
    // What is missing is worked out by a division without a remainder, or is 1: the product stays a multiple of what is given.
    if (complete ? product === most : most % product === 0n) return;
    const place = last.get(numbers.has('maxcpus') ? 'maxcpus' : 'cpus')!;
    const given = levels.map((level) => `${numbers.get(level)!} ${level}`).join(' × ');
    const against = `\`${place.key.text}\` is ${most}`;
    const words = complete
      ? `${given} are ${product} vCPUs, and ${against}`
      : `${against}, which is no multiple of ${levels.length > 1 ? `${given}, ${product}` : given}: whatever QEMU works out for the rest does not multiply to ${most}`;
    yield {
      at: places.at(place.value),
      message: complete
        ? `${words}: QEMU ends with "Invalid CPU topology".`
        : `${words}, and it ends with "Invalid CPU topology".`,
      related: levels.map((level) => places.related(last.get(level)!.value, `${level} here`)),
    };
  },
);
