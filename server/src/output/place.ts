/** How places in texts are written in reports and in JSON: `path:line:column`, both one-based. */
import type { SourceRange } from '../text/position';

/** Turns a URI into the path that is shown; the faces know the working folder. */
export type PathOf = (uri: string) => string;

/** `path:line:column`, which editors and terminals make a link of. Columns count UTF-16 units. */
export function placeText(at: SourceRange, pathOf: PathOf): string {
  return `${pathOf(at.uri)}:${at.range.start.line + 1}:${at.range.start.character + 1}`;
}

export interface PlaceJson {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** The place fields of the JSON contract; all null where there is no source. */
export function placeJson(at: SourceRange | null, pathOf: PathOf): PlaceJson {
  if (!at) return { file: null, line: null, column: null };
  return { file: pathOf(at.uri), line: at.range.start.line + 1, column: at.range.start.character + 1 };
}
