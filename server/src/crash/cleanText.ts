/** Takes out what a terminal or a mailer put into the text, and keeps the way back to the original offsets. */

export interface CleanText {
  readonly text: string;
  /** The offset in the original text of an offset in `text`. Offsets beyond the end give the original's length. */
  originalOffset(offset: number): number;
}

/** NUL bytes, ANSI control sequences and the terminal's full reset. Every quantifier is bounded. */
// eslint-disable-next-line no-control-regex -- these bytes are what is looked for
const TERMINAL = /\0{1,4096}|\x1b\[[0-9;?]{0,32}[A-Za-z]|\x1bc/g;
/** Quoted-printable: a soft line break or an escaped byte (RFC 2045, 6.7). */
const QUOTED_PRINTABLE = /=\r?\n|=[0-9A-F]{2}/g;

/** An equals sign that was itself escaped: no plain text has it, every quoted-printable dump does (`RAX=3D`). */
function isQuotedPrintable(text: string): boolean {
  return text.includes('=3D');
}

export function cleanText(original: string): CleanText {
  const decoded = isQuotedPrintable(original)
    ? replaceAll(original, QUOTED_PRINTABLE, (found) =>
        found.length === 3 && found[1] !== '\r' ? String.fromCharCode(parseInt(found.slice(1), 16)) : '',
      )
    : unchanged(original);
  // eslint-disable-next-line no-control-regex -- as above
  if (!/[\0\x1b]/.test(decoded.text)) return decoded;
  const stripped = replaceAll(decoded.text, TERMINAL, () => '');
  return {
    text: stripped.text,
    originalOffset: (offset) => decoded.originalOffset(stripped.originalOffset(offset)),
  };
}

function unchanged(text: string): CleanText {
  return { text, originalOffset: (offset) => Math.min(offset, text.length) };
}

/** Replaces every match in one pass; remembers after each one how the offsets have shifted. */
function replaceAll(original: string, pattern: RegExp, replacement: (found: string) => string): CleanText {
  const pieces: string[] = [];
  /** Offsets in the new text from which on the original offset is `sources[i]` further. */
  const targets: number[] = [0];
  const sources: number[] = [0];
  let length = 0;
  let from = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(original); match; match = pattern.exec(original)) {
    const piece = original.slice(from, match.index);
    const substitute = replacement(match[0]);
    pieces.push(piece, substitute);
    length += piece.length + substitute.length;
    from = match.index + match[0].length;
    targets.push(length);
    sources.push(from);
  }
  pieces.push(original.slice(from));
  const text = pieces.join('');
  return {
    text,
    originalOffset(offset) {
      let low = 0;
      let high = targets.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (targets[middle]! <= offset) low = middle;
        else high = middle - 1;
      }
      return Math.min(sources[low]! + (offset - targets[low]!), original.length);
    },
  };
}
