/** Folding: blocks of the outline that span lines, and runs of comment lines. */
import type { FoldingRange } from 'vscode-languageserver-types';
import type { Document, OutlineNode } from '../machine/language';

const FOLDING_LIMIT = 5000;

/** At most `limit` ranges, outer blocks before the comments. */
export function foldingRanges(document: Document, limit = FOLDING_LIMIT): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  const walk = (nodes: readonly OutlineNode[]): void => {
    for (const { range, children } of nodes) {
      if (ranges.length >= limit) return;
      if (range.end.line > range.start.line) {
        // A block folds up to the line before its closing brace, so that the brace stays in sight.
        const closing = document.source.lines.lineText(range.end.line).trim();
        const endLine = closing === '}' || closing === '' ? range.end.line - 1 : range.end.line;
        if (endLine > range.start.line) ranges.push({ startLine: range.start.line, endLine });
      }
      walk(children);
    }
  };
  walk(document.outline);
  if (document.language === 'vmconf') addComments(document, ranges, limit);
  return ranges;
}

function addComments(document: Document, ranges: FoldingRange[], limit: number): void {
  const { lines } = document.source;
  let start = -1;
  for (let line = 0; line <= lines.lineCount && ranges.length < limit; line++) {
    const comment = line < lines.lineCount && lines.lineText(line).trimStart().startsWith('#');
    if (comment && start < 0) start = line;
    if (!comment && start >= 0) {
      if (line - 1 > start) ranges.push({ startLine: start, endLine: line - 1, kind: 'comment' });
      start = -1;
    }
  }
}
