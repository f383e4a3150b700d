/** What the readers of JSON configs share: findings of the JSON reader, the outline, and options by their key path. */
import type { OutlineNode } from '../machine/language';
import type { Setting } from '../machine/machine';
import { fromText, type Fact } from '../machine/origin';
import type { Finding } from '../text/finding';
import { jsonRange, type JsonNode, type JsonText } from '../text/json';
import type { SourceText } from '../text/sourceText';

/** The code of what the JSON reader itself has to say. */
export const JSON_SYNTAX = 'json-syntax';

/** Serde and its like refuse all of these, comments and trailing commas too. */
export function jsonFindings(source: SourceText, { problems }: JsonText): Finding[] {
  return problems.map(({ code, message, start, end }) => ({
    code: JSON_SYNTAX,
    severity: code === 'placeholder' ? 'information' : 'error',
    message:
      code === 'placeholder'
        ? `${message}: this is no JSON until something fills it in, and nothing is said about the value.`
        : `${message}: a VMM reads strict JSON (RFC 8259) and refuses the whole text.`,
    at: source.at(start, end),
  }));
}

const DEEPEST_OUTLINE = 3;
const LONGEST_DETAIL = 60;

/** Members of objects, and of objects in arrays by their `id` or `…_id`, else by their index. */
export function jsonOutline(source: SourceText, root: JsonNode | null): OutlineNode[] {
  return root ? children(source, root, 0) : [];
}

function children(source: SourceText, node: JsonNode, depth: number): OutlineNode[] {
  if (depth >= DEEPEST_OUTLINE) return [];
  if (node.kind === 'array') {
    return node.items.map((item, index) => ({
      name: identityOf(item) ?? `${index}`,
      detail: detailOf(item),
      kind: 'option' as const,
      range: jsonRange(source, item).range,
      nameRange: source.at(item.start, item.start + 1).range,
      children: children(source, item, depth + 1),
    }));
  }
  if (node.kind !== 'object') return [];
  return node.members.map(({ key, value }) => ({
    name: key.value,
    detail: value ? detailOf(value) : '',
    kind: 'option' as const,
    range: source.at(key.start, (value ?? key).end).range,
    nameRange: jsonRange(source, key).range,
    children: value ? children(source, value, depth + 1) : [],
  }));
}

function identityOf(node: JsonNode): string | null {
  if (node.kind !== 'object') return null;
  for (const { key, value } of node.members) {
    if (/(?:^|_)id$/.test(key.value) && value?.kind === 'string' && value.value !== '') return value.value;
  }
  return null;
}

function detailOf(node: JsonNode): string {
  if (node.kind === 'array') return `${node.items.length} ${node.items.length === 1 ? 'item' : 'items'}`;
  if (node.kind === 'object') return '';
  const text = node.kind === 'number' ? node.text : String(node.value);
  return text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL)}…` : text;
}

/**
 * Every string, integer and truth value by its path of keys and indexes, `disks.0.path`; the first where a key stands twice.
 * Null is as good as absent.
 */
export function jsonSettings(source: SourceText, root: JsonNode | null): Map<string, Fact<Setting>> {
  const settings = new Map<string, Fact<Setting>>();
  const visit = (node: JsonNode, path: string): void => {
    if (node.kind === 'object') {
      for (const { key, value, duplicateOf } of node.members) {
        if (value && !duplicateOf) visit(value, path === '' ? key.value : `${path}.${key.value}`);
      }
    } else if (node.kind === 'array') {
      node.items.forEach((item, index) => visit(item, `${path}.${index}`));
    } else {
      const value = node.kind === 'number' ? node.integer : node.value;
      if (value !== null) settings.set(path, { value, origin: fromText(jsonRange(source, node)) });
    }
  };
  if (root) visit(root, '');
  return settings;
}
