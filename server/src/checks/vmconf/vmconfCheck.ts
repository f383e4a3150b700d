/** How a rule on vm.conf is made: a row of the table and a function on the declared configuration. */
import type { Fix, RelatedPlace, Severity } from '../../text/finding';
import type { VmdConfig } from '../../vmm/vmd/config';
import { isVmConfDocument, type VmConfDocument } from '../../vmm/vmd/document';
import type { Span } from '../../vmm/vmd/lexer';
import type { Check, Found } from '../check';

export function vmconfCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (config: VmdConfig, document: VmConfDocument) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['vmconf'],
    run: (document) =>
      isVmConfDocument(document) && !document.config.syntax.templated ? run(document.config, document) : [],
  };
}

export function at(span: Span): Found['at'] {
  return span.source.at(span.start, span.end);
}

export function related(span: Span, message: string): RelatedPlace {
  return { at: span.source.at(span.start, span.end), message };
}

/** A fix that replaces a span. */
export function replace(title: string, span: Span, newText: string, preferred = false): Fix {
  return {
    title,
    edits: [{ uri: span.source.uri, range: span.source.lines.rangeAt(span.start, span.end), newText }],
    preferred,
  };
}

/** The whole lines that a span stands on, with the last line's break. */
export function wholeLines(span: Span): Span {
  const { text } = span.source;
  const start = text.lastIndexOf('\n', span.start - 1) + 1;
  const newline = text.indexOf('\n', span.end);
  return { source: span.source, start, end: newline < 0 ? text.length : newline + 1 };
}

/** One-based, as editors and vmd count. */
export function lineOf(span: Span): number {
  return span.source.lines.positionAt(span.start).line + 1;
}

const UTF8 = new TextEncoder();
const ASCII = /^[\0-\x7f]*$/;

/** Bytes of a text in UTF-8, which is what vmd's buffers count. */
export function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : UTF8.encode(text).length;
}
