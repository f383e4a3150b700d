/** From a linear address of a vCPU to guest physical memory, by its page tables as they stand. */
import type { VcpuState } from '../x86/state';

/** Reads guest physical memory; null where there is none. */
export type ReadMemory = (address: bigint, length: number) => Uint8Array | null;

const PG = 1n << 31n;
const PSE = 1n << 4n;
const PAE = 1n << 5n;
const LA57 = 1n << 12n;
const LMA = 1n << 10n;
const PRESENT = 1n;
const LARGE = 0x80n;
const FRAME = 0x000ffffffffff000n;

/** The physical address, or null where a level is not present or lies outside memory. No rights are checked. */
export function translate(state: VcpuState, linear: bigint, read: ReadMemory): bigint | null {
  if ((state.cr0 & PG) === 0n) return linear & 0xffffffffn;
  if ((state.cr4 & PAE) === 0n) return walkLegacy(state, linear & 0xffffffffn, read);
  const long = (state.efer & LMA) !== 0n;
  const levels = !long ? 3 : (state.cr4 & LA57) !== 0n ? 5 : 4;
  let table = long ? state.cr3 & FRAME : state.cr3 & 0xffffffe0n;
  for (let level = levels; level > 0; level--) {
    const shift = BigInt(12 + 9 * (level - 1));
    const index = (linear >> shift) & (level === 3 && !long ? 3n : 0x1ffn);
    const entry = load(read, table + index * 8n, 8);
    if (entry === null || (entry & PRESENT) === 0n) return null;
    const leaf = level === 1 || (level <= 3 && (entry & LARGE) !== 0n && !(level === 3 && !long));
    const inPage = (1n << shift) - 1n;
    if (leaf) return (entry & FRAME & ~inPage) | (linear & inPage);
    table = entry & FRAME;
  }
  return null;
}

function walkLegacy(state: VcpuState, linear: bigint, read: ReadMemory): bigint | null {
  const directory = load(read, (state.cr3 & 0xfffff000n) + (linear >> 22n) * 4n, 4);
  if (directory === null || (directory & PRESENT) === 0n) return null;
  if ((directory & LARGE) !== 0n && (state.cr4 & PSE) !== 0n) {
    const high = ((directory >> 13n) & 0xffn) << 32n;
    return high | (directory & 0xffc00000n) | (linear & 0x3fffffn);
  }
  const entry = load(read, (directory & 0xfffff000n) + ((linear >> 12n) & 0x3ffn) * 4n, 4);
  if (entry === null || (entry & PRESENT) === 0n) return null;
  return (entry & 0xfffff000n) | (linear & 0xfffn);
}

function load(read: ReadMemory, address: bigint, length: 4 | 8): bigint | null {
  const bytes = read(address, length);
  if (!bytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  return length === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
}

/** CS base plus RIP, as the CPU fetches: the base counts outside 64-bit mode only. */
export function instructionAddress(state: VcpuState): bigint {
  const long = (state.efer & LMA) !== 0n && (state.segments.cs.attributes & (1 << 13)) !== 0;
  return long ? state.rip : (state.segments.cs.base + state.rip) & 0xffffffffn;
}
