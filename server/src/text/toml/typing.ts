/** Where in a TOML text something is typed: in a header, a key, a value or a list. Works on texts that are half typed. */
import type { ConfigPath } from '../shape/checkShape';
import type { TypingPlace } from '../shape/complete';
import type { TomlTable, TomlValue } from './tree';

/** Of a table, an inline table or an array, with the path to it. */
interface Container {
  readonly path: ConfigPath;
  readonly value: TomlValue;
}

export interface TomlTyping extends TypingPlace {
  /** A header may stand here too: nothing but blanks is before the word on its line. */
  readonly lineStart: boolean;
}

const WORD = /[A-Za-z0-9_.+!@#-]*$/;
const INSIDE = /[^"']*$/;

/** Null in comments, headers and wherever nothing of a table’s own is typed. */
export function tomlTyping(text: string, root: TomlTable, offset: number): TomlTyping | null {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const before = text.slice(lineStart, offset);
  const state = scan(before);
  if (state.comment || /^\s*\[/.test(before)) return insideList(text, root, offset, state.quote !== '');
  const section = sectionAt(root, offset);
  const inner = innermost(section, offset);
  const quoted = state.quote !== '';
  const word = wordAt(text, offset, quoted);
  if (inner.value.kind === 'array' && !inner.value.ofTables) {
    return { path: inner.path, typing: 'item', word, quoted, lineStart: false };
  }
  const since = inner.value === section.value ? before : text.slice(inner.value.start + 1, offset);
  const part = afterLastSeparator(since, inner.value !== section.value);
  const equals = part.indexOf('=');
  if (equals < 0) {
    return { path: inner.path, typing: 'key', word, quoted, lineStart: /^\s*[\w.-]*$/.test(before) };
  }
  const keys = part
    .slice(0, equals)
    .trim()
    .split('.')
    .map((key) => key.trim().replace(/^["']|["']$/g, ''));
  return { path: [...inner.path, ...keys], typing: 'value', word, quoted, lineStart: false };
}

/** A line of a list that begins with a bracket is no header. */
function insideList(text: string, root: TomlTable, offset: number, quoted: boolean): TomlTyping | null {
  const inner = innermost(sectionAt(root, offset), offset);
  if (inner.value.kind !== 'array' || inner.value.ofTables) return null;
  return { path: inner.path, typing: 'item', word: wordAt(text, offset, quoted), quoted, lineStart: false };
}

function wordAt(text: string, offset: number, quoted: boolean): { start: number; end: number } {
  const before = text.slice(Math.max(0, offset - 200), offset);
  const length = (quoted ? INSIDE : WORD).exec(before)![0].length;
  const after = /^[A-Za-z0-9_.+!@-]*/.exec(text.slice(offset, offset + 200))![0].length;
  return { start: offset - length, end: offset + after };
}

/** Whether the end of a line's part lies in a comment or in a string. */
function scan(part: string): { readonly quote: string; readonly comment: boolean } {
  let quote = '';
  for (let i = 0; i < part.length; i++) {
    const character = part[i]!;
    if (quote === '') {
      if (character === '#') return { quote: '', comment: true };
      if (character === '"' || character === "'") quote = character;
    } else if (character === quote) quote = '';
    else if (character === '\\' && quote === '"') i++;
  }
  return { quote, comment: false };
}

/** What stands behind the last comma that separates entries of an inline table. */
function afterLastSeparator(part: string, inline: boolean): string {
  if (!inline) return part;
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < part.length; i++) {
    const character = part[i]!;
    if (quote !== '') {
      if (character === '\\' && quote === '"') i++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    else if (character === ',' && depth === 0) from = i + 1;
  }
  return part.slice(from);
}

/** The table whose header is the last one before the offset; the root where there is none. */
function sectionAt(root: TomlTable, offset: number): Container {
  let found: Container = { path: [], value: root };
  const visit = (table: TomlTable, path: ConfigPath): void => {
    for (const [key, { value }] of table.entries) {
      const items = value.kind === 'array' && value.ofTables ? value.items : [value];
      items.forEach((item, index) => {
        if (item.kind !== 'table' || item.form === 'inline') return;
        const inner = value.kind === 'array' ? [...path, key, index] : [...path, key];
        if (item.form === 'header' && item.start < offset && item.start >= found.value.start) {
          found = { path: inner, value: item };
        }
        visit(item, inner);
      });
    }
  };
  visit(root, []);
  return found;
}

/** The list or inline table within a section in which the offset lies. */
function innermost(section: Container, offset: number): Container {
  let at = section;
  for (;;) {
    const next = children(at).find(
      ({ value }) =>
        (value.kind === 'array' ? !value.ofTables : value.kind === 'table' && value.form !== 'header') &&
        value.start < offset &&
        offset < value.end,
    );
    if (!next) return at;
    at = next;
  }
}

function children({ path, value }: Container): readonly Container[] {
  if (value.kind === 'array')
    return value.items.map((item, index) => ({ path: [...path, index], value: item }));
  if (value.kind !== 'table') return [];
  return [...value.entries].map(([key, entry]) => ({ path: [...path, key], value: entry.value }));
}
