/** What a line's regions come to, after the line: end, size, kind. */
import type { InlayHint } from 'vscode-languageserver-types';
import { formatSizeShort, hex } from '../address/format';
import { sizeOf } from '../address/range';
import type { Document } from '../machine/language';
import type { Region } from '../machine/machine';
import type { TextRange } from '../text/position';
import { regionsByLine, regionsOf } from './lineRegions';

export interface InlayHintSettings {
  readonly end: boolean;
  readonly size: boolean;
  readonly kind: boolean;
}

/** Hints for the lines of `visible` only. An end is the first address after the region. */
export function inlayHints(document: Document, visible: TextRange, settings: InlayHintSettings): InlayHint[] {
  const byLine = regionsByLine(document);
  const hints: InlayHint[] = [];
  // The smaller of the two walks: a client may ask for the whole file.
  const count = visible.end.line - visible.start.line + 1;
  const lines =
    count < byLine.size
      ? Array.from({ length: count }, (_, index) => visible.start.line + index)
      : [...byLine.keys()]
          .filter((line) => line >= visible.start.line && line <= visible.end.line)
          .sort((a, b) => a - b);
  for (const line of lines) {
    const rows = byLine.get(line);
    if (!rows) continue;
    const label = labelOf(regionsOf(rows[0]!), settings);
    if (label === '') continue;
    const text = document.source.lines.lineText(line).trimEnd();
    hints.push({ position: { line, character: text.length }, label, paddingLeft: true });
  }
  return hints;
}

function labelOf(regions: readonly Region[], settings: InlayHintSettings): string {
  const only = regions.length === 1 ? regions[0]! : null;
  // Of several regions the RAM is what the line asked for: holes and devices lie between its parts.
  const ram = only ? [only] : regions.filter((region) => region.kind === 'ram');
  const counted = ram.length > 0 ? ram : regions;
  const end = counted.reduce((last, { range }) => (range.end > last ? range.end : last), 0n);
  const size = counted.reduce((sum, { range }) => sum + sizeOf(range), 0n);
  const about = regions.some((region) => region.approximate) ? '~' : '';
  const parts: string[] = [];
  if (settings.end) parts.push(`→ ${about}${hex(end)}`);
  if (settings.size) parts.push(about + formatSizeShort(size));
  if (settings.kind) parts.push(only ? only.kind : kindsOf(regions));
  return parts.join(' · ');
}

/** `2 ram, 1 rom`, in the order of the first of each kind. */
function kindsOf(regions: readonly Region[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of regions) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}
