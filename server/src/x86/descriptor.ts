/** Segment and gate descriptors. SDM vol. 3, 3.4.5 (segments), 3.5 (system types), 6.11 and 6.14.1 (gates). */
import { formatSize, hex } from '../address/format';
import {
  bit,
  bits,
  choice,
  explainFields,
  field,
  flag,
  setFlags,
  type BitField,
  type Explanation,
} from './bitField';

export type DescriptorKind = 'null' | 'code' | 'data' | 'system' | 'gate';

/** A segment descriptor taken apart. */
export interface SegmentDescriptor {
  readonly base: bigint;
  /** The raw 20-bit field. */
  readonly limitField: number;
  /** Offset of the last byte (inclusive), scaled by G. */
  readonly limit: number;
  readonly type: number;
  /** False for system descriptors. */
  readonly s: boolean;
  readonly dpl: number;
  readonly present: boolean;
  readonly avl: boolean;
  readonly long: boolean;
  readonly big: boolean;
  readonly granular: boolean;
}

/** The fields that make a descriptor; `limitField` is the raw 20-bit value. */
export type DescriptorFields = Omit<SegmentDescriptor, 'limit'>;

/** System types (SDM vol. 3, table 3-2). `long` is null where the type is reserved in IA-32e mode. */
export const SYSTEM_TYPES: readonly { readonly legacy: string; readonly long: string | null }[] = [
  { legacy: 'reserved', long: null },
  { legacy: '16-bit TSS', long: null },
  { legacy: 'LDT', long: 'LDT' },
  { legacy: 'busy 16-bit TSS', long: null },
  { legacy: '16-bit call gate', long: null },
  { legacy: 'task gate', long: null },
  { legacy: '16-bit interrupt gate', long: null },
  { legacy: '16-bit trap gate', long: null },
  { legacy: 'reserved', long: null },
  { legacy: '32-bit TSS', long: '64-bit TSS' },
  { legacy: 'reserved', long: null },
  { legacy: 'busy 32-bit TSS', long: 'busy 64-bit TSS' },
  { legacy: '32-bit call gate', long: '64-bit call gate' },
  { legacy: 'reserved', long: null },
  { legacy: '32-bit interrupt gate', long: '64-bit interrupt gate' },
  { legacy: '32-bit trap gate', long: '64-bit trap gate' },
];
const GATES = new Set([4, 5, 6, 7, 12, 14, 15]);

/** Reads the low 8 bytes, and the upper 8 of a 16-byte system descriptor where they are given. */
export function decodeDescriptor(low: bigint, high: bigint | null = null): SegmentDescriptor {
  const limitField = Number(bits(low, 15, 0) | (bits(low, 51, 48) << 16n));
  const granular = bit(low, 55);
  const base =
    bits(low, 39, 16) | (bits(low, 63, 56) << 24n) | (high === null ? 0n : bits(high, 31, 0) << 32n);
  return {
    base,
    limitField,
    limit: granular ? limitField * 4096 + 4095 : limitField,
    type: Number(bits(low, 43, 40)),
    s: bit(low, 44),
    dpl: Number(bits(low, 46, 45)),
    present: bit(low, 47),
    avl: bit(low, 52),
    long: bit(low, 53),
    big: bit(low, 54),
    granular,
  };
}

/** The low 8 bytes. Bits of `base` above 31 belong to the upper 8 bytes of a system descriptor and are left out. */
export function encodeDescriptor(fields: DescriptorFields): bigint {
  const limit = BigInt(fields.limitField & 0xfffff);
  const access = BigInt(
    (fields.type & 15) | (fields.s ? 0x10 : 0) | ((fields.dpl & 3) << 5) | (fields.present ? 0x80 : 0),
  );
  const flags = BigInt(
    (fields.avl ? 1 : 0) | (fields.long ? 2 : 0) | (fields.big ? 4 : 0) | (fields.granular ? 8 : 0),
  );
  return (
    bits(limit, 15, 0) |
    (bits(fields.base, 23, 0) << 16n) |
    (access << 40n) |
    (bits(limit, 19, 16) << 48n) |
    (flags << 52n) |
    (bits(fields.base, 31, 24) << 56n)
  );
}

/**
 * `gdt_entry(flags, base, limit)` as Firecracker, libkrun and Cloud Hypervisor call it: bits 7:0 of `flags` are the
 * access byte, bits 15:12 are G, D/B, L, AVL, bits 11:8 are ignored; of `limit` the low 20 bits count, unscaled.
 */
