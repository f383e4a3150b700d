/** Completion in a boot plan: headers of tables, keys, words of values and bits. */
import { shownMachines, type Document, type Suggestion } from '../machine/language';
import type { Position, TextRange } from '../text/position';
import { complete } from '../text/shape/complete';
import { describeMember, detailOf } from '../text/shape/describe';
import type { ConfigNode } from '../text/shape/node';
import type { Member, Shape } from '../text/shape/shape';
import { itemShape, objectShape } from '../text/shape/resolve';
import { exampleOf, inSnippet } from '../text/shape/example';
import { bareKey, TOML_WRITING } from '../text/shape/tomlWriting';
import { tomlTyping } from '../text/toml/typing';
import { isBootPlan, type BootPlanDocument } from './document';
import { BOOT_PLAN } from './keys/plan';

export function completeBootPlan(document: Document, position: Position): Suggestion[] {
  if (!isBootPlan(document)) return [];
  const { source, toml, tree } = document;
  const offset = source.lines.offsetAt(position);
  const typing = tomlTyping(source.text, toml, offset);
  if (!typing) {
    // A header that has begun.
    const begun = /^[^\S\n]*(\[\[?[\w-]*)$/.exec(source.text.slice(offset - position.character, offset))?.[1];
    return begun === undefined ? [] : headers(document, source.lines.rangeAt(offset - begun.length, offset));
  }
  const range = source.lines.rangeAt(typing.word.start, typing.word.end);
  if (typing.typing === 'value' && typing.path.join('.') === 'machine')
    return machines(document, range, typing.quoted);
  const found = complete(tree, BOOT_PLAN, typing, TOML_WRITING)
    .filter(({ kind, label }) => kind === 'word' || typing.path.length > 0 || headerOf(label) === null)
    .map(({ label, kind, detail, markdown, insert }) => ({
      label,
      detail,
      markdown,
      kind: kind === 'key' ? ('snippet' as const) : ('value' as const),
      insert,
      range,
    }));
  // Below any header the next one may begin.
  return typing.lineStart && typing.typing === 'key' ? [...found, ...headers(document, range)] : found;
}

/** Those of the config that the plan names. */
function machines({ config }: BootPlanDocument, range: TextRange, quoted: boolean): Suggestion[] {
  return (config?.document ? shownMachines(config.document) : []).map(({ name }) => ({
    label: name,
    detail: `a machine of ${config!.path.value}`,
    markdown: '',
    kind: 'machine',
    insert: quoted ? name : JSON.stringify(name),
    range,
  }));
}

/** Headers that may come now, each with the keys that its table needs. */
function headers({ tree }: BootPlanDocument, range: TextRange): Suggestion[] {
  const present = new Set(tree.members.map(({ key }) => key.text));
  return Object.entries(BOOT_PLAN.members).flatMap(([key, member]) => {
    const header = headerOf(key);
    if (header === null || (!header.startsWith('[[') && present.has(key))) return [];
    const insert = [header, ...requiredLines(member)].join('\n');
    const markdown = describeMember(key, member);
    return [{ label: header, detail: detailOf(member), markdown, kind: 'snippet' as const, insert, range }];
  });
}

/** `[gdt]`, `[[region]]`; null for a key of the top level that is no table. */
function headerOf(key: string): string | null {
  const shape = BOOT_PLAN.members[key]?.shape;
  if (!shape) return null;
  const item = itemShape(shape);
  if (item) return objectShape(item, null) ? `[[${key}]]` : null;
  return objectShape(shape, null) ? `[${key}]` : null;
}

function requiredLines({ shape }: Member): string[] {
  const members =
    objectShape(itemShape(shape) ?? shape, exampleNode(itemShape(shape) ?? shape))?.members ?? {};
  return Object.entries(members)
    .filter(([, member]) => member.required === true)
    .map(
      ([key, member], index) =>
        `${bareKey(key)} = \${${index + 1}:${inSnippet(member.example ?? exampleOf(member.shape))}}`,
    );
}

/** An object with the example of the key that decides between variants. */
function exampleNode(shape: Shape): ConfigNode | null {
  if (shape.kind !== 'variant') return null;
  const example = shape.common.members[shape.by]!.example;
  if (example === undefined) return null;
  const at = { start: 0, end: 0 };
  const value: ConfigNode = { ...at, kind: 'string', value: example.replace(/"/g, '') };
  return { ...at, kind: 'object', members: [{ key: { ...at, text: shape.by }, value, duplicateOf: null }] };
}
