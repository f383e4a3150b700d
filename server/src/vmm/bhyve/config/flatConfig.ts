/**
 * bhyve's flat config file, a line at a time (bhyverun.c, parse_simple_config_file and parse_config_option): `key=value` with
 * nothing trimmed, comments and blank lines only where the line begins with `#` or is empty. A carriage return belongs to the
 * value, and a C string ends at a NUL.
 */

/** Offsets are into the text, half-open. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ConfigEntry {
  readonly key: string;
  /** As written, before references are expanded. */
  readonly raw: string;
  readonly keySpan: Span;
  readonly valueSpan: Span;
  /** The key is not written: an option of a command stands for it. */
  readonly implied?: true;
}

export interface BadLine {
  readonly why: 'no-separator' | 'no-value';
  readonly text: string;
  readonly span: Span;
}

export interface FlatConfig {
  readonly entries: readonly ConfigEntry[];
  /** bhyve ends at the first of them. */
  readonly bad: readonly BadLine[];
}

/** Never throws; `bad` has the lines that bhyve ends at. */
export function readFlatConfig(text: string): FlatConfig {
  const entries: ConfigEntry[] = [];
  const bad: BadLine[] = [];
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const next = feed < 0 ? text.length : feed + 1;
    const end = stringEnd(text, start, feed < 0 ? text.length : feed);
    const comment = text[start] === '#' || (feed === start && feed >= 0);
    if (!comment) readLine(text, { start, end }, entries, bad);
    start = next;
  }
  return { entries, bad };
}

function stringEnd(text: string, start: number, lineEnd: number): number {
  const nul = text.slice(start, lineEnd).indexOf('\0');
  return nul < 0 ? lineEnd : start + nul;
}

function readLine(text: string, span: Span, entries: ConfigEntry[], bad: BadLine[]): void {
  const line = text.slice(span.start, span.end);
  const equals = line.indexOf('=');
  if (equals < 0) {
    bad.push({ why: 'no-separator', text: line, span });
  } else if (equals === line.length - 1) {
    bad.push({ why: 'no-value', text: line, span });
  } else {
    const at = span.start + equals;
    entries.push({
      key: line.slice(0, equals),
      raw: line.slice(equals + 1),
      keySpan: { start: span.start, end: at },
      valueSpan: { start: at + 1, end: span.end },
    });
  }
}
