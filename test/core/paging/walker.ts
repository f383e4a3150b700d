/**
 * A naive page walker to judge the core's by: written from the tables of SDM vol. 3, chapter 4, with no regard for speed,
 * and sharing nothing with the core.
 */

/** What the walk depends on besides the tables. */
export interface Paging {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly pkru: bigint;
  readonly pkrs: bigint;
  /** EFLAGS.AC. */
  readonly ac: boolean;
  readonly a20: boolean;
  readonly cpu: Cpu;
  /** The PDPTE registers of PAE paging. */
  readonly pdptes: readonly bigint[];
}

export interface Cpu {
  /** MAXPHYADDR. */
  readonly width: number;
  readonly amd: boolean;
  readonly pages1g: boolean;
  readonly pse36: boolean;
}

export type Access = 'read' | 'write' | 'fetch';
export interface Request {
  readonly linear: bigint;
  readonly access: Access;
  /** CPL 3. */
  readonly user: boolean;
  /** The CPU's own access to a descriptor table, IDT or TSS: supervisor mode at any CPL. */
  readonly implicit: boolean;
}

export interface Walk {
  readonly physical: bigint | null;
  /** Error code of the #PF. */
  readonly fault: number | null;
  /** Entries that get A, and the one that gets D. */
  readonly accessed: readonly bigint[];
  readonly dirty: bigint | null;
  /** log2 of the size of the page. */
  readonly pageBits: number;
}

export const BIT = (number: number): bigint => 1n << BigInt(number);
/** Bits `high` to `low`, both included; none where `high` is below `low`. */
export const BITS = (high: number, low: number): bigint =>
  high < low ? 0n : (BIT(high - low + 1) - 1n) << BigInt(low);

const CR0_WP = BIT(16);
const CR0_PG = BIT(31);
const CR4_PSE = BIT(4);
const CR4_PAE = BIT(5);
const CR4_LA57 = BIT(12);
const CR4_SMEP = BIT(20);
const CR4_SMAP = BIT(21);
const CR4_PKE = BIT(22);
const CR4_PKS = BIT(24);
const EFER_LMA = BIT(10);
const EFER_NXE = BIT(11);

const PRESENT = BIT(0);
const WRITABLE = BIT(1);
const USER = BIT(2);
const PAGE_SIZE = BIT(7);
const EXECUTE_DISABLE = BIT(63);

const has = (word: bigint, mask: bigint): boolean => (word & mask) !== 0n;

export type Mode = 'none' | '32-bit' | 'PAE' | '4-level' | '5-level';
/** Section 4.1.1, Table 4-1. */
export function modeOf({ cr0, cr4, efer }: Pick<Paging, 'cr0' | 'cr4' | 'efer'>): Mode {
  if (!has(cr0, CR0_PG)) return 'none';
  if (!has(cr4, CR4_PAE)) return '32-bit';
  if (!has(efer, EFER_LMA)) return 'PAE';
  return has(cr4, CR4_LA57) ? '5-level' : '4-level';
}

/** A level of the hierarchy: the linear bits that index it; whether PS can make its entries map a page. */
interface Level {
  readonly high: number;
  readonly low: number;
  readonly mapsPages: boolean;
}

export function levelsOf(paging: Paging): readonly Level[] {
  const table: Level = { high: 20, low: 12, mapsPages: false };
  const directory: Level = { high: 29, low: 21, mapsPages: true };
  const four: readonly Level[] = [
    { high: 47, low: 39, mapsPages: false },
    { high: 38, low: 30, mapsPages: paging.cpu.pages1g },
    directory,
    table,
  ];
  switch (modeOf(paging)) {
    case 'none':
      return [];
    case '32-bit':
      return [
        { high: 31, low: 22, mapsPages: has(paging.cr4, CR4_PSE) },
        { high: 21, low: 12, mapsPages: false },
      ];
    case 'PAE':
      return [directory, table];
    case '4-level':
      return four;
    case '5-level':
      return [{ high: 56, low: 48, mapsPages: false }, ...four];
  }
}

/** Tables 4-4 to 4-6 (32-bit), 4-9 to 4-11 (PAE), 4-14 to 4-20 (4-level and 5-level); APM vol. 2, 5.3.3. */
function reservedBits(paging: Paging, level: Level, entry: bigint): bigint {
  const { cpu } = paging;
  const mode = modeOf(paging);
  const large = level.mapsPages && has(entry, PAGE_SIZE);
  if (mode === '32-bit') {
    const width = cpu.pse36 ? Math.min(40, cpu.width) : 32;
    return large ? BITS(21, width - 19) : 0n;
  }
  let reserved = mode === 'PAE' ? BITS(62, cpu.width) : BITS(51, cpu.width);
  if (!has(paging.efer, EFER_NXE)) reserved |= EXECUTE_DISABLE;
  if (large) reserved |= BITS(level.low - 1, 13);
  // PS exists in PDEs everywhere, and in the entries above only where they can map a page.
  else if (level.low > 21) reserved |= PAGE_SIZE;
  if (cpu.amd && level.low >= 39) reserved |= BIT(8);
  return reserved;
}

