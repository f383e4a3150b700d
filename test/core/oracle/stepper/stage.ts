/**
 * Where prepared cases run: one arena of 64 KiB whose pages and segments are the same in a Linux process and under the
 * stepper ROM (`images/stepper.asm`), the modes, and the system tables that the ROM runs on.
 */

/** Linear address of the arena; in 16-bit code it is the base of all segments. */
export const ARENA = 0x20000;

/** What a case can change: spans of the arena by offset. They come before and after each case, in this order. */
export const WINDOWS = [
  { name: 'code', at: 0x1f00, size: 256 },
  /** Two pages meet at 5000. */
  { name: 'data', at: 0x4f80, size: 256 },
  /** The page at 6000 is absent. */
  { name: 'edge', at: 0x5fc0, size: 64 },
  /** The page at A000 is absent. */
  { name: 'stack', at: 0x9f00, size: 256 },
  /** The page at 8000 is absent. */
  { name: 'stackLow', at: 0x9000, size: 64 },
  /** Up to the limit of a 16-bit segment; the page behind it is absent. */
  { name: 'top', at: 0xffc0, size: 64 },
] as const;
export const WINDOW_BYTES = WINDOWS.reduce((sum, { size }) => sum + size, 0);

export const CODE_START = 0x1f00;
export const CODE_SIZE = 256;
/** Never written by anybody: 64 bytes of a read-only page, 00 to 3F. */
export const READ_ONLY = 0x7000;
/** Pages of the arena by number; the others are absent where there is paging. */
export const WRITABLE_PAGES = [0x1, 0x4, 0x5, 0x9, 0xf];
export const READ_ONLY_PAGE = 0x7;

/** In 64-bit code; the selectors are null. */
export const FS_BASE = 0x10000;
export const GS_BASE = 0x8000;

export type CodeSize = 16 | 32 | 64;

export interface Mode {
  readonly name: string;
  readonly bits: CodeSize;
  readonly cpl: 0 | 3;
  /** Size of a far pointer's or an interrupt's frame elements, and who runs the case. */
  readonly kernel: 'legacy' | 'long';
  readonly paging: 'none' | '2-level' | 'PAE' | '4-level';
  readonly code: number;
  readonly stack: number;
  readonly data: number;
  /** Added to offsets of the arena to make an address: 0 in 16-bit code. */
  readonly origin: number;
  readonly real?: 'real' | 'virtual-8086';
  /** A Linux process runs in it too. */
  readonly user?: CodeSize;
}

/** Selectors of the stage; those of user code are Linux's. */
export const SELECTOR = {
  kernelCode: 0x08,
  kernelData: 0x10,
  kernelCode64: 0x18,
  userCode: 0x23,
  userData: 0x2b,
  userCode64: 0x33,
  code16: 0x48,
  data16: 0x50,
  tss: 0x68,
  ldt: 0x58,
  /** Linux keeps the number of the CPU in its limit. */
  cpuNumber: 0x7b,
  absentData: 0x8b,
  readOnlyData: 0x93,
  executeOnly: 0x9b,
  conforming: 0xa3,
  /** Local descriptor table. */
  ldtCode16: 0x07,
  ldtData16: 0x0f,
} as const;

const S = SELECTOR;
const flat = { origin: ARENA, bits: 32 } as const;
const small = { origin: 0, bits: 16 } as const;
const user = { cpl: 3, code: S.userCode, stack: S.userData, data: S.userData } as const;
const kernel = { cpl: 0, code: S.kernelCode, stack: S.kernelData, data: S.kernelData } as const;
const ldt = { cpl: 3, code: S.ldtCode16, stack: S.ldtData16, data: S.ldtData16 } as const;
const paragraph = { code: ARENA >> 4, stack: ARENA >> 4, data: ARENA >> 4 };

export const MODES: readonly Mode[] = [
  { name: 'real', ...small, cpl: 0, kernel: 'legacy', paging: 'none', ...paragraph, real: 'real' },
  { name: 'v86', ...small, cpl: 3, kernel: 'legacy', paging: '2-level', ...paragraph, real: 'virtual-8086' },
  {
    ...{ name: 'protected-16', ...small, cpl: 0, kernel: 'legacy', paging: 'none' },
    ...{ code: S.code16, stack: S.data16, data: S.data16 },
  },
  { name: 'protected-16-user', ...small, ...ldt, kernel: 'legacy', paging: 'PAE' },
  { name: 'protected-32', ...flat, ...kernel, kernel: 'legacy', paging: 'none' },
  { name: 'protected-32-user', ...flat, ...user, kernel: 'legacy', paging: 'none' },
  { name: 'paging-32', ...flat, ...kernel, kernel: 'legacy', paging: '2-level' },
  { name: 'paging-32-user', ...flat, ...user, kernel: 'legacy', paging: '2-level' },
  { name: 'pae', ...flat, ...kernel, kernel: 'legacy', paging: 'PAE' },
  { name: 'pae-user', ...flat, ...user, kernel: 'legacy', paging: 'PAE' },
  { name: 'compatibility', ...flat, ...kernel, kernel: 'long', paging: '4-level' },
  { name: 'compatibility-user', ...flat, ...user, kernel: 'long', paging: '4-level', user: 32 },
  { name: 'compatibility-16-user', ...small, ...ldt, kernel: 'long', paging: '4-level', user: 16 },
  {
    ...{ name: 'long', origin: ARENA, bits: 64, cpl: 0, kernel: 'long', paging: '4-level' },
    ...{ code: S.kernelCode64, stack: S.kernelData, data: 0 },
  },
  {
    ...{ name: 'long-user', origin: ARENA, bits: 64, cpl: 3, kernel: 'long', paging: '4-level', user: 64 },
    ...{ code: S.userCode64, stack: S.userData, data: 0 },
  },
] as const;

