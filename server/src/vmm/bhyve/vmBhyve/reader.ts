/**
 * A guest's configuration as vm-bhyve reads it (lib/vm-config, config::load and config::get of commit 89c21d0, 2026-08-20). It looks
 * like a shell's assignments and is none: lines that do not begin with a small letter are left out, everything behind a number
 * sign is cut off, blanks (but no tabs) at the end and every double quote are taken away; of a key the first line counts.
 */
import type { Span } from '../config/flatConfig';

export interface GuestLine {
  readonly key: string;
  readonly value: string;
  readonly keySpan: Span;
  /** What is written, up to a comment and without blanks at the end. */
  readonly valueSpan: Span;
  readonly written: string;
  /** Of a number sign that cuts the line, where a double quote is open: the offset. */
  readonly cutAt: number | null;
}

export interface GuestFile {
  /** In the order of the text, also those that an earlier line of the same key overrides. */
  readonly lines: readonly GuestLine[];
  /** By key, the first. */
  readonly values: ReadonlyMap<string, GuestLine>;
  /** Lines that look like an assignment and are left out. */
  readonly skipped: readonly Span[];
}

const SKIPPED = /^[ \t]*[A-Za-z][A-Za-z0-9_]*=/;

export function readGuest(text: string): GuestFile {
  const lines: GuestLine[] = [];
  const values = new Map<string, GuestLine>();
  const skipped: Span[] = [];
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed;
    const line = text.slice(start, end);
    if (/^[a-z]/.test(line)) {
      const read = readLine(line, start);
      lines.push(read);
      if (!values.has(read.key)) values.set(read.key, read);
    } else if (SKIPPED.test(line)) skipped.push({ start, end });
    start = end + 1;
  }
  return { lines, values, skipped };
}

function readLine(line: string, start: number): GuestLine {
  const sign = line.indexOf('#');
  const kept = (sign < 0 ? line : line.slice(0, sign)).replace(/ *$/, '');
  const equals = kept.indexOf('=');
  const keyEnd = equals < 0 ? kept.length : equals;
  const written = equals < 0 ? '' : kept.slice(equals + 1);
  const quotes = sign < 0 ? 0 : line.slice(0, sign).split('"').length - 1;
  return {
    key: kept.slice(0, keyEnd).replaceAll('"', ''),
    // Without a sign, the whole line is both.
    value: (equals < 0 ? kept : written).replaceAll('"', ''),
    keySpan: { start, end: start + keyEnd },
    valueSpan: { start: start + Math.min(keyEnd + 1, kept.length), end: start + kept.length },
    written,
    cutAt: quotes % 2 === 1 ? start + sign : null,
  };
}

/** util::yesno: everything but these words, and nothing, is yes. */
export function isYes(value: string | undefined): boolean {
  return value !== undefined && value !== '' && !/^(?:no|false|off|0)$/i.test(value);
}
