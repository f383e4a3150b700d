/** Keys and words that may stand at a place of a config, from the table of its keys. */
import { detailOf, describeMember } from './describe';
import type { ConfigNode, NodeSpan } from './node';
import { itemShape, objectShape, shapeAtPath, valuesOf } from './resolve';
import type { ConfigPath } from './checkShape';
import { ANY_VERSION, type InVersion, type Member, type Shape } from './shape';

/** Where something is typed, as the syntax tells it. */
export interface TypingPlace {
  /** To the object whose key is typed, to the value, or to the array of which an item is typed. */
  readonly path: ConfigPath;
  readonly typing: 'key' | 'value' | 'item';
  /** What the suggestion replaces: the word so far, without quotes around it. */
  readonly word: NodeSpan;
  /** The word stands in quotes that are there already. */
  readonly quoted: boolean;
}

/** How a syntax writes what is suggested. */
export interface Writing {
  /** A key with what follows it, as a snippet of a TextMate grammar. */
  key(key: string, member: Member): string;
  word(value: string): string;
}

export interface ShapeSuggestion {
  readonly label: string;
  readonly kind: 'key' | 'word';
  readonly detail: string;
  readonly markdown: string;
  /** A snippet where `kind` is `key`, text otherwise. */
  readonly insert: string;
  readonly required: boolean;
}

/** Required keys first, then in the order of the table. Keys that are there are left out. */
export function complete(
  root: ConfigNode | null,
  shape: Shape,
  place: TypingPlace,
  writing: Writing,
  inVersion: InVersion = ANY_VERSION,
): ShapeSuggestion[] {
  const here = shapeAtPath(root, shape, place.path);
  if (!here) return [];
  if (place.typing === 'key') {
    const object = objectShape(here.shape, here.node);
    const present = presentKeys(here.node, place.word);
    return Object.entries(object?.members ?? {})
      .filter(([key, member]) => inVersion(member) && !present.has(key))
      .sort(([, a], [, b]) => Number(b.required === true) - Number(a.required === true))
      .map(([key, member]) => ({
        label: key,
        kind: 'key',
        detail: detailOf(member),
        markdown: describeMember(key, member, inVersion),
        insert: writing.key(key, member),
        required: member.required === true,
      }));
  }
  const of = place.typing === 'item' ? itemShape(here.shape) : here.shape;
  return of ? words(of, place, writing, inVersion) : [];
}

function words(
  shape: Shape,
  { quoted }: TypingPlace,
  writing: Writing,
  inVersion: InVersion,
): ShapeSuggestion[] {
  const suggest = (label: string, markdown: string, insert: string): ShapeSuggestion => ({
    label,
    kind: 'word',
    detail: '',
    markdown,
    insert,
    required: false,
  });
  const strings = valuesOf(shape)
    .filter(inVersion)
    .map(({ value, text }) => suggest(value, text, quoted ? value : writing.word(value)));
  if (quoted) return strings;
  const takesBoolean =
    shape.kind === 'boolean' || (shape.kind === 'either' && shape.of.some(({ kind }) => kind === 'boolean'));
  return takesBoolean ? [...strings, suggest('true', '', 'true'), suggest('false', '', 'false')] : strings;
}

/** Keys of an object but for the one that is being typed. */
function presentKeys(node: ConfigNode | null, word: NodeSpan): ReadonlySet<string> {
  if (node?.kind !== 'object') return new Set();
  return new Set(
    node.members.filter(({ key }) => key.end < word.start || key.start > word.end).map(({ key }) => key.text),
  );
}
