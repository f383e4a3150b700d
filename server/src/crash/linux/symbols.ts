/** Symbols as Linux prints them: `name+0xoffset/0xsize`. */
import type { SymbolOffset } from './oops';

export interface PrintedSymbol {
  readonly symbol: SymbolOffset;
  /** Offset of the name in the text. */
  readonly start: number;
}

const TAIL = /\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})/g;
const LONGEST_NAME = 256;

/**
 * All symbols of a line, in order. It looks for the `+0x` first and then back for the name: a pattern that began with
 * the name would try every letter of a long line as its start.
 */
export function* symbolsIn(text: string): Generator<PrintedSymbol, void, void> {
  const tail = new RegExp(TAIL);
  for (let match = tail.exec(text); match; match = tail.exec(text)) {
    let start = match.index;
    while (start > 0 && match.index - start < LONGEST_NAME && isNameUnit(text.charCodeAt(start - 1))) start--;
    if (start === match.index) continue;
    yield {
      symbol: {
        name: text.slice(start, match.index),
        offset: BigInt('0x' + match[1]!),
        size: BigInt('0x' + match[2]!),
      },
      start,
    };
  }
}

/** Letters, digits, `_`, `.` (GCC's suffixes) and `$`. */
function isNameUnit(unit: number): boolean {
  return (
    (unit >= 97 && unit <= 122) ||
    (unit >= 65 && unit <= 90) ||
    (unit >= 48 && unit <= 57) ||
    unit === 95 ||
    unit === 46 ||
    unit === 36
  );
}
