/** GDT and IDT of a plan, as bytes in memory and entry by entry. */
import { hex } from '../address/format';
import type { TableEntry } from '../machine/bootState';
import type { SourceRange } from '../text/position';
import type { ConfigNode, ObjectNode } from '../text/shape/node';
import {
  encodeGate,
  encodeSegment,
  GATE_TYPES,
  SEGMENT_TYPES,
  type Encoded,
  type GateTypeName,
  type SegmentFields,
  type SegmentTypeName,
} from './descriptors';
import type { PlanReader } from './reader';

export interface PlannedTable {
  readonly which: 'gdt' | 'idt';
  readonly base: bigint;
  /** Offset of the last byte, as the register holds it. */
  readonly limit: number;
  /** 8 bytes each. */
  readonly words: readonly bigint[];
  readonly entries: readonly TableEntry[];
  readonly at: SourceRange;
}

const SEGMENT_NAMES = Object.keys(SEGMENT_TYPES) as SegmentTypeName[];
const GATE_NAMES = Object.keys(GATE_TYPES) as GateTypeName[];
/** 64 KiB: what a 16-bit limit reaches. */
const MOST_WORDS = 8192;

/** Which of the fields of a segment only some types have. */
const ONLY: Readonly<Record<string, readonly SegmentTypeName[]>> = {
  readable: ['code64', 'code32', 'code16'],
  conforming: ['code64', 'code32', 'code16'],
  writable: ['data', 'data16'],
  'expand-down': ['data', 'data16'],
  accessed: ['code64', 'code32', 'code16', 'data', 'data16'],
  busy: ['tss64', 'tss32', 'tss16'],
};

export function readTable(reader: PlanReader, root: ObjectNode, which: 'gdt' | 'idt'): PlannedTable | null {
  const table = reader.table(root, which);
  if (!table) return null;
  const base = reader.number(table, 'base');
  const list = reader.value(table, 'entries');
  const nodes = list?.kind === 'array' ? list.items : [];
  const words: bigint[] = [];
  const entries: TableEntry[] = [];
  for (const node of nodes) {
    const encoded = which === 'gdt' ? segmentWords(reader, node) : gateWords(reader, node);
    const index = which === 'idt' ? (placeOf(reader, node) ?? words.length) : words.length;
    if (index + encoded.length > MOST_WORDS) {
      const message = `The table has more than ${MOST_WORDS} entries of 8 bytes, and its 16-bit limit reaches no further.`;
      reader.problem('boot-plan-descriptor', node, message);
      break;
    }
    for (const [offset, value] of encoded.entries()) {
      const at = index + offset;
      while (words.length < at) words.push(0n);
      words[at] = value;
      entries.push({ index: at, value, at: reader.at(node) });
    }
  }
  if (!base) return null;
  const bytes = 8 * words.length;
  const given = reader.integer(table, 'limit', 0, 0xffff);
  return {
    which,
    base: base.value,
    limit: given?.value ?? Math.max(0, bytes - 1),
    words,
    entries,
    at: reader.at(table),
  };
}

/** Index of a gate's first 8 bytes by its `vector`. */
function placeOf(reader: PlanReader, node: ConfigNode): number | null {
  if (node.kind !== 'object') return null;
  const vector = reader.integer(node, 'vector', 0, 255);
  const type = reader.word(node, 'type', GATE_NAMES);
  return vector && type ? vector.value * (GATE_TYPES[type].wide ? 2 : 1) : null;
}

/** An entry that cannot be read or encoded keeps its place as a null descriptor. */
const NOTHING: readonly bigint[] = [0n];

function segmentWords(reader: PlanReader, node: ConfigNode): readonly bigint[] {
  if (node.kind !== 'object') return number(reader, node);
  const type = reader.word(node, 'type', SEGMENT_NAMES);
  if (!type) return NOTHING;
  for (const [key, types] of Object.entries(ONLY)) {
    const member = reader.member(node, key);
    if (!member || types.includes(type)) continue;
    reader.problem(
      'boot-plan-descriptor',
      member.key,
      `A descriptor of the type ${type} has no \`${key}\`: it is a field of ${types.join(', ')}.`,
    );
  }
  return words(reader, node, encodeSegment(segmentFields(reader, node, type)), SEGMENT_TYPES[type].wide);
}

const FLAGS = [
  ['present', 'present'],
  ['avl', 'avl'],
  ['readable', 'readable'],
  ['writable', 'writable'],
  ['conforming', 'conforming'],
  ['expand-down', 'expandDown'],
  ['accessed', 'accessed'],
  ['busy', 'busy'],
  ['l', 'l'],
  ['d', 'd'],
  ['g', 'g'],
] as const satisfies readonly (readonly [string, keyof SegmentFields])[];

function segmentFields(reader: PlanReader, node: ObjectNode, type: SegmentTypeName): SegmentFields {
  const fields: { -readonly [key in keyof SegmentFields]: SegmentFields[key] } = { type };
  const base = reader.number(node, 'base');
  const limit = reader.number(node, 'limit');
  const dpl = reader.integer(node, 'dpl', 0, 3);
  if (base) fields.base = base.value;
  if (limit) fields.limit = limit.value;
  if (dpl) fields.dpl = dpl.value;
  for (const [key, name] of FLAGS) {
    const value = reader.boolean(node, key);
    if (value !== null) fields[name] = value;
  }
  return fields;
}

function gateWords(reader: PlanReader, node: ConfigNode): readonly bigint[] {
  if (node.kind !== 'object') return number(reader, node);
  const type = reader.word(node, 'type', GATE_NAMES);
  const selector = reader.integer(node, 'selector', 0, 0xffff);
  if (!type || !selector) return NOTHING;
  const encoded = encodeGate({
    type,
    selector: selector.value,
    offset: reader.number(node, 'offset')?.value ?? 0n,
    dpl: reader.integer(node, 'dpl', 0, 3)?.value ?? 0,
    present: reader.boolean(node, 'present') ?? true,
    ist: reader.integer(node, 'ist', 0, 7)?.value ?? 0,
  });
  return words(reader, node, encoded, GATE_TYPES[type].wide);
}

function words(reader: PlanReader, node: ObjectNode, encoded: Encoded, wide: boolean): readonly bigint[] {
  if ('words' in encoded) return encoded.words;
  const at = reader.value(node, encoded.field) ?? node;
  reader.problem('boot-plan-descriptor', at, `This descriptor cannot be encoded: ${encoded.problem}.`);
  return wide ? [0n, 0n] : NOTHING;
}

function number(reader: PlanReader, node: ConfigNode): readonly bigint[] {
  return [reader.numberOf(node)?.value ?? 0n];
}

/** Little-endian. */
export function tableBytes({ words }: PlannedTable): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * words.length));
  words.forEach((word, index) => view.setBigUint64(8 * index, word, true));
  return new Uint8Array(view.buffer);
}

/** `[0x500, 0x520)` of the bytes that the plan writes. */
export function tableEnd({ base, words }: PlannedTable): bigint {
  return base + 8n * BigInt(words.length);
}

export function tableTitle({ which, base, limit }: PlannedTable): string {
  return `${which.toUpperCase()} at ${hex(base)}, limit ${hex(limit)}`;
}
