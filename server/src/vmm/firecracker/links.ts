/** Links from a config to the files that it names. */
import type { PathLink } from '../../machine/language';
import { jsonAt, type JsonNode } from '../../text/json';
import type { SourceText } from '../../text/sourceText';

/** Keys of a section at the top whose values are files. */
const PATHS: readonly (readonly [section: string, key: string])[] = [
  ['boot-source', 'kernel_image_path'],
  ['boot-source', 'initrd_path'],
  ['drives', 'path_on_host'],
  ['pmem', 'path_on_host'],
];

export function firecrackerLinks(source: SourceText, root: JsonNode | null): PathLink[] {
  return PATHS.flatMap(([section, key]) => {
    const node = jsonAt(root, section);
    const objects = node?.kind === 'array' ? node.items : node ? [node] : [];
    return objects.flatMap((object) => {
      const path = jsonAt(object, key);
      if (path?.kind !== 'string' || path.value === '') return [];
      // The quotes are not part of the link.
      return [{ range: source.lines.rangeAt(path.start + 1, path.end - 1), path: path.value }];
    });
  });
}
