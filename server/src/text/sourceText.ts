import { LineIndex, type SourceRange } from './position';

/** A text with its name and its line index: what every parser takes. */
export class SourceText {
  readonly lines: LineIndex;

  constructor(
    readonly uri: string,
    readonly text: string,
  ) {
    this.lines = new LineIndex(text);
  }

  /** The source range of the half-open offset range `[start, end)`. */
  at(start: number, end: number): SourceRange {
    return { uri: this.uri, range: this.lines.rangeAt(start, end) };
  }
}
