/**
 * Keys and values of a plan, by name and type. What has another type than the table of keys says is told by that table, and read
 * as absent here.
 */
import { hex } from '../address/format';
import { parseAddress } from '../address/parse';
import type { Finding, Fix, RelatedPlace } from '../text/finding';
import type { SourceRange } from '../text/position';
import { isTemplate } from '../text/shape/checkShape';
import type { ConfigMember, ConfigNode, NodeSpan, ObjectNode } from '../text/shape/node';
import type { SourceText } from '../text/sourceText';
import type { BitField } from '../x86/bitField';
import { NUMBER } from './keys/values';
import type { Written } from './plan';
import { BOOT_PLAN_PROBLEMS, type BootPlanProblem } from './problems';

/** A value with the node that it was read from. */
export interface Read<T> extends Written<T> {
  readonly node: NodeSpan;
}

const LARGEST_REGISTER = (1n << 64n) - 1n;
const NUMBER_TEXT = NUMBER.of.flatMap((shape) => (shape.kind === 'string' ? [shape.pattern!] : []))[0]!;

export class PlanReader {
  readonly problems: Finding[] = [];

  constructor(readonly source: SourceText) {}

  at({ start, end }: NodeSpan): SourceRange {
    return this.source.at(start, end);
  }

  problem(
    code: BootPlanProblem,
    at: NodeSpan,
    message: string,
    more: { readonly related?: readonly RelatedPlace[]; readonly fixes?: readonly Fix[] } = {},
  ): void {
    this.problems.push({
      code,
      severity: BOOT_PLAN_PROBLEMS[code].severity,
      message,
      at: this.at(at),
      ...more,
    });
  }

  member(object: ObjectNode | null, key: string): ConfigMember | null {
    return object?.members.find((member) => member.key.text === key && !member.duplicateOf) ?? null;
  }

  value(object: ObjectNode | null, key: string): ConfigNode | null {
    return this.member(object, key)?.value ?? null;
  }

  table(object: ObjectNode | null, key: string): ObjectNode | null {
    const value = this.value(object, key);
    return value?.kind === 'object' ? value : null;
  }

  /** The tables of an array of tables. */
  tables(object: ObjectNode | null, key: string): ObjectNode[] {
    const value = this.value(object, key);
    return value?.kind === 'array' ? value.items.filter((item) => item.kind === 'object') : [];
  }

  text(object: ObjectNode | null, key: string): Read<string> | null {
    const node = this.value(object, key);
    return node?.kind === 'string' ? { value: node.value, at: this.at(node), node } : null;
  }

  /** One of `values`. */
  word<T extends string>(object: ObjectNode | null, key: string, values: readonly T[]): T | null {
    const node = this.value(object, key);
    return node?.kind === 'string' ? (values.find((value) => value === node.value) ?? null) : null;
  }

  boolean(object: ObjectNode | null, key: string): boolean | null {
    const node = this.value(object, key);
    return node?.kind === 'boolean' ? node.value : null;
  }

  /** An integer between `least` and `most`, both inclusive, as the table of keys has them. */
  integer(object: ObjectNode | null, key: string, least: number, most: number): Read<number> | null {
    const node = this.value(object, key);
    if (node?.kind !== 'integer' || node.value < BigInt(least) || node.value > BigInt(most)) return null;
    return { value: Number(node.value), at: this.at(node), node };
  }

  /** An address, a size or a register; with `asEnd` it may be 2^64. */
  number(object: ObjectNode | null, key: string, asEnd = false): Read<bigint> | null {
    const node = this.value(object, key);
    return node && this.numberOf(node, asEnd);
  }

  numberOf(node: ConfigNode, asEnd = false): Read<bigint> | null {
    if (node.kind === 'integer') {
      if (node.value < 0n) return null;
      if (node.value > LARGEST_REGISTER + (asEnd ? 1n : 0n)) {
        this.problem('boot-plan-number', node, `${hex(node.value)} does not fit into 64 bits.`);
        return null;
      }
      return { value: node.value, at: this.at(node), node };
    }
    if (node.kind !== 'string') return null;
    if (!NUMBER_TEXT.test(node.value)) {
      // Otherwise the table of keys has told it.
      if (isTemplate(node.value)) this.template(node);
      return null;
    }
    const parsed = parseAddress(node.value, asEnd);
    if ('problem' in parsed) {
      this.problem(
        'boot-plan-number',
        node,
        `${parsed.problem[0]!.toUpperCase()}${parsed.problem.slice(1)}.`,
      );
      return null;
    }
    return { value: parsed.value, at: this.at(node), node };
  }

  private template(node: NodeSpan): void {
    this.problem(
      'boot-plan-number',
      node,
      'A boot plan has no variables: what stands here is taken as it is, and it is no number.',
    );
  }

  /** A register by bit names or as a number. Names that the register lacks are told by the table of keys. */
  bits(node: ConfigNode, fields: readonly BitField[]): Read<bigint> | null {
    if (node.kind !== 'array') return this.numberOf(node);
    let value = 0n;
    for (const item of node.items) {
      if (item.kind !== 'string') continue;
      const field = fields.find(({ name, high, low }) => name === item.value && high === low);
      if (field) value |= 1n << BigInt(field.low);
    }
    return { value, at: this.at(node), node };
  }
}
