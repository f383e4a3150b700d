import type { TomlValue } from '../../../../server/src/text/toml/tree';

export type Plain = bigint | number | boolean | string | readonly Plain[] | { readonly [key: string]: Plain };

/** A TOML value without its places; an invalid one is undefined. Objects have no prototype, so that `__proto__` is a key. */
export function plain(value: TomlValue | Plain): unknown {
  if (Array.isArray(value)) return value.map((item: Plain) => plain(item));
  if (typeof value !== 'object') return value;
  if (!isToml(value)) return record(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  switch (value.kind) {
    case 'table':
      return record([...value.entries].map(([key, entry]) => [key, plain(entry.value)]));
    case 'array':
      return value.items.map(plain);
    case 'date':
      return record([['date', `${value.form} ${value.value}`]]);
    case 'invalid':
      return undefined;
    default:
      return value.value;
  }
}

function isToml(value: object): value is TomlValue {
  return 'kind' in value && 'start' in value;
}

/** Compared by their own keys. */
function record(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [key, value] of entries) {
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true });
  }
  return made;
}
