/** Registers and table entries as lists of bit fields, and what comes of decoding one. */
import { hex } from '../address/format';

/** A named run of bits, `high` down to `low` inclusive, as the manuals number them. */
export interface BitField {
  readonly name: string;
  readonly high: number;
  readonly low: number;
  readonly meaning: (value: bigint) => string;
}

export interface ExplainedField {
  readonly name: string;
  /** `5` or `13:12`. */
  readonly bits: string;
  /** Lower-case hex. */
  readonly value: string;
  readonly meaning: string;
}

/** One decoded value: the JSON of `bootpath explain`. */
export interface Explanation {
  readonly kind: string;
  /** Lower-case hex. */
  readonly value: string;
  /** About eight words. */
  readonly summary: string;
  readonly fields: readonly ExplainedField[];
  /** Names of the single bits that are set. */
  readonly set: readonly string[];
  /** What the manuals forbid or call undefined, one sentence each. */
  readonly problems: readonly string[];
}

export function bit(value: bigint, position: number): boolean {
  return ((value >> BigInt(position)) & 1n) === 1n;
}

/** Bits `high` to `low`, both inclusive, shifted down. */
export function bits(value: bigint, high: number, low: number): bigint {
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

/** A single bit; its meaning is the title with `on` or `off`. */
export function flag(position: number, name: string, title: string): BitField {
  return { name, high: position, low: position, meaning: (value) => `${title}: ${value ? 'on' : 'off'}` };
}

/** A single bit whose two states have words of their own. */
export function choice(position: number, name: string, whenClear: string, whenSet: string): BitField {
  return { name, high: position, low: position, meaning: (value) => (value ? whenSet : whenClear) };
}

export function field(high: number, low: number, name: string, meaning: (value: bigint) => string): BitField {
  return { name, high, low, meaning };
}

export function explainFields(value: bigint, fields: readonly BitField[]): ExplainedField[] {
  return fields.map(({ name, high, low, meaning }) => {
    const part = bits(value, high, low);
    return {
      name,
      bits: high === low ? String(low) : `${high}:${low}`,
      value: hex(part),
      meaning: meaning(part),
    };
  });
}

/** Names of the fields of one bit that are set. */
export function setFlags(value: bigint, fields: readonly BitField[]): string[] {
  return fields.filter(({ high, low }) => high === low && bit(value, low)).map(({ name }) => name);
}

/** The bits that no field names, within `width` bits; reserved ones, where the table is complete. */
export function unnamedBits(value: bigint, fields: readonly BitField[], width: number): number[] {
  const named = new Set<number>();
  for (const { high, low } of fields)
    for (let position = low; position <= high; position++) named.add(position);
  const found: number[] = [];
  for (let position = 0; position < width; position++) {
    if (!named.has(position) && bit(value, position)) found.push(position);
  }
  return found;
}

/** `bit 15`, `bits 15 and 19`, `bits 15, 19 and 33`. */
export function listBits(positions: readonly number[]): string {
  if (positions.length === 1) return `bit ${positions[0]}`;
  return `bits ${positions.slice(0, -1).join(', ')} and ${positions[positions.length - 1]}`;
}
