/** The tree of a TOML text for a `Shape`. Duplicates are TOML's own errors, so there are none here. */
import type { TomlTable, TomlValue } from '../toml/tree';
import type { ConfigNode, ObjectNode } from './node';

export function configOfToml(table: TomlTable): ObjectNode {
  return {
    kind: 'object',
    start: table.start,
    end: table.end,
    members: [...table.entries.values()].map(({ key, value }) => ({
      key,
      value: nodeOf(value),
      duplicateOf: null,
    })),
  };
}

function nodeOf(value: TomlValue): ConfigNode {
  const { start, end } = value;
  switch (value.kind) {
    case 'table':
      return configOfToml(value);
    case 'array':
      return { kind: 'array', start, end, items: value.items.map(nodeOf) };
    case 'date':
      return { kind: 'date', start, end, value: value.value };
    case 'invalid':
      return { kind: 'invalid', start, end };
    default:
      return value;
  }
}