export function modeNamed(name: string): Mode {
  const mode = MODES.find((each) => each.name === name);
  if (!mode) throw new Error(`no mode ${name}; there are ${MODES.map((each) => each.name).join(', ')}`);
  return mode;
}

// ---- What the ROM copies to TABLES: GDT, LDT, paging structures ----
export const TABLES = 0x60000;
export const TABLES_SIZE = 0x20000;
const LDT_AT = 0x60400;
const TSS_AT = 0x62000;
/** CR3; see `pagingStructures`. */
export const ROOT = 0x70000;
/** What the legacy and the long kernel need in their identity map besides the arena: all below this, as supervisor. */
export const KERNEL_END = 0x4000000;

const segment = (base: number, limit: number, access: number, flags: number): bigint =>
  BigInt(limit & 0xffff) |
  (BigInt(base & 0xffffff) << 16n) |
  (BigInt(access) << 40n) |
  (BigInt(((limit >> 16) & 15) | (flags << 4)) << 48n) |
  (BigInt(base >>> 24) << 56n);

/** Where a Linux process runs too, only what it sees: descriptors with DPL 3 are the same. */
function globalTable({ user }: Mode): readonly (readonly [selector: number, descriptor: bigint])[] {
  return [
    [S.kernelCode, segment(0, 0xfffff, 0x9b, 0xc)],
    [S.kernelData, segment(0, 0xfffff, 0x93, 0xc)],
    [S.kernelCode64, segment(0, 0xfffff, 0x9b, 0xa)],
    [S.userCode, segment(0, 0xfffff, 0xfb, 0xc)],
    [S.userData, segment(0, 0xfffff, 0xf3, 0xc)],
    [S.userCode64, segment(0, 0xfffff, 0xfb, 0xa)],
    // On the way to real mode.
    [0x38, segment(0xf0000, 0xffff, 0x9b, 0)],
    [0x40, segment(0, 0xffff, 0x93, 0)],
    [S.code16, segment(ARENA, 0xffff, 0x9b, 0)],
    [S.data16, segment(ARENA, 0xffff, 0x93, 0)],
    // Both are sixteen bytes long in long mode.
    [S.ldt, segment(LDT_AT, 0xf, 0x82, 0)],
    [S.tss, segment(TSS_AT, 0x67, 0x89, 0)],
    [S.cpuNumber, segment(0, 0, 0xf5, 4)],
    ...(user === undefined ? ownSegments : []),
  ];
}

const ownSegments = [
  [S.absentData, segment(0, 0xfffff, 0x73, 0xc)],
  [S.readOnlyData, segment(0, 0xfffff, 0xf1, 0xc)],
  [S.executeOnly, segment(0, 0xfffff, 0xf9, 0xc)],
  [S.conforming, segment(0, 0xfffff, 0xff, 0xc)],
] as const;

const localTable: readonly bigint[] = [segment(ARENA, 0xffff, 0xfb, 0), segment(ARENA, 0xffff, 0xf3, 0)];

/** The bytes at TABLES for a mode. */
export function systemTables(mode: Mode): Uint8Array {
  const view = new DataView(new ArrayBuffer(TABLES_SIZE));
  for (const [selector, descriptor] of globalTable(mode)) view.setBigUint64(selector & ~7, descriptor, true);
  localTable.forEach((descriptor, i) => view.setBigUint64(LDT_AT - TABLES + 8 * i, descriptor, true));
  pagingStructures(mode, view);
  return new Uint8Array(view.buffer);
}

/**
 * Arena pages in 4 KiB pages for the user (in PAE and long mode as well as 2-level), large supervisor pages for the
 * kernel's copy of the cases and the last 2 MiB (ROM), nothing else below 128 KiB and beyond.
 */
function pagingStructures({ paging }: Mode, view: DataView): void {
  if (paging === 'none') return;
  const wide = paging !== '2-level';
  const put = (table: number, index: number, entry: number): void => {
    const at = ROOT - TABLES + table * 0x1000 + index * (wide ? 8 : 4);
    if (wide) view.setBigUint64(at, BigInt(entry), true);
    else view.setUint32(at, entry, true);
  };
  const table = (number: number): number => ROOT + number * 0x1000;
  const LEAF = 4;
  for (let page = TABLES >> 12; page < 0x100; page++) put(LEAF, page, page * 0x1000 + 3);
  for (const page of WRITABLE_PAGES) put(LEAF, (ARENA >> 12) + page, ARENA + page * 0x1000 + 7);
  put(LEAF, (ARENA >> 12) + READ_ONLY_PAGE, ARENA + READ_ONLY_PAGE * 0x1000 + 5);
  if (!wide) {
    put(0, 0, table(LEAF) + 7);
    for (let at = 0x400000; at < KERNEL_END; at += 0x400000) put(0, at / 0x400000, at + 0x83);
    return;
  }
  const directory = paging === 'PAE' ? 1 : 2;
  if (paging === 'PAE') put(0, 0, table(directory) + 1);
  else {
    put(0, 0, table(1) + 7);
    put(1, 0, table(directory) + 7);
  }
  put(directory, 0, table(LEAF) + 7);
  for (let at = 0x200000; at < KERNEL_END; at += 0x200000) put(directory, at / 0x200000, at + 0x83);
}

/** Where a byte of the arena stands among the bytes of the windows. */
export function windowAt(offset: number): number {
  let start = 0;
  for (const { at, size } of WINDOWS) {
    if (offset >= at && offset < at + size) return start + offset - at;
    start += size;
  }
  throw new Error(`0x${offset.toString(16)} lies in no window`);
}
