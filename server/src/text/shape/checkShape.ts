/** Holds a config against its shape: every key and value that it does not have room for. O(n) in the nodes of the config. */
import { closest } from '../closest';
import type { ConfigMember, ConfigNode, NodeSpan, ObjectNode } from './node';
import {
  ANY_VERSION,
  type InVersion,
  type Member,
  type ObjectShape,
  type Shape,
  type StringShape,
  type VariantShape,
} from './shape';

export type ConfigPath = readonly (string | number)[];

interface Place {
  /** Keys and indexes from the root to the object, array or value. */
  readonly path: ConfigPath;
  readonly at: NodeSpan;
}

export type ShapeProblem =
  /**
   * `ignored`: nobody notices; else the config is refused. `nearest`: the valid key that was probably meant; `fits`: whether
   * it could stand here, as it does not yet and takes a value of this type.
   */
  | (Place & {
      readonly kind: 'unknown-key';
      readonly key: string;
      readonly nearest: string | null;
      readonly fits: boolean;
      readonly ignored: boolean;
    })
  /** The key or value exists in other versions only. */
  | (Place & {
      readonly kind: 'other-version';
      readonly key: string;
      readonly member: { readonly since?: string; readonly until?: string };
      readonly ignored: boolean;
    })
  /** `at` is the object's opening. */
  | (Place & { readonly kind: 'missing-key'; readonly key: string; readonly member: Member })
  | (Place & { readonly kind: 'wrong-type'; readonly expected: string; readonly found: string })
  /** `value` and the bounds, which are inclusive, as numbers; of an array they are its length, of an object its known keys. */
  | (Place & {
      readonly kind: 'out-of-range';
      readonly value: bigint;
      readonly least: bigint | undefined;
      readonly most: bigint | undefined;
      readonly unit: string | undefined;
      readonly of: 'value' | 'length' | 'keys';
    })
  | (Place & {
      readonly kind: 'unknown-value';
      readonly value: string;
      readonly values: readonly string[];
      readonly nearest: string | null;
      /** What may stand there instead of one of them, in words. */
      readonly besides: string | undefined;
    })
  | (Place & { readonly kind: 'pattern'; readonly value: string; readonly expected: string })
  | (Place & { readonly kind: 'duplicate-key'; readonly key: string; readonly first: NodeSpan });

