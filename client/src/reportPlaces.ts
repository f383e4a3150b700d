/** Finds `path:line` and `path:line:column` in a line of a report. Pure; whether the file exists is the caller's to ask. */

export interface PlaceCandidate {
  readonly path: string;
  /** Half-open, in UTF-16 units of the line. */
  readonly start: number;
  readonly end: number;
  /** One-based, as written. */
  readonly target: { readonly line: number; readonly column: number | null };
}

/** A path may hold blanks: so many words to the left are tried. */
const WORDS = 6;
/** UTF-16 units; the longest path that is looked for. */
const LONGEST = 1024;

/**
 * One list per place, the shortest reading of its path first: `see my notes/vm.conf:3:1` is `notes/vm.conf`, then
 * `my notes/vm.conf`, then `see my notes/vm.conf`.
 */
export function placesInLine(text: string): PlaceCandidate[][] {
  const places: PlaceCandidate[][] = [];
  for (const match of text.matchAll(/:(\d{1,9})(?::(\d{1,9}))?(?![\w:])/g)) {
    const pathEnd = match.index;
    const target = { line: Number(match[1]), column: match[2] === undefined ? null : Number(match[2]) };
    if (target.line === 0) continue;
    const candidates = startsBefore(text, pathEnd).map((start) => ({
      path: text.slice(start, pathEnd),
      start,
      end: pathEnd + match[0].length,
      target,
    }));
    const plausible = candidates.filter(({ path }) => /[^\d\s].*[./\\]|[./\\].*[^\d\s]/.test(path));
    if (plausible.length > 0) places.push(plausible);
  }
  return places;
}

/** Where a path that ends at `end` may begin: after blanks, brackets and quotes, nearest first. */
function startsBefore(text: string, end: number): number[] {
  const starts: number[] = [];
  for (let at = end - 1; at >= Math.max(0, end - LONGEST) && starts.length < WORDS; at--) {
    const before = at === 0 ? ' ' : text[at - 1]!;
    if (/[\s()[\]<>"'`,;=]/.test(before) && !/[\s()[\]<>"'`,;=]/.test(text[at]!)) starts.push(at);
    if (/["'`<>]/.test(text[at]!)) break;
  }
  return starts;
}
