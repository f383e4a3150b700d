/** EFER where a capture lacks it: what the other registers and the page tables prove. */
import type { VcpuState } from '../../x86/state';

/** Reads guest physical memory; null where there is none. */
type ReadMemory = (address: bigint, length: number) => Uint8Array | null;

const PG = 1n << 31n;
const PAE = 1n << 5n;
const LA57 = 1n << 12n;
const LME = 1n << 8n;
const LMA = 1n << 10n;
const NXE = 1n << 11n;
const FRAME = 0x000ffffffffff000n;
/** Page tables looked at; a set NX bit comes early in every kernel's. */
const TABLES = 4096;

/**
 * LMA and LME where the CPU is in IA-32e mode; NXE where a present entry of the page tables has bit 63 set, which would be
 * reserved otherwise (SDM vol. 3, 4.5.4). SCE cannot be told.
 * @param longMode what is known of IA-32e mode apart from CS.L
 */
export function inferEfer(state: VcpuState, longMode: boolean, read: ReadMemory): bigint {
  if ((state.cr0 & PG) === 0n || (state.cr4 & PAE) === 0n) return 0n;
  const codeIsLong = (state.segments.cs.attributes & (1 << 13)) !== 0;
  const long = codeIsLong || longMode;
  const efer = long ? LME | LMA : 0n;
  const levels = !long ? 2 : (state.cr4 & LA57) !== 0n ? 5 : 4;
  return usesNoExecute(state, long, levels, read) ? efer | NXE : efer;
}

function usesNoExecute(state: VcpuState, long: boolean, levels: number, read: ReadMemory): boolean {
  const queue: { table: bigint; level: number }[] = [];
  if (long) queue.push({ table: state.cr3 & FRAME, level: levels });
  else {
    // The four PDPTEs have no NX bit.
    for (const entry of entriesOf(state.cr3 & 0xffffffe0n, 4, read)) {
      if ((entry & 1n) !== 0n) queue.push({ table: entry & FRAME, level: levels });
    }
  }
  const seen = new Set<bigint>();
  // The queue grows while it is read.
  for (const { table, level } of queue) {
    if (seen.has(table)) continue;
    if (seen.size === TABLES) break;
    seen.add(table);
    for (const entry of entriesOf(table, 512, read)) {
      if ((entry & 1n) === 0n) continue;
      if (entry >> 63n !== 0n) return true;
      const leaf = level === 1 || (level <= 3 && (entry & 0x80n) !== 0n);
      if (!leaf) queue.push({ table: entry & FRAME, level: level - 1 });
    }
  }
  return false;
}

function entriesOf(table: bigint, count: number, read: ReadMemory): readonly bigint[] {
  const bytes = read(table, count * 8);
  if (!bytes) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => view.getBigUint64(index * 8, true));
}