/** Something that a template engine or a shell fills in: nothing can be said about its value. */
export function isTemplate(text: string): boolean {
  return /\$\{?[A-Za-z_]|\{\{|\{%|\{[A-Za-z_0-9]*\}|<[A-Z_]+>|@[A-Z_]+@/.test(text);
}

/** In the order of the text, more or less. Never throws. */
export function checkShape(
  root: ConfigNode,
  shape: Shape,
  inVersion: InVersion = ANY_VERSION,
): ShapeProblem[] {
  const checker = new ShapeChecker(inVersion);
  checker.check(root, shape, []);
  return checker.problems;
}

class ShapeChecker {
  readonly problems: ShapeProblem[] = [];

  constructor(private readonly inVersion: InVersion) {}

  check(node: ConfigNode, shape: Shape, path: ConfigPath): void {
    if (shape.kind === 'any' || node.kind === 'invalid') return;
    if (shape.kind === 'either') {
      const fit = shape.of.find((alternative) => takes(alternative, node));
      if (fit) this.check(node, fit, path);
      else this.wrongType(node, shape, path);
      return;
    }
    if (!takes(shape, node)) {
      // A template stands for a value of any type.
      if (!(node.kind === 'string' && isTemplate(node.value))) this.wrongType(node, shape, path);
      return;
    }
    switch (shape.kind) {
      case 'object':
        this.object(node as ObjectNode, shape, path);
        return;
      case 'variant':
        this.variant(node as ObjectNode, shape, path);
        return;
      case 'names':
        this.names(node as ObjectNode, shape.of, path);
        return;
      case 'array':
        if (node.kind !== 'array') return;
        this.range(node, BigInt(node.items.length), shape.least, shape.most, path);
        node.items.forEach((item, index) => this.check(item, shape.of, [...path, index]));
        return;
      case 'integer':
        if (node.kind !== 'integer') return;
        if (outside(node.value, shape.least, shape.most)) {
          const { least, most, unit } = shape;
          this.problems.push({
            kind: 'out-of-range',
            path,
            at: node,
            value: node.value,
            least,
            most,
            unit,
            of: 'value',
          });
        }
        return;
      case 'string':
        if (node.kind === 'string') this.string(node, node.value, shape, path);
        return;
      default:
    }
  }

  private object(node: ObjectNode, shape: ObjectShape, path: ConfigPath): void {
    const keys = Object.keys(shape.members);
    const aliases = new Map<string, string>();
    for (const key of keys) for (const alias of shape.members[key]!.aliases ?? []) aliases.set(alias, key);
    const present = new Set<string>();
    const written = new Set(node.members.map((member) => member.key.text));
    for (const member of node.members) {
      if (member.duplicateOf) {
        this.duplicate(member, member.duplicateOf, path);
        continue;
      }
      const { text } = member.key;
      const key = Object.hasOwn(shape.members, text) ? text : (aliases.get(text) ?? null);
      if (key === null) this.unknown(member, written, shape, path);
      else {
        present.add(key);
        this.member(member, shape.members[key]!, shape, [...path, text]);
      }
    }
    if (shape.oneOf) this.oneOf(node, present, path);
    for (const key of keys) {
      const row = shape.members[key]!;
      if (row.required !== true || present.has(key) || !this.inVersion(row)) continue;
      this.problems.push({
        kind: 'missing-key',
        path,
        at: { start: node.start, end: node.start + 1 },
        key,
        member: row,
      });
    }
  }

  /** Other keys have been told already. */
  private oneOf({ start, members }: ObjectNode, present: ReadonlySet<string>, path: ConfigPath): void {
    const [first, second] = members.filter(({ key, duplicateOf }) => !duplicateOf && present.has(key.text));
    if ((first && !second) || (!first && members.length > 0)) return;
    this.problems.push({
      kind: 'out-of-range',
      path,
      at: second?.key ?? { start, end: start + 1 },
      value: BigInt(present.size),
      least: 1n,
      most: 1n,
      unit: undefined,
      of: 'keys',
    });
  }

  private member(member: ConfigMember, row: Member, shape: ObjectShape, path: ConfigPath): void {
    const { key, value } = member;
    if (!this.inVersion(row)) {
      const ignored = shape.others !== 'refused';
      this.problems.push({ kind: 'other-version', path, at: key, key: key.text, member: row, ignored });
      return;
    }
    if (!value || (value.kind === 'null' && row.nullable === true)) return;
    this.check(value, row.shape, path);
  }

  private variant(node: ObjectNode, shape: VariantShape, path: ConfigPath): void {
    const by = node.members.find(({ key }) => key.text === shape.by)?.value;
    const chosen =
      by?.kind === 'string' && Object.hasOwn(shape.variants, by.value) ? shape.variants[by.value]! : null;
    // Without a known variant nothing is known about the other keys either.
    const others = chosen ? shape.common.others : 'free';
    this.object(node, { kind: 'object', members: { ...shape.common.members, ...chosen }, others }, path);
  }

  private names(node: ObjectNode, of: Shape, path: ConfigPath): void {
    for (const member of node.members) {
      if (member.duplicateOf) this.duplicate(member, member.duplicateOf, path);
      else if (member.value) this.check(member.value, of, [...path, member.key.text]);
    }
  }

  private duplicate({ key }: ConfigMember, first: ConfigMember, path: ConfigPath): void {
    this.problems.push({
      kind: 'duplicate-key',
      path: [...path, key.text],
      at: key,
      key: key.text,
      first: first.key,
    });
  }

  private unknown(
    { key, value }: ConfigMember,
    written: ReadonlySet<string>,
    shape: ObjectShape,
    path: ConfigPath,
  ): void {
    if (shape.others === 'free' || isTemplate(key.text)) return;
    const nearest = nearestKey(key.text, shape, this.inVersion, written);
    const row = nearest === null ? undefined : shape.members[nearest];
    this.problems.push({
      kind: 'unknown-key',
      path: [...path, key.text],
      at: key,
      key: key.text,
      nearest,
      fits:
        row !== undefined &&
        !written.has(nearest!) &&
        (!value ||
          takes(row.shape, value) ||
          (value.kind === 'null' && row.nullable === true) ||
          (value.kind === 'string' && isTemplate(value.value))),
      ignored: shape.others === 'ignored',
    });
  }

  private string(at: NodeSpan, value: string, shape: StringShape, path: ConfigPath): void {
    if (isTemplate(value)) return;
    const { values, pattern, expected, besides } = shape;
    if (values) {
      const known = values.find((row) => row.value === value);
      const here = values.filter((row) => this.inVersion(row)).map((row) => row.value);
      if (known && !this.inVersion(known)) {
        this.problems.push({ kind: 'other-version', path, at, key: value, member: known, ignored: false });
      } else if (!known) {
        const nearest = sameLetters(value, here) ?? closest(value, here) ?? null;
        this.problems.push({ kind: 'unknown-value', path, at, value, values: here, nearest, besides });
      }
    } else if (pattern && !pattern.test(value)) {
      this.problems.push({ kind: 'pattern', path, at, value, expected: expected ?? String(pattern) });
    }
  }

  private range(
    at: NodeSpan,
    length: bigint,
    fewest: number | undefined,
    mostItems: number | undefined,
    path: ConfigPath,
  ): void {
    const least = fewest === undefined ? undefined : BigInt(fewest);
    const most = mostItems === undefined ? undefined : BigInt(mostItems);
    if (!outside(length, least, most)) return;
    this.problems.push({
      kind: 'out-of-range',
      path,
      at,
      value: length,
      least,
      most,
      unit: undefined,
      of: 'length',
    });
  }

  private wrongType(node: ConfigNode, shape: Shape, path: ConfigPath): void {
    this.problems.push({
      kind: 'wrong-type',
      path,
      at: node,
      expected: nameOf(shape),
      found: KIND_NAMES[node.kind],
    });
  }
}

function outside(value: bigint, least: bigint | undefined, most: bigint | undefined): boolean {
  return (least !== undefined && value < least) || (most !== undefined && value > most);
}

/**
 * The same word in another spelling of its joints (`network_interfaces`), a former name, or the nearest spelling of those that
 * are not written yet.
 */
function nearestKey(
  key: string,
  { members }: ObjectShape,
  inVersion: InVersion,
  written: ReadonlySet<string>,
): string | null {
  const keys = Object.keys(members).filter((candidate) => inVersion(members[candidate]!));
  const former = keys.find((candidate) => members[candidate]!.formerly?.includes(key));
  const open = keys.filter((candidate) => !written.has(candidate));
  return sameLetters(key, keys) ?? former ?? closest(key, open) ?? null;
}

/** Equal but for case, hyphens, underscores and dots. */
function sameLetters(word: string, candidates: readonly string[]): string | undefined {
  const plain = letters(word);
  return plain === '' ? undefined : candidates.find((candidate) => letters(candidate) === plain);
}

function letters(word: string): string {
  return word.toLowerCase().replace(/[-_. ]/g, '');
}

const KIND_NAMES: Readonly<Record<ConfigNode['kind'], string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  integer: 'an integer',
  float: 'a number with a fraction or an exponent',
  boolean: 'a boolean',
  null: 'null',
  date: 'a date',
  invalid: 'nothing that can be read',
};

/** What a shape takes, in words. */
export function nameOf(shape: Shape): string {
  switch (shape.kind) {
    case 'object':
    case 'names':
    case 'variant':
      return KIND_NAMES.object;
    case 'number':
      return 'a number';
    case 'any':
      return 'any value';
    case 'either':
      return [...new Set(shape.of.map(nameOf))].join(' or ');
    default:
      return KIND_NAMES[shape.kind];
  }
}

/** By the kinds of shape and node alone. */
function takes(shape: Shape, node: ConfigNode): boolean {
  switch (shape.kind) {
    case 'any':
      return true;
    case 'object':
    case 'names':
    case 'variant':
      return node.kind === 'object';
    case 'number':
      return node.kind === 'integer' || node.kind === 'float';
    case 'either':
      return shape.of.some((alternative) => takes(alternative, node));
    default:
      return node.kind === shape.kind;
  }
}
