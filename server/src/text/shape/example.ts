/** What completion writes as the value of a key, in JSON and TOML alike. */
import type { Shape } from './shape';

/** A value of that shape, as written; of several shapes the first, which tables give as the plain one. */
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
      return exampleOf(shape.of[0]!);
    default:
      return '0';
  }
}

/** For text inside of a snippet’s placeholder. */
export function inSnippet(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}