export function gdtEntry(flags: number, base: bigint, limit: number): bigint {
  return encodeDescriptor({
    base,
    limitField: limit & 0xfffff,
    type: flags & 15,
    s: (flags & 0x10) !== 0,
    dpl: (flags >> 5) & 3,
    present: (flags & 0x80) !== 0,
    avl: (flags & 0x1000) !== 0,
    long: (flags & 0x2000) !== 0,
    big: (flags & 0x4000) !== 0,
    granular: (flags & 0x8000) !== 0,
  });
}

export function descriptorKind(low: bigint, high: bigint | null = null): DescriptorKind {
  if (low === 0n && (high === null || high === 0n)) return 'null';
  if (!bit(low, 44)) return GATES.has(Number(bits(low, 43, 40))) ? 'gate' : 'system';
  return bit(low, 43) ? 'code' : 'data';
}

const typeField = (name: (type: number) => string): BitField =>
  field(43, 40, 'type', (value) => name(Number(value)));

function segmentTypeName(type: number): string {
  const accessed = type & 1 ? ', accessed' : '';
  if (type & 8)
    return `code, execute${type & 2 ? '/read' : ' only'}${type & 4 ? ', conforming' : ''}${accessed}`;
  return `data, read${type & 2 ? '/write' : ' only'}${type & 4 ? ', expand-down' : ''}${accessed}`;
}

function systemTypeName(type: number, wide: boolean): string {
  const { legacy, long } = SYSTEM_TYPES[type]!;
  return wide ? (long ?? 'reserved in IA-32e mode') : legacy;
}

/** Bit 54, which means something else in code, in data and nowhere else (SDM vol. 3, 3.4.5). */
function sizeBit(kind: DescriptorKind, long: boolean): BitField {
  if (kind === 'system') return choice(54, 'D/B', 'clear, not used here', 'set, not used here');
  if (kind === 'data')
    return choice(54, 'D/B', '16-bit stack pointer and upper bound', '32-bit stack pointer and upper bound');
  if (long) return choice(54, 'D/B', 'clear, as 64-bit code wants it', 'reserved with L');
  return choice(54, 'D/B', '16-bit operands and addresses', '32-bit operands and addresses');
}

/** Bits of the low 8 bytes of a segment descriptor, low to high. */
function segmentFields(kind: DescriptorKind, wide: boolean, long: boolean): BitField[] {
  const system = kind === 'system';
  const type: BitField[] = system
    ? [typeField((value) => systemTypeName(value, wide))]
    : [
        flag(40, 'A', 'accessed'),
        kind === 'code'
          ? choice(41, 'R', 'execute only', 'execute and read')
          : choice(41, 'W', 'read only', 'read and write'),
        kind === 'code'
          ? choice(42, 'C', 'non-conforming', 'conforming')
          : choice(42, 'E', 'expand-up', 'expand-down'),
        choice(43, 'X', 'data segment', 'code segment'),
      ];
  return [
    field(15, 0, 'limit 15:0', hex),
    field(39, 16, 'base 23:0', hex),
    ...type,
    choice(44, 'S', 'system descriptor', 'code or data'),
    field(46, 45, 'DPL', (value) => `privilege level ${value}`),
    choice(47, 'P', 'not present', 'present'),
    field(51, 48, 'limit 19:16', hex),
    flag(52, 'AVL', 'available to software'),
    choice(
      53,
      'L',
      kind === 'code' ? 'not 64-bit' : 'clear, as it must be',
      kind === 'code' ? '64-bit code' : 'reserved here',
    ),
    sizeBit(kind, long),
    choice(55, 'G', 'limit in bytes', 'limit in 4 KiB units'),
    field(63, 56, 'base 31:24', hex),
  ];
}

const GATE_FIELDS: readonly BitField[] = [
  field(15, 0, 'offset 15:0', hex),
  field(31, 16, 'selector', hex),
  field(34, 32, 'IST', (value) =>
    value === 0n ? 'no stack switch by IST' : `stack ${value} of the TSS (64-bit gates)`,
  ),
  typeField((type) => SYSTEM_TYPES[type]!.legacy),
  choice(44, 'S', 'system descriptor', 'code or data'),
  field(46, 45, 'DPL', (value) => `privilege level ${value}`),
  choice(47, 'P', 'not present', 'present'),
  field(63, 48, 'offset 31:16', hex),
];

const HIGH_FIELDS: readonly BitField[] = [field(31, 0, 'upper 32 bits of base or offset', hex)];

function widthWord(segment: SegmentDescriptor, kind: DescriptorKind): string {
  if (kind === 'code' && segment.long) return '64-bit';
  return segment.big ? '32-bit' : '16-bit';
}

