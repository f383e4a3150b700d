/** Jinja in a vm.conf that is a template: what is filled in later stands for a word that nobody knows yet. */

const ENDS: Readonly<Record<string, string>> = { '{': '}}', '%': '%}', '#': '#}' };

/** No further does one go: a text full of openings takes no longer than others. */
const LONGEST = 2000;

/** Whether a text is a template: in no vm.conf is a `{` before one of these. */
export function isJinja(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/** Past the `{{ … }}`, `{% … %}` or `{# … #}` that begins at an offset; null where none does, or it has no end. */
export function jinjaEnd(text: string, start: number): number | null {
  if (text[start] !== '{') return null;
  const close = ENDS[text[start + 1] ?? ''];
  if (close === undefined) return null;
  const end = text.slice(start + 2, start + LONGEST).indexOf(close);
  return end < 0 ? null : start + 2 + end + 2;
}
