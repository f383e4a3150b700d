/** Hover on BoxLite's options, from the table of their keys. */
import type { Description, Document } from '../../../machine/language';
import type { Position } from '../../../text/position';
import { describeAt } from '../../../text/shape/describe';
import { isBoxliteDocument } from './document';
import { BOXLITE_SHAPE } from './shape';

export function describeBoxlite(document: Document, position: Position): Description | null {
  if (!isBoxliteDocument(document) || !document.options) return null;
  const { source, options } = document;
  const found = describeAt(options, BOXLITE_SHAPE, source.lines.offsetAt(position));
  return found && { range: source.lines.rangeAt(found.span.start, found.span.end), markdown: found.markdown };
}