/** Section 4.7: the bits of the error code that describe the access. */
function accessBits(paging: Paging, request: Request): number {
  let code = 0;
  if (request.access === 'write') code |= 2;
  if (request.user && !request.implicit) code |= 4;
  const executeDisable = has(paging.cr4, CR4_PAE) && has(paging.efer, EFER_NXE);
  if (request.access === 'fetch' && (executeDisable || has(paging.cr4, CR4_SMEP))) code |= 16;
  return code;
}

/** Section 4.6.2. */
function keyForbids(paging: Paging, request: Request, userAddress: boolean, key: number): boolean {
  if (request.access === 'fetch' || !has(paging.efer, EFER_LMA)) return false;
  if (!has(paging.cr4, userAddress ? CR4_PKE : CR4_PKS)) return false;
  const rights = userAddress ? paging.pkru : paging.pkrs;
  if (has(rights, BIT(2 * key))) return true;
  const userMode = request.user && !request.implicit;
  return request.access === 'write' && has(rights, BIT(2 * key + 1)) && (userMode || has(paging.cr0, CR0_WP));
}

/** Section 4.6.1, row by row, without protection keys. */
function rightsAllow(paging: Paging, request: Request, combined: bigint, executeDisable: boolean): boolean {
  const userAddress = has(combined, USER);
  const writable = has(combined, WRITABLE);
  const userMode = request.user && !request.implicit;
  if (!userMode) {
    switch (request.access) {
      case 'read':
      case 'write': {
        const prevented = userAddress && has(paging.cr4, CR4_SMAP) && (request.implicit || !paging.ac);
        if (prevented) return false;
        return request.access === 'read' || writable || !has(paging.cr0, CR0_WP);
      }
      case 'fetch':
        return !executeDisable && !(userAddress && has(paging.cr4, CR4_SMEP));
    }
  }
  if (!userAddress) return false;
  if (request.access === 'read') return true;
  return request.access === 'write' ? writable : !executeDisable;
}

/** The walk; `read` gives the 4 or 8 bytes of an entry. */
export function walk(paging: Paging, request: Request, read: (at: bigint, size: 4 | 8) => bigint): Walk {
  const mode = modeOf(paging);
  const a20 = (address: bigint): bigint => (paging.a20 ? address : address & ~BIT(20));
  const { linear } = request;
  const used: bigint[] = [];
  const fault = (code: number, accessed: readonly bigint[] = []): Walk => ({
    physical: null,
    fault: code | accessBits(paging, request),
    accessed,
    dirty: null,
    pageBits: 0,
  });
  if (mode === 'none') return { physical: a20(linear), fault: null, accessed: [], dirty: null, pageBits: 12 };
  const size = mode === '32-bit' ? 4 : 8;
  const frame = mode === '32-bit' ? BITS(31, 12) : BITS(51, 12);
  let table = paging.cr3 & frame;
  if (mode === 'PAE') {
    const pdpte = paging.pdptes[Number((linear >> 30n) & 3n)] ?? 0n;
    if (!has(pdpte, PRESENT)) return fault(0);
    table = pdpte & frame;
  }
  let combined = WRITABLE | USER;
  let executeDisable = false;
  for (const level of levelsOf(paging)) {
    const index = (linear & BITS(level.high, level.low)) >> BigInt(level.low);
    const at = a20(table + index * BigInt(size));
    const entry = read(at, size);
    if (!has(entry, PRESENT)) return fault(0);
    if (has(entry, reservedBits(paging, level, entry))) return fault(9);
    combined &= entry;
    executeDisable ||= has(entry, EXECUTE_DISABLE);
    const leaf = level.low === 12 || (level.mapsPages && has(entry, PAGE_SIZE));
    if (!leaf) {
      used.push(at);
      table = entry & frame;
      continue;
    }
    const key = Number((entry & BITS(62, 59)) >> 59n);
    const byKey = keyForbids(paging, request, has(combined, USER), key);
    if (byKey || !rightsAllow(paging, request, combined, executeDisable)) return fault(byKey ? 33 : 1, used);
    let base = entry & frame & ~BITS(level.low - 1, 0);
    if (level.low === 22) base = (entry & BITS(31, 22)) | (((entry & BITS(20, 13)) >> 13n) << 32n);
    return {
      physical: a20(base | (linear & BITS(level.low - 1, 0))),
      fault: null,
      accessed: [...used, at],
      dirty: request.access === 'write' ? at : null,
      pageBits: level.low,
    };
  }
  throw new Error('a walk ends in its last level');
}
