/** Sizes as qemu_strtosz reads them: a number, perhaps hexadecimal, perhaps with a fraction, and a suffix. */

const SUFFIXES = 'BKMGTPE';
const MOST = (1n << 64n) - 1n;

/**
 * Bytes of `memory.size`: without a suffix it is in MiB (parse_memory_options of vl.c appends an M to a text that ends in a digit). Null
 * where QEMU refuses it, or where it is more than 64 bits.
 */
export function memorySize(text: string): bigint | null {
  const match = /^\s*(?:0[xX]([0-9A-Fa-f]{1,16})|(\d{1,20})(?:\.(\d{0,18}))?)([BKMGTPE]?)$/i.exec(text);
  if (!match) return null;
  const [, hexadecimal, whole, fraction = '', suffix] = match;
  // B and E are digits of a hexadecimal number, and a fraction of bytes is none.
  if (hexadecimal !== undefined && fraction !== '') return null;
  const scale = suffix === '' ? 2 : SUFFIXES.indexOf(suffix!.toUpperCase());
  if (scale === 0 && fraction !== '') return null;
  const unit = 1n << BigInt(10 * scale);
  const bytes = BigInt(hexadecimal === undefined ? whole! : `0x${hexadecimal}`) * unit;
  const part = fraction === '' ? 0n : (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  return bytes + part > MOST ? null : bytes + part;
}
