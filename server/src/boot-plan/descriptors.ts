/** Descriptors from their fields, as bytes of a GDT or IDT. SDM vol. 3, 3.4.5, 3.5, 6.11 and 6.14.1, 7.2.3 (64-bit TSS). */
import { hex } from '../address/format';
import { bits } from '../x86/bitField';
import { encodeDescriptor } from '../x86/descriptor';

interface SegmentType {
  readonly kind: 'code' | 'data' | 'system';
  /** Type field without the bits that have fields of their own (R or W, C or E, A, busy). */
  readonly type: number;
  readonly long: boolean;
  readonly big: boolean;
  /** 16 bytes in memory. */
  readonly wide: boolean;
  readonly text: string;
}

interface GateType {
  readonly kind: 'gate';
  readonly type: number;
  readonly wide: boolean;
  /** Bits of the offset. */
  readonly offset: 0 | 16 | 32 | 64;
  readonly text: string;
}

const segment = (
  kind: SegmentType['kind'],
  type: number,
  text: string,
  more: Partial<SegmentType> = {},
): SegmentType => ({ kind, type, text, long: false, big: false, wide: false, ...more });

/** What an entry of a GDT may be. */
export const SEGMENT_TYPES = {
  code64: segment('code', 8, '64-bit code: L is 1, D is 0', { long: true }),
  code32: segment('code', 8, '32-bit code: D is 1', { big: true }),
  code16: segment('code', 8, '16-bit code: L and D are 0'),
  data: segment('data', 0, 'Data with a 32-bit stack pointer and upper bound: B is 1', { big: true }),
  data16: segment('data', 0, 'Data with a 16-bit stack pointer: B is 0'),
  tss64: segment('system', 9, 'TSS of IA-32e mode; 16 bytes, so it takes two entries', { wide: true }),
  tss32: segment('system', 9, '32-bit TSS, 8 bytes'),
  tss16: segment('system', 1, '16-bit TSS, 8 bytes'),
  ldt: segment('system', 2, 'Local descriptor table, 8 bytes'),
  ldt64: segment('system', 2, 'Local descriptor table of IA-32e mode; 16 bytes, two entries', { wide: true }),
} as const satisfies Record<string, SegmentType>;

/** What an entry of an IDT may be. */
export const GATE_TYPES = {
  interrupt64: { kind: 'gate', type: 14, wide: true, offset: 64, text: '64-bit interrupt gate, 16 bytes' },
  trap64: { kind: 'gate', type: 15, wide: true, offset: 64, text: '64-bit trap gate, 16 bytes' },
  interrupt32: { kind: 'gate', type: 14, wide: false, offset: 32, text: '32-bit interrupt gate, 8 bytes' },
  trap32: { kind: 'gate', type: 15, wide: false, offset: 32, text: '32-bit trap gate, 8 bytes' },
  interrupt16: { kind: 'gate', type: 6, wide: false, offset: 16, text: '16-bit interrupt gate, 8 bytes' },
  trap16: { kind: 'gate', type: 7, wide: false, offset: 16, text: '16-bit trap gate, 8 bytes' },
  task: { kind: 'gate', type: 5, wide: false, offset: 0, text: 'Task gate, 8 bytes' },
} as const satisfies Record<string, GateType>;

export type SegmentTypeName = keyof typeof SEGMENT_TYPES;
export type GateTypeName = keyof typeof GATE_TYPES;

/** Fields of a segment; what is left out follows from the type. */
export interface SegmentFields {
  readonly type: SegmentTypeName;
  readonly base?: bigint;
  /** Offset of the last byte (inclusive), unscaled. */
  readonly limit?: bigint;
  readonly dpl?: number;
  readonly present?: boolean;
  readonly avl?: boolean;
  /** Code may be read, data be written. True where it is left out. */
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly conforming?: boolean;
  readonly expandDown?: boolean;
  readonly accessed?: boolean;
  /** Of a TSS. */
  readonly busy?: boolean;
  /** The bits themselves, against what the type says. */
  readonly l?: boolean;
  readonly d?: boolean;
  readonly g?: boolean;
}

export interface GateFields {
  readonly type: GateTypeName;
  readonly selector: number;
  readonly offset?: bigint;
  readonly dpl?: number;
  readonly present?: boolean;
  /** 1 to 7, 0 for none; of a 64-bit gate. */
  readonly ist?: number;
}

/** `words` are 8 bytes each, low first. `problem` names the field that has no room, and why. */
export type Encoded =
  | { readonly words: readonly bigint[] }
  | { readonly problem: string; readonly field: 'base' | 'limit' | 'offset' | 'ist' };

