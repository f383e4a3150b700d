/** Places and edits in the text that a rule is about. */
import type { Fix, RelatedPlace, TextEdit } from '../text/finding';
import type { SourceText } from '../text/sourceText';
import type { Found } from './check';

/** Half-open, in UTF-16 units from the start of the text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** What has one text. */
interface InText {
  readonly source: SourceText;
}

export function at({ source }: InText, { start, end }: Span): NonNullable<Found['at']> {
  return source.at(start, end);
}

export function related(of: InText, span: Span, message: string): RelatedPlace {
  return { at: at(of, span), message };
}

export function edit({ source }: InText, { start, end }: Span, newText: string): TextEdit {
  return { uri: source.uri, range: source.lines.rangeAt(start, end), newText };
}

export function replace(of: InText, title: string, span: Span, newText: string, preferred = false): Fix {
  return { title, edits: [edit(of, span, newText)], preferred };
}

/** The same as methods, for rules that have more to ask of a config. */
export class Places {
  constructor(readonly source: SourceText) {}

  at(span: Span): NonNullable<Found['at']> {
    return at(this, span);
  }

  related(span: Span, message: string): RelatedPlace {
    return related(this, span, message);
  }

  replace(title: string, span: Span, newText: string, preferred = false): Fix {
    return replace(this, title, span, newText, preferred);
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
