/** Whether a text is a boot plan: by its name, else by tables that no other TOML has together. */

import { looksBinary } from '../text/binary';

const LOOKED_AT = 64 * 1024;
const LONGEST_LINE = 400;

const NAME = /\.boot\.toml$/i;
const PRAGMA = /^#\s*bootpath:\s*boot-plan\b/;
const SCHEMA = /^#:schema\s+\S*\bboot-plan\.schema\.json\s*$/;
const HEADER = /^(\[\[?)\s*([\w."'-]+)\s*\]\]?\s*(?:#.*)?$/;
/** `[expect]` with one of the tables that only a boot plan has. */
const OWN: ReadonlySet<string> = new Set([
  '[[vcpu',
  '[[region',
  '[[map',
  '[gdt',
  '[idt',
  '[[load',
  '[captured',
]);

/** Looks at the first 64 KiB. */
export function recogniseBootPlan(text: string, path: string): boolean {
  if (NAME.test(path)) return true;
  const head = text.slice(0, LOOKED_AT);
  if (looksBinary(head)) return false;
  const lines = head.split('\n').map((line) => line.slice(0, LONGEST_LINE).trim());
  if (lines.slice(0, 10).some((line) => PRAGMA.test(line) || SCHEMA.test(line))) return true;
  const headers = new Set<string>();
  for (const line of lines) {
    const [, opening, name] = HEADER.exec(line) ?? [];
    if (opening !== undefined && name !== undefined) headers.add(opening + name);
  }
  const expects = headers.has('[expect') || headers.has('[expect.registers');
  const own = [...headers].filter((header) => OWN.has(header));
  return own.length >= 3 || (expects && own.length >= 1);
}
