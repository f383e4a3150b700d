/** Whether a text is a shell script with a bhyve command in it: looks for the word first, so that others cost next to nothing. */

const LOOKED_AT = 256 * 1024;
const SHEBANG = /^#!.*\b(?:sh|bash|dash|ksh|ksh93|zsh)\b/;
const SCRIPT_NAME = /\.(?:sh|bash|ksh|zsh|command)$/i;
/** `bhyve` or `$BHYVE` at the end of what stands before the options, and an option or continued line behind it. */
const BEFORE = /^[ \t]*(?:[^#'"`\n]*[\s;&|({!/])?"?$/;
const BEHIND = /^["}]*[ \t]+(?:-[A-Za-z]|\\\r?\n|\$)/;
const NOT_A_COMMAND = /\b(?:echo|printf|which|pgrep|pkill|grep|man|log|kldload|kldstat|pkg|test)\b[^;&|]*$/;
/** Text that the script writes somewhere. */
const HEREDOC = /<<-?[ \t]*(['"]?)(\w+)\1[^\n]*\n[^]*?\n[\t ]*\2(?=\r?\n|$)/g;
/** A command that stands alone, without a script around it. */
const ALONE = /^(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*(?:(?:sudo|doas)[ \t]+)?(?:\/usr\/sbin\/)?bhyve[ \t]+(?:-|\\)/;

export function recogniseBhyveCommand(text: string, path: string): boolean {
  if (!text.includes('bhyve') && !text.includes('BHYVE')) return false;
  const script = SCRIPT_NAME.test(path) || SHEBANG.test(text.slice(0, 120));
  if (!script) return ALONE.test(text.slice(0, 4096));
  const head = text.slice(0, LOOKED_AT).replace(HEREDOC, '\n');
  for (const found of head.matchAll(/bhyve|\$\{?BHYVE\w*/g)) {
    const end = found.index + found[0].length;
    if (!BEHIND.test(head.slice(end, end + 200))) continue;
    const before = head.slice(head.lastIndexOf('\n', found.index) + 1, found.index);
    if (before.length < 400 && BEFORE.test(before) && !NOT_A_COMMAND.test(before)) return true;
  }
  return false;
}
