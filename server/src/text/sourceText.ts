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

  /** The file's name without its ending; empty where it has none. */
  get name(): string {
    const file = this.uri.slice(this.uri.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
    try {
      return decodeURIComponent(file);
    } catch {
      // A stray percent sign stays.
      return file;
    }
  }

  /** The source range of the half-open offset range `[start, end)`. */
  at(start: number, end: number): SourceRange {
    return { uri: this.uri, range: this.lines.rangeAt(start, end) };
  }
}
