/** How completion writes keys and words of a TOML config. */
import type { Writing } from './complete';
import type { Shape } from './shape';

/** As TOML writes what is suggested: a key with an example of its value behind it. */
export const TOML_WRITING: Writing = {
  key: (key, { example, shape }) => `${bareKey(key)} = \${1:${inSnippet(example ?? exampleOf(shape))}}`,
  word: (value) => JSON.stringify(value),
};

/** Without quotes where TOML needs none. */
export function bareKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

/** For text inside of a snippet’s placeholder. */
export function inSnippet(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}

/** A value of that shape, as written. */
export function exampleOf(shape: Shape): string {
  switch (shape.kind) {
    case 'boolean':
      return 'true';
    case 'string':
      return '""';
    case 'array':
      return '[]';
    case 'object':
    case 'names':
    case 'variant':
      return '{}';
    case 'either':
      return exampleOf(shape.of.at(-1)!);
    default:
      return '0';
  }
}
