/** Symbols as text, one a line: Linux's System.map and /proc/kallsyms, and what nm(1) prints. */
import type { ImageProblem } from './problem';
import { createSymbolTable, type SymbolEntry, type SymbolTable } from './symbolTable';

/** Address, a size where `nm -S` printed one, type, name, and the module where kallsyms names one. */
const LINE =
  /^([0-9a-f]{8}|[0-9a-f]{16}) (?:([0-9a-f]{8}|[0-9a-f]{16}) )?([A-Za-z?-]) (\S+)(?:\s+(\[\S+\]))?\s*$/;
/** Text, data, read-only data and BSS, weak ones too. Not `A`, which are numbers and no addresses, nor `U`. */
const TYPES = /^[TtDdRrBbGgSsVvWwi]$/;
/** Lines looked at to recognise a file. */
const SAMPLE = 16;

/** True where the text, the start of a file, starts as a list of symbols does. */
export function isSymbolListing(text: string): boolean {
  const lines = text
    .split('\n')
    .slice(0, SAMPLE)
    .filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.some((line) => LINE.test(line) || placeholder(line) !== null);
}

/** Lines of other forms are passed over; a file without a single usable line gets a problem. */
export function parseSymbolListing(text: string): SymbolTable | ImageProblem {
  const entries: SymbolEntry[] = [];
  let hidden = 0;
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match) {
      const said = placeholder(line);
      if (said !== null && entries.length === 0) {
        return { problem: `it is a placeholder with one line: "${said}"` };
      }
      continue;
    }
    const [, address = '', size, type = '', name = '', module] = match;
    const start = BigInt(`0x${address}`);
    if (!TYPES.test(type) && !/^__per_cpu_(start|end)$/.test(name)) continue;
    if (start === 0n) hidden++;
    entries.push({
      name: module ? `${name} ${module}` : name,
      start,
      size: size === undefined ? 0n : BigInt(`0x${size}`),
      limit: null,
      binding: type === type.toLowerCase() && type !== 'w' && type !== 'v' ? 'local' : 'global',
    });
  }
  if (entries.length === 0) return { problem: 'it has no line with an address, a type letter and a name' };
  if (hidden === entries.length) {
    return {
      problem: `all its ${hidden} addresses are 0: the kernel that wrote it hides them (kptr_restrict)`,
    };
  }
  return createSymbolTable(entries, []);
}

/** What Debian's linux-image packages install in the place of System.map: a sentence behind the last address there is. */
function placeholder(line: string): string | null {
  return /^f{8}(?:f{8})? \S (\S+ \S.*)$/.exec(line)?.[1] ?? null;
}