function segmentProblems(
  low: bigint,
  high: bigint | null,
  segment: SegmentDescriptor,
  kind: DescriptorKind,
): string[] {
  const problems: string[] = [];
  if (kind === 'code' && segment.long && segment.big)
    problems.push(
      'L and D are both 1: this combination is reserved, and loading CS with it in IA-32e mode raises #GP.',
    );
  if (kind !== 'code' && segment.long)
    problems.push('L is 1 in a descriptor that is not code: the bit is reserved there and must be 0.');
  if (kind === 'code' && segment.long && segment.base !== 0n)
    problems.push(`The base ${hex(segment.base)} is ignored in 64-bit mode: CS has base 0 there.`);
  if (kind !== 'system' && !segment.granular && segment.limitField === 0xfffff)
    problems.push('G is 0, so the limit 0xfffff ends the segment at 1 MiB; a flat 4 GiB segment needs G.');
  if (kind === 'system') {
    const entry = SYSTEM_TYPES[segment.type]!;
    if (entry.legacy === 'reserved') problems.push(`System type ${segment.type} is reserved.`);
    else if (high === null && entry.long !== null)
      problems.push('In IA-32e mode this descriptor takes 16 bytes: the upper 8 hold base bits 63:32.');
    else if (high !== null && entry.long === null)
      problems.push(`System type ${segment.type} (${entry.legacy}) is reserved in IA-32e mode.`);
    if (high !== null && bits(high, 44, 40) !== 0n)
      problems.push(
        'Bits 44:40 of the upper 8 bytes are not 0: they stand where a type would be, and must be 0.',
      );
  } else if (high !== null && high !== 0n) {
    problems.push('Code and data descriptors have 8 bytes: the second value is another descriptor.');
  }
  if (kind === 'data' && bit(low, 42) && segment.granular && segment.limitField === 0xfffff)
    problems.push('An expand-down segment with limit 0xffffffff has no valid offset.');
  return problems;
}

function explainGate(low: bigint, high: bigint | null): Explanation {
  const type = Number(bits(low, 43, 40));
  const wide = high !== null;
  const offset =
    bits(low, 15, 0) | (bits(low, 63, 48) << 16n) | (high === null ? 0n : bits(high, 31, 0) << 32n);
  const present = bit(low, 47);
  const name = systemTypeName(type, wide);
  const target = type === 5 ? `TSS ${hex(bits(low, 31, 16))}` : `${hex(bits(low, 31, 16))}:${hex(offset)}`;
  const problems: string[] = [];
  if (wide && SYSTEM_TYPES[type]!.long === null)
    problems.push(`System type ${type} (${SYSTEM_TYPES[type]!.legacy}) is reserved in IA-32e mode.`);
  return {
    kind: 'descriptor',
    value: hex(high === null ? low : (high << 64n) | low),
    summary: `${name} · DPL ${bits(low, 46, 45)} · ${present ? 'present' : 'not present'} · to ${target}`,
    fields: [...explainFields(low, GATE_FIELDS), ...(high === null ? [] : explainFields(high, HIGH_FIELDS))],
    set: setFlags(low, GATE_FIELDS),
    problems,
  };
}

/** Explains 8 bytes, or 16 where `high` is given (TSS, LDT and gates of IA-32e mode). */
export function explainDescriptor(low: bigint, high: bigint | null = null): Explanation {
  const kind = descriptorKind(low, high);
  const value = hex(high === null ? low : (high << 64n) | low);
  if (kind === 'null')
    return { kind: 'descriptor', value, summary: 'null descriptor', fields: [], set: [], problems: [] };
  if (kind === 'gate') return explainGate(low, high);
  const segment = decodeDescriptor(low, high);
  const fields = segmentFields(kind, high !== null, segment.long);
  const what =
    kind === 'system' ? systemTypeName(segment.type, high !== null) : `${widthWord(segment, kind)} ${kind}`;
  const base = segment.base === 0n ? '' : ` at ${hex(segment.base)}`;
  // An expand-down segment holds the offsets above its limit.
  const down = kind === 'data' && bit(low, 42);
  const size = down ? `above ${hex(segment.limit)}` : formatSize(BigInt(segment.limit) + 1n);
  return {
    kind: 'descriptor',
    value,
    summary: `${what} · DPL ${segment.dpl} · ${segment.present ? 'present' : 'not present'} · ${size}${base}`,
    fields: [
      ...explainFields(low, fields),
      ...(high === null ? [] : explainFields(high, HIGH_FIELDS)),
      {
        name: 'base',
        bits: '63:56, 39:16',
        value: hex(segment.base),
        meaning: `starts at ${hex(segment.base)}`,
      },
      {
        name: 'limit',
        bits: '51:48, 15:0',
        value: hex(segment.limit),
        meaning:
          kind === 'system'
            ? `last byte at offset ${hex(segment.limit)}`
            : segmentTypeName(segment.type) + `, last offset ${hex(segment.limit)}`,
      },
    ],
    set: setFlags(low, fields),
    problems: segmentProblems(low, high, segment, kind),
  };
}
