/** What a guest wrote to a terminal, made fit for a report. */

const ESC = String.fromCharCode(27);
/** CSI sequences (ECMA-48, 5.4) and the two-character escapes. */
const ESCAPES = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*[@-~]|[@-Z\\\\-~])`, 'g');

/** Leaves out cursor movements and colours. */
export function withoutEscapes(text: string): string {
  return text.replace(ESCAPES, '');
}

/** Control characters other than tab become their Unicode pictures. */
export function printable(line: string): string {
  return Array.from(line, (c) =>
    c < ' ' && c !== '\t' ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : c,
  ).join('');
}