const LARGEST_FIELD = 0xfffffn;
/** What a limit in 4 KiB units always has in its low bits. */
const PAGE_LAST = 0xfffn;
const TSS64_LAST = 0x67n;
const TSS32_LAST = 0x67n;
const TSS16_LAST = 0x2bn;

/** A TSS without an I/O map ends with its fixed part (SDM vol. 3, 7.2.1, 7.6, 7.7); code and data are flat otherwise. */
function defaultLimit(type: SegmentTypeName): bigint {
  const { kind } = SEGMENT_TYPES[type];
  if (kind !== 'system') return type === 'code16' || type === 'data16' ? 0xffffn : 0xffffffffn;
  if (type === 'tss64') return TSS64_LAST;
  if (type === 'tss32') return TSS32_LAST;
  return type === 'tss16' ? TSS16_LAST : 0xffffn;
}

/** The 20-bit field and G for a limit in bytes. */
function limitField(
  limit: bigint,
  granular: boolean | undefined,
): { field: number; g: boolean } | { problem: string } {
  const g = granular ?? limit > LARGEST_FIELD;
  if (!g) {
    return limit > LARGEST_FIELD
      ? {
          problem: `the limit ${hex(limit)} does not fit into 20 bits with G = 0, whose largest is ${hex(LARGEST_FIELD)}`,
        }
      : { field: Number(limit), g };
  }
  if (limit > 0xffffffffn) return { problem: `the limit ${hex(limit)} is beyond 0xffffffff, the largest` };
  if ((limit & PAGE_LAST) !== PAGE_LAST) {
    const below = ((limit + 1n) / 4096n) * 4096n - 1n;
    const near = below > 0n ? `${hex(below)} or ${hex(below + 4096n)}` : hex(PAGE_LAST);
    return {
      problem: `the limit ${hex(limit)} does not end with 0xfff, as every limit in 4 KiB units does; the nearest are ${near}`,
    };
  }
  return { field: Number(limit >> 12n), g };
}

export function encodeSegment(fields: SegmentFields): Encoded {
  const row: SegmentType = SEGMENT_TYPES[fields.type];
  const { base = 0n, limit = defaultLimit(fields.type) } = fields;
  if (!row.wide && base > 0xffffffffn) {
    const what = row.kind === 'system' ? 'an 8-byte descriptor' : 'a code or data descriptor';
    return { problem: `the base ${hex(base)} does not fit into the 32 bits of ${what}`, field: 'base' };
  }
  const scaled = limitField(limit, fields.g);
  if ('problem' in scaled) return { problem: scaled.problem, field: 'limit' };
  const low = encodeDescriptor({
    base,
    limitField: scaled.field,
    type: typeBits(row, fields),
    s: row.kind !== 'system',
    dpl: fields.dpl ?? 0,
    present: fields.present ?? true,
    avl: fields.avl ?? false,
    long: fields.l ?? row.long,
    big: fields.d ?? row.big,
    granular: scaled.g,
  });
  return { words: row.wide ? [low, base >> 32n] : [low] };
}

function typeBits(row: SegmentType, fields: SegmentFields): number {
  const accessed = (fields.accessed ?? false) ? 1 : 0;
  switch (row.kind) {
    case 'code':
      return (
        row.type | ((fields.readable ?? true) ? 2 : 0) | ((fields.conforming ?? false) ? 4 : 0) | accessed
      );
    case 'data':
      return (
        row.type | ((fields.writable ?? true) ? 2 : 0) | ((fields.expandDown ?? false) ? 4 : 0) | accessed
      );
    case 'system':
      return row.type | ((fields.busy ?? false) ? 2 : 0);
  }
}

export function encodeGate(fields: GateFields): Encoded {
  const row: GateType = GATE_TYPES[fields.type];
  const { offset = 0n, ist = 0 } = fields;
  if (offset >> BigInt(row.offset) !== 0n) {
    const problem =
      row.offset === 0
        ? `a task gate has no offset: its selector names a TSS`
        : `the offset ${hex(offset)} does not fit into the ${row.offset} bits of this gate`;
    return { problem, field: 'offset' };
  }
  if (ist !== 0 && !row.wide) return { problem: 'only 64-bit gates have an IST field', field: 'ist' };
  const access = BigInt(row.type | ((fields.dpl ?? 0) << 5) | ((fields.present ?? true) ? 0x80 : 0));
  const low =
    bits(offset, 15, 0) |
    (BigInt(fields.selector) << 16n) |
    (BigInt(ist) << 32n) |
    (access << 40n) |
    (bits(offset, 31, 16) << 48n);
  return { words: row.wide ? [low, offset >> 32n] : [low] };
}
