/** The outline of a Propolis config: its tables in a row, each with the keys below its header. */
import { formatSize } from '../../address/format';
import { MIB } from '../../address/range';
import type { OutlineKind, OutlineNode } from '../../machine/language';
import type { SourceText } from '../../text/sourceText';
import type { TomlEntry, TomlTable, TomlValue } from '../../text/toml/tree';

export function outlineOf(source: SourceText, root: TomlTable): OutlineNode[] {
  return tables(source, root, '').sort(
    (a, b) => source.lines.offsetAt(a.range.start) - source.lines.offsetAt(b.range.start),
  );
}

/** A table with a header of its own may stand anywhere, so none is put into another. */
function tables(source: SourceText, table: TomlTable, prefix: string): OutlineNode[] {
  return [...table.entries.values()].flatMap((entry) => {
    const { value, key } = entry;
    const path = prefix + key.text;
    if (!isApart(value)) return table.form === 'root' ? [node(source, entry, path, 'option', [])] : [];
    if (value.kind !== 'table') return [node(source, entry, path, 'switch', [])];
    const inner = tables(source, value, `${path}.`);
    // Only longer headers name it, as `dev` of `[dev.net0]`.
    if (value.form === 'implicit') return inner;
    const keys = [...value.entries.values()]
      .filter((child) => !isApart(child.value))
      .map((child) => node(source, child, child.key.text, 'option', []));
    return [node(source, entry, path, path === 'main' ? 'machine' : 'switch', keys), ...inner];
  });
}

function isApart(value: TomlValue): boolean {
  if (value.kind === 'array') return value.ofTables;
  return value.kind === 'table' && (value.form === 'header' || value.form === 'implicit');
}

function node(
  source: SourceText,
  { key, value }: TomlEntry,
  path: string,
  kind: OutlineKind,
  children: OutlineNode[],
): OutlineNode {
  return {
    name: path.slice(0, 200) || '(no name)',
    detail: detailOf(path, value).slice(0, 200),
    kind,
    range: source.lines.rangeAt(Math.min(key.start, value.start), Math.max(key.end, value.end)),
    nameRange: source.lines.rangeAt(key.start, key.end),
    children,
  };
}

function detailOf(path: string, value: TomlValue): string {
  if (value.kind === 'array') return `${value.items.length} items`;
  if (value.kind !== 'table') return String(value.value);
  const inner = (key: string) => value.entries.get(key)?.value;
  const memory = inner('memory');
  if (path === 'main' && memory?.kind === 'integer') return formatSize(memory.value * MIB);
  const what = inner('driver') ?? inner('type') ?? inner('vendor');
  return what?.kind === 'string' ? what.value : '';
}
