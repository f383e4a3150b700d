/** Places in a text. Lines and characters are zero-based, characters count UTF-16 units (as in LSP). */

export interface Position {
  readonly line: number;
  readonly character: number;
}

/** Half-open: `end` is the first position after the range. */
export interface TextRange {
  readonly start: Position;
  readonly end: Position;
}

/** A range in a named text: where a fact was written. */
export interface SourceRange {
  readonly uri: string;
  readonly range: TextRange;
}

/** Maps offsets (UTF-16 units) to positions and back. Lines end at LF, CRLF or a lone CR. */
export class LineIndex {
  private readonly starts: number[] = [0];

  constructor(private readonly text: string) {
    if (!text.includes('\r')) {
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.starts.push(at + 1);
      return;
    }
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit === 13 && text.charCodeAt(i + 1) === 10) i++;
      if (unit === 10 || unit === 13) this.starts.push(i + 1);
    }
  }

  get lineCount(): number {
    return this.starts.length;
  }

  /** Offsets outside the text are clamped to it. */
  positionAt(offset: number): Position {
    const clamped = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= clamped) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: clamped - this.starts[low]! };
  }

  /** A line beyond the end gives the text's length; a character beyond its line gives the line's end. */
  offsetAt(position: Position): number {
    if (position.line < 0) return 0;
    const start = this.starts[position.line];
    if (start === undefined) return this.text.length;
    const next = this.starts[position.line + 1] ?? this.text.length + 1;
    return Math.min(start + Math.max(0, position.character), Math.max(start, next - 1), this.text.length);
  }

  rangeAt(start: number, end: number): TextRange {
    const from = this.positionAt(start);
    const lineStart = this.starts[from.line]!;
    const lineEnd = this.starts[from.line + 1] ?? this.text.length + 1;
    // Most ranges end on the line that they start on.
    const to =
      end >= lineStart && end < lineEnd
        ? { line: from.line, character: end - lineStart }
        : this.positionAt(end);
    return { start: from, end: to };
  }

  /** The text of a line without its line break; empty for a line that is not there. */
  lineText(line: number): string {
    const start = this.starts[line];
    if (start === undefined) return '';
    return this.text.slice(start, this.starts[line + 1] ?? this.text.length).replace(/[\r\n]+$/, '');
  }
}

export function containsPosition(range: TextRange, position: Position): boolean {
  const { start, end } = range;
  if (position.line < start.line || position.line > end.line) return false;
  if (position.line === start.line && position.character < start.character) return false;
  return position.line !== end.line || position.character <= end.character;
}
