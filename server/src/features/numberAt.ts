/** The number that stands at a position: hex with or without 0x, as dumps and maps write it. */
import type { Document } from '../machine/language';
import type { Position, TextRange } from '../text/position';

export interface NumberAt {
  readonly value: bigint;
  /** Hex digits as written, leading zeros included: tells an address from a register. */
  readonly digits: number;
  readonly range: TextRange;
}

/** Longest line that is looked at: a number is found by looking around the cursor, never by scanning the line. */
const AROUND = 40;
const WORD = /[0-9A-Za-z_]/;

/**
 * A number is hex with 0x, or bare hex of at least eight digits that stands alone. Decimal numbers, MAC addresses and
 * UUIDs are none; neither is what needs more than 64 bits.
 */
export function numberAt(document: Document, position: Position): NumberAt | null {
  const { lines, text } = document.source;
  const offset = lines.offsetAt(position);
  if (lines.positionAt(offset).line !== position.line) return null;
  let start = offset;
  let end = offset;
  while (start > 0 && offset - start < AROUND && WORD.test(text[start - 1]!)) start--;
  while (end < text.length && end - offset < AROUND && WORD.test(text[end]!)) end++;
  const word = text.slice(start, end);
  const match = /^(?:0[xX]([0-9a-fA-F_]{1,32})|([0-9a-fA-F]{8}|[0-9a-fA-F]{16}))$/.exec(word);
  if (!match) return null;
  const before = text[start - 1] ?? ' ';
  const after = text[end] ?? ' ';
  if (match[2] !== undefined && (isUuidPart(before, text[start - 2]) || isUuidPart(after, text[end + 1])))
    return null;
  const digits = (match[1] ?? match[2]!).replaceAll('_', '');
  if (digits === '' || digits.length > 16) return null;
  return { value: BigInt('0x' + digits), digits: digits.length, range: lines.rangeAt(start, end) };
}

/** `-` glued to a hex digit joins the parts of a UUID, but also the two ends of `00000000-0009fbff`. */
function isUuidPart(separator: string, beyond: string | undefined): boolean {
  return separator === ':' && beyond !== undefined && /[0-9a-fA-F]/.test(beyond);
}
