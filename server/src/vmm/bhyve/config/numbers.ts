/** Numbers of a config as libc and libutil read them. */

const UINT64_MAX = (1n << 64n) - 1n;
const MIB = 1n << 20n;
const SHIFT: Readonly<Record<string, bigint>> = { k: 10n, m: 20n, g: 30n, t: 40n, p: 50n, e: 60n };

/** strtoul with base 0: leading blanks, a sign, then decimal, octal with 0 or hexadecimal with 0x. */
export function leadingInteger(text: string): { value: bigint; rest: string } | null {
  const found = /^[\t-\r ]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text);
  if (!found) return null;
  const digits = found[2]!;
  // The digits of a number beyond 64 bits are not worth a conversion.
  if (digits.length > 64) return { value: UINT64_MAX + 1n, rest: text.slice(found[0].length) };
  const octal = /^0[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return { value: found[1] === '-' ? -value : value, rest: text.slice(found[0].length) };
}

/**
 * memory.size in bytes, or null where bhyve refuses it (vm_parse_memsize: a plain number below 1 MiB counts MiB; otherwise
 * expand_number with K, M, G, T, P or E, behind which it reads no further).
 */
export function memorySize(text: string): bigint | null {
  const number = leadingInteger(text);
  if (!number || number.value > UINT64_MAX) return null;
  const value = BigInt.asUintN(64, number.value);
  if (number.rest === '') return value < MIB ? value * MIB : value;
  const suffix = number.rest[0]!.toLowerCase();
  if (suffix === 'b') return value;
  const shift = SHIFT[suffix];
  if (shift === undefined) return null;
  const size = value << shift;
  return size > UINT64_MAX ? null : size;
}

/** parse_int_value: a number from 1 to 65535 and nothing behind it; null for anything else. */
export function smallCount(text: string): number | null {
  const number = leadingInteger(text);
  if (!number || number.rest !== '' || number.value < 1n || number.value > 65535n) return null;
  return Number(number.value);
}

/** atoi, and strtol with base 10: leading blanks, a sign and digits; 0 where there are none, and no look at what follows. */
export function atoi(text: string): bigint {
  const found = /^[\t-\r ]*([+-]?)([0-9]{1,30})/.exec(text);
  if (!found) return 0n;
  const value = BigInt(found[2]!);
  return found[1] === '-' ? -value : value;
}
