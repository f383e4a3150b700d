/** Whether a text is a shell script with a bhyve command in it: looks for the word first, so that others cost next to nothing. */

const LOOKED_AT = 256 * 1024;
const SHEBANG = /^#!.*\b(?:sh|bash|dash|ksh|ksh93|zsh)\b/;
const SCRIPT_NAME = /\.(?:sh|bash|ksh|zsh|command)$/i;
/** `bhyve` or `$BHYVE` at the end of what stands before the options, and an option or continued line behind it. */
const BEFORE = /^[ \t]*(?:[^#'"`\n]*[\s;&|({!/])?"?$/;
const BEHIND = /^["}]*[ \t]+(?:-[A-Za-z]|\\\r?\n|\$)/;
const NOT_A_COMMAND = /\b(?:echo|printf|which|pgrep|pkill|grep|man|log|kldload|kldstat|pkg|test)\b[^;&|]*$/;
/** Where text begins that the script writes somewhere, with the word that ends it. */
const HEREDOC = /<<-?[ \t]*(['"]?)(\w+)\1/;
/** A command that stands alone, without a script around it. */
const ALONE = /^(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*(?:(?:sudo|doas)[ \t]+)?(?:\/usr\/sbin\/)?bhyve[ \t]+(?:-|\\)/;

export function recogniseBhyveCommand(text: string, path: string): boolean {
  if (!text.includes('bhyve') && !text.includes('BHYVE')) return false;
  const script = SCRIPT_NAME.test(path) || SHEBANG.test(text.slice(0, 120));
  if (!script) return ALONE.test(text.slice(0, 4096));
  const head = withoutHeredocs(text.slice(0, LOOKED_AT));
  for (const found of head.matchAll(/bhyve|\$\{?BHYVE\w*/g)) {
    const end = found.index + found[0].length;
    if (!BEHIND.test(head.slice(end, end + 200))) continue;
    const before = head.slice(head.lastIndexOf('\n', found.index) + 1, found.index);
    if (before.length < 400 && BEFORE.test(before) && !NOT_A_COMMAND.test(before)) return true;
  }
  return false;
}

/** In linear time: the lines between `<<WORD` and the line that is WORD. One that nothing ends stays. */
function withoutHeredocs(text: string): string {
  if (!text.includes('<<')) return text;
  const lines = text.split('\n');
  const places = new Map<string, number[]>();
  lines.forEach((line, index) => {
    const word = line.trim();
    if (!/^\w+$/.test(word)) return;
    const list = places.get(word);
    if (list) list.push(index);
    else places.set(word, [index]);
  });
  // Each list is passed once: the script is read from top to bottom.
  const passed = new Map<string, number>();
  const kept: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    kept.push(lines[at]!);
    const word = HEREDOC.exec(lines[at]!)?.[2];
    const list = word === undefined ? undefined : places.get(word);
    if (word === undefined || !list) continue;
    let next = passed.get(word) ?? 0;
    while (next < list.length && list[next]! <= at) next++;
    passed.set(word, next);
    at = list[next] ?? at;
  }
  return kept.join('\n');
}
