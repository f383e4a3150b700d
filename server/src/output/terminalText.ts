/** What a guest or a file brings along, made fit for a terminal. */

const ESC = String.fromCharCode(27);
/** CSI sequences (ECMA-48, 5.4), and the other escapes, with or without intermediate bytes (ECMA-35, 13.2). */
const ESCAPES = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*[@-~]|[ -/]+[0-~]|[0-Z\\\\-~])`, 'g');

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

/** C0 but tab and newline, DEL and C1: what makes a terminal do something (ECMA-48, 5.2 and 5.3). */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Control characters of names and texts that are quoted become visible, so that no file commands the terminal. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, (control) => {
    const code = control.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
  });
}
