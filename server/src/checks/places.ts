/** Places and edits in the text that a rule is about. */
import type { Fix, RelatedPlace } from '../text/finding';
import type { SourceText } from '../text/sourceText';
import type { Found } from './check';

/** Half-open, in UTF-16 units from the start of the text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export class Places {
  constructor(readonly source: SourceText) {}

  at({ start, end }: Span): NonNullable<Found['at']> {
    return this.source.at(start, end);
  }

  related(span: Span, message: string): RelatedPlace {
    return { at: this.at(span), message };
  }

  replace(title: string, { start, end }: Span, newText: string, preferred = false): Fix {
    return {
      title,
      edits: [{ uri: this.source.uri, range: this.source.lines.rangeAt(start, end), newText }],
      preferred,
    };
  }
}

/** Characters of the user's text that a message repeats. */
const LONGEST = 60;

/** A text of the config in a message, as code. */
export function quote(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return `\`${cut.replace(/[`\r\n]/g, ' ')}\``;
}

/** The same within a text of one line, with what no line shows as escapes. */
export function shown(text: string): string {
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text).slice(1, -1);
}
