/** Numbers, addresses and sizes as people write them. */
import { ADDRESS_SPACE_END, GIB, KIB, MIB, TIB } from './range';

export type Parsed = { readonly value: bigint } | { readonly problem: string };

/**
 * A number as registers and logs print it: hex with `0x`, bare hex that has a letter, or decimal.
 * `_` and the backtick (kernel debuggers group digits with it) may separate digits. Null where it is none of these.
 */
export function parseNumber(text: string): bigint | null {
  const digits = text.trim().replace(/[_`]/g, '');
  if (digits.length > 40) return null;
  if (/^0[xX][0-9a-fA-F]+$/.test(digits)) return BigInt(digits.toLowerCase());
  if (/^[0-9]+$/.test(digits)) return BigInt(digits);
  if (/^[0-9a-fA-F]+$/.test(digits)) return BigInt('0x' + digits);
  return null;
}

const UNITS: Readonly<Record<string, bigint>> = { k: KIB, m: MIB, g: GIB, t: TIB };

/** One term: `0x9a070`, `9a070h`, `9a070`, `4096`, `576K`, `2MiB`, `3 GB`. Units are binary, whatever their spelling. */
function parseTerm(text: string): Parsed {
  const term = text.trim();
  if (term === '') return { problem: 'a number is missing' };
  const scaled = /^([0-9][0-9_]*)\s?([kmgt])(?:i?b)?$/i.exec(term);
  if (scaled) return { value: BigInt(scaled[1]!.replaceAll('_', '')) * UNITS[scaled[2]!.toLowerCase()]! };
  const suffixed = /^([0-9a-f][0-9a-f_]*)h$/i.exec(term);
  const value = parseNumber(suffixed ? '0x' + suffixed[1]! : term);
  if (value !== null) return { value };
  if (/^0x/i.test(term))
    return { problem: `"${clip(term)}" has a character that is not a hexadecimal digit` };
  if (/^[0-9.]+\s?[kmgt](?:i?b)?$/i.test(term))
    return { problem: `"${clip(term)}": a fraction of a unit is not exact` };
  return { problem: `"${clip(term)}" is not a number: write 0x9a070, 9a070h, 630896 or 576K` };
}

function clip(text: string): string {
  return text.length > 40 ? text.slice(0, 40) + '…' : text;
}

/**
 * An address or a size: terms joined by `+` and `-`, so `4G-2M` is 0xffe00000. The result lies in [0, 2^64);
 * with `asEnd` it may be 2^64 itself, the end of the address space.
 */
export function parseAddress(text: string, asEnd = false): Parsed {
  if (text.length > 200) return { problem: 'this is too long for an address' };
  let sum = 0n;
  let sign = 1n;
  for (const part of text.split(/([+-])/)) {
    if (part === '+' || part === '-') {
      sign = part === '+' ? 1n : -1n;
      continue;
    }
    const term = parseTerm(part);
    if ('problem' in term) return term;
    sum += sign * term.value;
  }
  if (sum < 0n) return { problem: `"${clip(text.trim())}" is below zero` };
  if (sum > ADDRESS_SPACE_END || (sum === ADDRESS_SPACE_END && !asEnd))
    return { problem: `"${clip(text.trim())}" lies beyond the 64-bit address space` };
  return { value: sum };
}
