/** A dump's lines as the parsers want them, each of which knows its place in the text that the user pasted. */
import type { SourceRange } from '../text/position';
import type { SourceText } from '../text/sourceText';
import { cleanText, type CleanText } from './cleanText';
import { stripPrefixes } from './prefixes';
import { reflow, type LineStarts } from './reflow';

export interface DumpLine {
  /** Without prefixes, line break and trailing white space. */
  readonly text: string;
  /** Who wrote it, as far as the prefix says; empty where it does not. */
  readonly machine: string;
  /** Offset of `text` in the cleaned text. */
  readonly start: number;
}

export class DumpText {
  private readonly clean: CleanText;

  constructor(readonly source: SourceText) {
    this.clean = cleanText(source.text);
  }

  /** The whole text without control sequences and the like. */
  get cleaned(): string {
    return this.clean.text;
  }

  /** The lines that are not empty, in order, as the formats that are looked for begin them. */
  *lines(formats: readonly LineStarts[]): Generator<DumpLine, void, void> {
    const { text } = this.clean;
    let machine = '';
    for (const span of reflow(text, formats)) {
      const line = stripPrefixes(text, span.start, span.end);
      // A part of a physical line was written by whoever wrote what stands before it, unless it says otherwise.
      machine = line.machine || (span.physical ? '' : machine);
      if (line.end > line.start) {
        yield { text: text.slice(line.start, line.end), machine, start: line.start };
      }
    }
  }

  /** Where a line stands in the pasted text, or the part `[from, to)` of it (offsets in `line.text`). */
  at(line: DumpLine, from = 0, to = line.text.length): SourceRange {
    const start = this.clean.originalOffset(line.start + from);
    const last = this.clean.originalOffset(line.start + Math.max(from, to - 1));
    return this.source.at(start, to > from ? last + 1 : start);
  }

  /** From the start of one line to the end of another. */
  between(first: DumpLine, last: DumpLine): SourceRange {
    return {
      uri: this.source.uri,
      range: { start: this.at(first).range.start, end: this.at(last).range.end },
    };
  }
}
