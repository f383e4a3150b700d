/** The outline of a config, and its links: sections, and what stands in them. */
import type { OutlineNode, PathLink } from '../../machine/language';
import { jsonAt, type JsonMember, type JsonNode } from '../../text/json';
import type { SourceText } from '../../text/sourceText';

const LONGEST_DETAIL = 60;
/** Nobody looks deeper in an outline, and a generated file may go on forever. */
const DEEPEST = 6;

export function jsonOutline(source: SourceText, root: JsonNode | null, depth = 0): OutlineNode[] {
  if (depth >= DEEPEST) return [];
  if (root?.kind === 'object') return root.members.map((member) => memberNode(source, member, depth));
  if (root?.kind !== 'array') return [];
  return root.items.map((item, index) => {
    const range = source.lines.rangeAt(item.start, item.end);
    const children = jsonOutline(source, item, depth + 1);
    const name = identityOf(item) ?? String(index);
    return { name, detail: detailOf(item), kind: 'option', range, nameRange: range, children };
  });
}

function memberNode(source: SourceText, { key, value }: JsonMember, depth: number): OutlineNode {
  return {
    name: key.value === '' ? '""' : key.value,
    detail: value ? detailOf(value) : '',
    kind: 'option',
    range: source.lines.rangeAt(key.start, Math.max(value?.end ?? 0, key.end)),
    nameRange: source.lines.rangeAt(key.start, key.end),
    children: value ? jsonOutline(source, value, depth + 1) : [],
  };
}

/** What a device is called: the value of its `…_id`. */
function identityOf(node: JsonNode): string | null {
  if (node.kind !== 'object') return null;
  const named = node.members.find(
    ({ key, value }) => /(?:^|_)id$/.test(key.value) && value?.kind === 'string',
  );
  return named?.value?.kind === 'string' && named.value.value !== '' ? named.value.value : null;
}

function detailOf(node: JsonNode): string {
  if (node.kind === 'object' || node.kind === 'array') return '';
  const text = node.kind === 'number' ? node.text : String(node.value);
  return text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL)}…` : text;
}

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
