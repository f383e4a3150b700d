/** Which part of a shape a place of a config belongs to. */
import type { ConfigPath } from './checkShape';
import { memberOf, type ConfigNode, type NodeSpan } from './node';
import type { Member, ObjectShape, Shape, StringValue } from './shape';

/** The alternative of a shape that takes this kind of node; the shape itself where it has no alternatives. */
function alternatives(shape: Shape): readonly Shape[] {
  return shape.kind === 'either' ? shape.of.flatMap(alternatives) : [shape];
}

/** An object of a shape with the members of its variant, as far as `node` tells which it is. Null where it takes no object. */
export function objectShape(shape: Shape, node: ConfigNode | null): ObjectShape | null {
  for (const alternative of alternatives(shape)) {
    if (alternative.kind === 'object') return alternative;
    if (alternative.kind !== 'variant') continue;
    const { by, common, variants } = alternative;
    const value = memberOf(node, by)?.value;
    const chosen =
      value?.kind === 'string' && Object.hasOwn(variants, value.value) ? variants[value.value]! : {};
    return { ...common, members: { ...common.members, ...chosen } };
  }
  return null;
}

/** The shape of an array's items; null where it takes no array. */
export function itemShape(shape: Shape): Shape | null {
  for (const alternative of alternatives(shape)) if (alternative.kind === 'array') return alternative.of;
  return null;
}

export interface KeyShape {
  /** As the shape has it: an alias is led back to it. */
  readonly key: string;
  /** Null for a name that the user gives. */
  readonly member: Member | null;
  readonly shape: Shape;
}

/** What a key of an object is; null for an unknown one. */
export function keyShape(shape: Shape, node: ConfigNode | null, key: string): KeyShape | null {
  const object = objectShape(shape, node);
  if (object) {
    const own = Object.hasOwn(object.members, key)
      ? key
      : Object.keys(object.members).find((name) => object.members[name]!.aliases?.includes(key));
    if (own === undefined) return null;
    const member = object.members[own]!;
    return { key: own, member, shape: member.shape };
  }
  for (const alternative of alternatives(shape)) {
    if (alternative.kind === 'names') return { key, member: null, shape: alternative.of };
  }
  return null;
}

export interface ShapeAtPath {
  readonly shape: Shape;
  readonly node: ConfigNode | null;
}

/** The shape at a path of keys and indexes, with the node there; null where the shape has nothing there. */
export function shapeAtPath(root: ConfigNode | null, shape: Shape, path: ConfigPath): ShapeAtPath | null {
  let at: ShapeAtPath = { shape, node: root };
  for (const step of path) {
    if (typeof step === 'number') {
      const item = itemShape(at.shape);
      if (!item) return null;
      at = { shape: item, node: at.node?.kind === 'array' ? (at.node.items[step] ?? null) : null };
    } else {
      const found = keyShape(at.shape, at.node, step);
      if (!found) return null;
      at = {
        shape: found.shape,
        node: memberOf(at.node, step)?.value ?? null,
      };
    }
  }
  return at;
}

/** All words that a text of this shape may be. */
export function valuesOf(shape: Shape): readonly StringValue[] {
  return alternatives(shape).flatMap((alternative) =>
    alternative.kind === 'string' ? (alternative.values ?? []) : [],
  );
}

export interface ShapePlace extends KeyShape {
  /** The key, the word, or the value. */
  readonly span: NodeSpan;
  /** The word that stands there, where the shape has it. */
  readonly word: StringValue | null;
  readonly path: ConfigPath;
}

/** What stands at an offset: a key, or a value under a key. Null between them and under unknown keys. */
export function placeAt(root: ConfigNode, shape: Shape, offset: number): ShapePlace | null {
  return placeIn(root, shape, offset, []);
}

function placeIn(node: ConfigNode, shape: Shape, offset: number, path: ConfigPath): ShapePlace | null {
  if (node.kind === 'array') {
    const of = itemShape(shape);
    for (const [index, item] of node.items.entries()) {
      const found = of && placeIn(item, of, offset, [...path, index]);
      if (found) return found;
    }
    return null;
  }
  if (node.kind !== 'object') return null;
  for (const { key, value } of node.members) {
    const found = keyShape(shape, node, key.text);
    if (!found) continue;
    const inner = [...path, key.text];
    if (within(key, offset)) return { ...found, span: key, word: null, path: inner };
    // Tables of TOML that headers make stand apart: their array does not span them.
    const deeper = value && placeIn(value, found.shape, offset, inner);
    if (deeper) return deeper;
    if (!value || !within(value, offset)) continue;
    const word = wordAt(value, found.shape, offset);
    if (word) return { ...found, ...word, path: inner };
    if (value.kind !== 'object' && value.kind !== 'array') {
      return { ...found, span: value, word: null, path: inner };
    }
  }
  return null;
}

/** A word of a list, or the value itself. */
function wordAt(
  node: ConfigNode,
  shape: Shape,
  offset: number,
): { readonly span: NodeSpan; readonly word: StringValue } | null {
  if (node.kind === 'array') {
    const item = node.items.find((candidate) => within(candidate, offset));
    const of = itemShape(shape);
    return item && of ? wordAt(item, of, offset) : null;
  }
  if (node.kind !== 'string') return null;
  const word = valuesOf(shape).find(({ value }) => value === node.value);
  return word ? { span: node, word } : null;
}

function within({ start, end }: NodeSpan, offset: number): boolean {
  return offset >= start && offset <= end;
}
