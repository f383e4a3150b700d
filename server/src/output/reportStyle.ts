/** How a report is written: for a terminal of some width, or for an editor that wraps by itself. */
import type { PathOf } from './place';

export interface ReportStyle {
  readonly pathOf: PathOf;
  /** Columns; Infinity where the reader's view wraps long lines itself. */
  readonly width: number;
}

/** Breaks at blanks, with `indent` before every line and the text of each hanging below the end of `bullet`. */
export function wrap(text: string, { width }: ReportStyle, indent = '', bullet = ''): string[] {
  const room = width - indent.length - bullet.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line && line.length + word.length + 1 > room) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(line);
  const hang = ' '.repeat(bullet.length);
  return lines.map((item, index) => indent + (index === 0 ? bullet : hang) + item);
}
