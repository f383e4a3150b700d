/** The keys of a shape and of a config as paths, lists left out: `drives.rate_limiter.ops`. */
import type { Shape } from '../../../server/src/text/shape/shape';

export function pathsOf(shape: Shape, at = ''): Set<string> {
  const paths = new Set<string>();
  const add = (more: Set<string>) => more.forEach((path) => paths.add(path));
  switch (shape.kind) {
    case 'object':
      for (const [key, member] of Object.entries(shape.members)) {
        const path = at === '' ? key : `${at}.${key}`;
        paths.add(path);
        add(pathsOf(member.shape, path));
      }
      break;
    case 'array':
      add(pathsOf(shape.of, at));
      break;
    case 'either':
      for (const each of shape.of) add(pathsOf(each, at));
      break;
    default:
  }
  return paths;
}

export function keysOf(value: unknown, at = ''): Set<string> {
  const paths = new Set<string>();
  const items: unknown[] = Array.isArray(value) ? value : [value];
  for (const item of items) {
    if (typeof item !== 'object' || item === null) continue;
    for (const [key, inner] of Object.entries(item)) {
      const path = at === '' ? key : `${at}.${key}`;
      paths.add(path);
      keysOf(inner, path).forEach((each) => paths.add(each));
    }
  }
  return paths;
}
