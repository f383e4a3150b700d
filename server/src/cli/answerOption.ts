/** `--answer PROMPT=REPLY`: what is typed on the guest's console. */
import type { ConsoleAnswer } from '../simulation/consoleAnswers';
import { UsageError } from './command';

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', e: '\x1b', '\\': '\\' };

/** Texts like `boot> =boot bsd.rd\r`; the first `=` separates. UsageError for what is not one. */
export function answersOption(texts: readonly string[]): ConsoleAnswer[] {
  return texts.map((text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw new UsageError(`--answer ${text}: it takes PROMPT=REPLY`);
    return { prompt: text.slice(0, at), reply: unescaped(text.slice(at + 1), text) };
  });
}

/** `\r`, `\n`, `\t`, `\e` (escape), `\\` and `\xNN`. */
function unescaped(reply: string, whole: string): string {
  return reply.replace(/\\(x[0-9a-fA-F]{2}|.?)/g, (_, code: string) => {
    if (code.length === 3) return String.fromCharCode(parseInt(code.slice(1), 16));
    const character = ESCAPES[code];
    if (character === undefined) throw new UsageError(`--answer ${whole}: there is no escape "\\${code}"`);
    return character;
  });
}
