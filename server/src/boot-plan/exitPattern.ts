/** Exits as a plan writes them: `OUT 0x64 = 0xfe`. */
import { hex } from '../address/format';
import { EXIT_KINDS, type ExitKind } from '../machine/outcome';
import { EXIT_WORDS } from './keys/runs';
import type { ExitPattern } from './plan';

const EXIT = /^\s*([A-Za-z]+(?:\s+(?:read|write))?)(?:\s+([0-9]\w*))?(?:\s*=\s*([0-9]\w*))?\s*$/i;
const KIND_OF: ReadonlyMap<string, ExitKind> = new Map(
  EXIT_KINDS.map((kind) => [EXIT_WORDS[kind].toLowerCase(), kind]),
);
const NUMBER = /^(?:0x[0-9a-f_]{1,20}|[0-9_]{1,24})$/i;

function exitNumber(text: string | undefined): bigint | null | undefined {
  if (text === undefined) return null;
  if (!NUMBER.test(text)) return undefined;
  const value = BigInt(text.replaceAll('_', '').toLowerCase());
  return value < 1n << 64n ? value : undefined;
}

/** `OUT 0x64 = 0xfe`; null where it is none. */
export function parseExit(text: string): ExitPattern | null {
  const [, word, place, written] = EXIT.exec(text) ?? [];
  const kind = word === undefined ? undefined : KIND_OF.get(word.toLowerCase().replace(/\s+/g, ' '));
  const address = exitNumber(place);
  const value = exitNumber(written);
  if (!kind || address === undefined || value === undefined) return null;
  if ((kind === 'hlt' || kind === 'shutdown') && (address !== null || value !== null)) return null;
  return { kind, address, value, text: exitText(kind, address, value) };
}

function exitText(kind: ExitKind, address: bigint | null, value: bigint | null): string {
  return `${EXIT_WORDS[kind]}${address === null ? '' : ` ${hex(address)}`}${value === null ? '' : ` = ${hex(value)}`}`;
}

export function isNumber(text: string): boolean {
  return NUMBER.test(text.trim());
}
