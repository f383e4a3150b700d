/** What TOML takes only once: the rules by which headers and dotted keys make tables. */
import type { Cursor } from './cursor';
import type { TomlArray, TomlEntry, TomlKey, TomlSpan, TomlTable, TomlValue } from './tree';

export function newTable(form: TomlTable['form'], start: number, end = start): TomlTable {
  return { kind: 'table', form, start, end, entries: new Map() };
}

/**
 * Sets `a.b.c = value` below `table`. `made` are the tables that dotted keys of this section made, which only this section
 * may add to. What TOML does not take is reported and dropped: the first of two values stays.
 */
export function setDotted(
  cursor: Cursor,
  table: TomlTable,
  keys: readonly TomlKey[],
  value: TomlValue,
  made: Set<TomlTable>,
): void {
  const last = keys.at(-1)!;
  let into = table;
  for (const key of keys.slice(0, -1)) {
    const there = into.entries.get(key.text);
    if (!there) {
      const next = newTable('dotted', key.start, value.end);
      made.add(next);
      into.entries.set(key.text, { key, value: next });
      into = next;
      continue;
    }
    if (there.value.kind !== 'table' || there.value.form === 'inline') {
      duplicate(cursor, key, there, `\`${key.text}\` is no table that could take more keys`);
      return;
    }
    const open = there.value.form === 'implicit' || made.has(there.value);
    if (!open) {
      const message = `The table \`${key.text}\` is already defined elsewhere, so a dotted key cannot add to it`;
      duplicate(cursor, key, there, message);
      return;
    }
    if (there.value.form === 'implicit') {
      there.value.form = 'dotted';
      made.add(there.value);
    }
    into = there.value;
    into.end = Math.max(into.end, value.end);
  }
  const there = into.entries.get(last.text);
  if (there) duplicate(cursor, last, there, `The key \`${last.text}\` is already there`);
  else into.entries.set(last.text, { key: last, value });
}

/** The table of a `[header]`, or null where the name is taken; then what follows belongs to nothing. */
export function openTable(
  cursor: Cursor,
  root: TomlTable,
  keys: readonly TomlKey[],
  span: TomlSpan,
): TomlTable | null {
  const parent = descend(cursor, root, keys.slice(0, -1), span);
  const key = keys.at(-1)!;
  const there = parent?.entries.get(key.text);
  if (!parent) return null;
  if (!there) {
    const table = newTable('header', span.start, span.end);
    parent.entries.set(key.text, { key, value: table });
    return table;
  }
  const { value } = there;
  if (value.kind === 'table' && value.form === 'implicit') {
    value.form = 'header';
    value.end = Math.max(value.end, span.end);
    return value;
  }
  const what = value.kind === 'table' ? 'table' : value.kind === 'array' ? 'array' : 'value';
  duplicate(cursor, key, there, `There is a ${what} \`${nameOf(keys)}\` already`);
  return null;
}

/** The new last table of a `[[header]]`, or null where the name is taken by something else. */
export function appendTable(
  cursor: Cursor,
  root: TomlTable,
  keys: readonly TomlKey[],
  span: TomlSpan,
): TomlTable | null {
  const parent = descend(cursor, root, keys.slice(0, -1), span);
  if (!parent) return null;
  const key = keys.at(-1)!;
  const table = newTable('header', span.start, span.end);
  const there = parent.entries.get(key.text);
  if (!there) {
    const value: TomlArray = {
      kind: 'array',
      start: span.start,
      end: span.end,
      items: [table],
      ofTables: true,
    };
    parent.entries.set(key.text, { key, value });
    return table;
  }
  if (there.value.kind === 'array' && there.value.ofTables) {
    there.value.items.push(table);
    return table;
  }
  duplicate(cursor, key, there, `\`${nameOf(keys)}\` is already something other than an array of tables`);
  return null;
}

/** The table that the header's leading keys name; in an array of tables, its last one. */
function descend(
  cursor: Cursor,
  root: TomlTable,
  keys: readonly TomlKey[],
  span: TomlSpan,
): TomlTable | null {
  let into = root;
  for (const key of keys) {
    const there = into.entries.get(key.text);
    if (!there) {
      const next = newTable('implicit', span.start, span.end);
      into.entries.set(key.text, { key, value: next });
      into = next;
      continue;
    }
    const { value } = there;
    const next = value.kind === 'array' && value.ofTables ? value.items.at(-1) : value;
    if (next?.kind !== 'table' || next.form === 'inline') {
      duplicate(cursor, key, there, `\`${key.text}\` is no table that could hold another`);
      return null;
    }
    into = next;
  }
  return into;
}

function duplicate(cursor: Cursor, at: TomlSpan, { key }: TomlEntry, what: string): void {
  const first = { start: key.start, end: key.end };
  cursor.problem('duplicate', { start: at.start, end: at.end }, `${what}; TOML takes it only once.`, first);
}

function nameOf(keys: readonly TomlKey[]): string {
  return keys.map(({ text }) => text).join('.');
}
