/** The kernel's corner: GDT, IDT, TSS and LDT as Linux lays them out for its processes, and a stop at each way into the kernel. */
import type { SegmentState } from '../../../../server/src/x86/state';
import { KERNEL, type AddressSpace } from './addressSpace';

export const GDT = KERNEL;
export const GDT_LIMIT = 16 * 8 - 1;
export const IDT = KERNEL + 0x1000n;
export const IDT_LIMIT = 256 * 16 - 1;
const TSS = KERNEL + 0x2000n;
/** An OUT instruction for each vector, so that every trap stops the run behind it; the one for SYSCALL follows. */
const ENTRIES = KERNEL + 0x3000n;
const ENTRY_SIZE = 16n;
export const SYSCALL_ENTRY = ENTRIES + 256n * ENTRY_SIZE;
const START_CODE = KERNEL + 0x5000n;
export const LDT = KERNEL + 0x8000n;
const LDT_ENTRIES = 8192;
/** The stack of a trap from CPL 3. */
const STACK = KERNEL + 0x7ff0n;
/** The port whose write stops the run. */
export const TRAP_PORT = 0xf0;

/** Selectors as in Linux's segment.h. */
export const SELECTOR = {
  kernel: 0x10,
  user32: 0x23,
  userData: 0x2b,
  user64: 0x33,
  tss: 0x40,
  ldt: 0x50,
} as const;
/** First of the three entries that set_thread_area hands out. */
export const TLS_FIRST = 12;

const SEGMENTS: readonly (readonly [index: number, descriptor: bigint])[] = [
  [1, 0x00cf9b000000ffffn],
  [2, 0x00af9b000000ffffn],
  [3, 0x00cf93000000ffffn],
  [4, 0x00cffb000000ffffn],
  [5, 0x00cff3000000ffffn],
  [6, 0x00affb000000ffffn],
];

export function writeTables(space: AddressSpace): void {
  for (const [index, descriptor] of SEGMENTS) space.put(GDT + 8n * BigInt(index), descriptor, 8);
  for (const [selector, base, type, limit] of [
    [SELECTOR.tss, TSS, 0x8b, 0x67n],
    [SELECTOR.ldt, LDT, 0x82, 0n],
  ] as const) {
    const low =
      limit | ((base & 0xffffffn) << 16n) | (BigInt(type) << 40n) | (((base >> 24n) & 0xffn) << 56n);
    space.put(GDT + BigInt(selector), low, 8);
    space.put(GDT + BigInt(selector) + 8n, base >> 32n, 8);
  }
  space.put(TSS + 4n, STACK, 8);
  for (let vector = 0n; vector < 256n; vector++) {
    const target = ENTRIES + vector * ENTRY_SIZE;
    // INT3, INTO and INT 0x80 are for everybody.
    const rights = vector === 3n || vector === 4n || vector === 0x80n ? 0xeen : 0x8en;
    const low =
      (target & 0xffffn) |
      (BigInt(SELECTOR.kernel) << 16n) |
      (rights << 40n) |
      (((target >> 16n) & 0xffffn) << 48n);
    space.put(IDT + 16n * vector, low, 8);
    space.put(IDT + 16n * vector + 8n, target >> 32n, 8);
    space.put(target, 0xe6 | (TRAP_PORT << 8), 2);
  }
  space.put(SYSCALL_ENTRY, 0xe6 | (TRAP_PORT << 8), 2);
}

/** The vector whose entry point the run stopped behind; 256 for SYSCALL. */
export function vectorAt(rip: bigint): number {
  return Number((rip - ENTRIES) / ENTRY_SIZE);
}

const MSR = { efer: 0xc0000080, star: 0xc0000081, lstar: 0xc0000082, fmask: 0xc0000084 } as const;

/** Code that sets what only instructions can set, ends in a trap, and runs once: where it lies. */
export function writeStartCode(space: AddressSpace): bigint {
  const words: readonly (readonly [msr: number, value: bigint])[] = [
    [MSR.efer, 0xd01n],
    [MSR.star, (0x23n << 48n) | (0x10n << 32n)],
    [MSR.lstar, SYSCALL_ENTRY],
    [MSR.fmask, 0x47700n],
  ];
  const dword = (value: bigint): number[] =>
    [0, 8, 16, 24].map((by) => Number((value >> BigInt(by)) & 0xffn));
  const code = words.flatMap(([msr, value]) => [
    ...[0xb9, ...dword(BigInt(msr))],
    ...[0xb8, ...dword(value & 0xffffffffn)],
    ...[0xba, ...dword(value >> 32n)],
    ...[0x0f, 0x30],
  ]);
  // FNINIT: what a new process finds.
  space.write(START_CODE, Uint8Array.from([...code, 0xdb, 0xe3, 0xe6, TRAP_PORT]));
  return START_CODE;
}

/** What a segment register holds after a load of the selector. */
export function loaded(space: AddressSpace, selector: number): SegmentState {
  if ((selector & ~3) === 0) return { selector, base: 0n, limit: 0, attributes: 0x10000 };
  const descriptor = space.number(((selector & 4) !== 0 ? LDT : GDT) + BigInt(selector & 0xfff8), 8);
  const raw = Number((descriptor & 0xffffn) | ((descriptor >> 32n) & 0xf0000n));
  return {
    selector,
    base: ((descriptor >> 16n) & 0xffffffn) | ((descriptor >> 32n) & 0xff000000n),
    limit: (descriptor & (1n << 55n)) !== 0n ? (raw * 4096 + 4095) >>> 0 : raw,
    attributes: Number((descriptor >> 40n) & 0xf0ffn),
  };
}

/** Linux's struct user_desc as set_thread_area and modify_ldt take it, as a descriptor (fill_ldt). */
export function userDescriptor(
  space: AddressSpace,
  at: bigint,
): { readonly number: number; readonly descriptor: bigint } {
  const [number, base, limit, flags] = [0n, 4n, 8n, 12n].map((by) => space.number(at + by, 4)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const flag = (from: bigint, mask = 1n): bigint => (flags >> from) & mask;
  const [seg32, contents, readExecOnly, pages, absent, useable] = [
    flag(0n),
    flag(1n, 3n),
    flag(3n),
    flag(4n),
    flag(5n),
    flag(6n),
  ];
  const empty =
    base === 0n &&
    limit === 0n &&
    contents === 0n &&
    readExecOnly === 1n &&
    seg32 === 0n &&
    pages === 0n &&
    absent === 1n;
  const type = 1n | ((readExecOnly ^ 1n) << 1n) | (contents << 2n);
  const rights = type | 0x10n | (3n << 5n) | ((absent ^ 1n) << 7n);
  const descriptor =
    (limit & 0xffffn) |
    ((base & 0xffffffn) << 16n) |
    (rights << 40n) |
    (((limit >> 16n) & 15n) << 48n) |
    (useable << 52n) |
    (seg32 << 54n) |
    (pages << 55n) |
    (((base >> 24n) & 0xffn) << 56n);
  return { number: Number(BigInt.asIntN(32, number)), descriptor: empty && useable === 0n ? 0n : descriptor };
}

/** Writes an LDT entry; the limit grows as Linux's does. Returns the limit. */
export function writeLdt(space: AddressSpace, number: number, descriptor: bigint, limit: number): number {
  if (number < 0 || number >= LDT_ENTRIES) return limit;
  space.put(LDT + 8n * BigInt(number), descriptor, 8);
  return Math.max(limit, number * 8 + 7);
}
