/** How completion writes keys and words of a TOML config. */
import type { Writing } from './complete';
import { exampleOf, inSnippet } from './example';

/** As TOML writes what is suggested: a key with an example of its value behind it. */
export const TOML_WRITING: Writing = {
  key: (key, { example, shape }) => `${bareKey(key)} = \${1:${inSnippet(example ?? exampleOf(shape))}}`,
  word: (value) => JSON.stringify(value),
};

/** Without quotes where TOML needs none. */
export function bareKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}
