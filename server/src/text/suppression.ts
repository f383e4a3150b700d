/** Comments that silence a finding: `bootpath-disable-line CODE…` and `bootpath-disable-next-line CODE…`. */

export interface Suppressions {
  /** Whether a finding of this code on this zero-based line is silenced. */
  covers(line: number, code: string): boolean;
}

const NONE: Suppressions = { covers: () => false };
/** After a comment leader of any of the formats (`#`, `//`, `;`). Codes are separated by blanks or commas. */
const DIRECTIVE = /(?:#|\/\/|;)\s*bootpath-disable-(next-)?line\b([^\n\r]*)/g;

/** Reads the directives of a text. One without a code silences every code on its line. */
export function suppressionsIn(text: string): Suppressions {
  if (!text.includes('bootpath-disable-')) return NONE;
  const codes = new Map<number, Set<string>>();
  const everything = new Set<number>();
  text.split(/\r\n|\n|\r/).forEach((lineText, line) => {
    if (!lineText.includes('bootpath-disable-')) return;
    for (const [, next, rest] of lineText.matchAll(DIRECTIVE)) {
      const target = next ? line + 1 : line;
      const named = (rest ?? '').match(/[a-z0-9]+(?:-[a-z0-9]+)*/g);
      if (!named) everything.add(target);
      else codes.set(target, new Set([...(codes.get(target) ?? []), ...named]));
    }
  });
  return { covers: (line, code) => everything.has(line) || (codes.get(line)?.has(code) ?? false) };
}
