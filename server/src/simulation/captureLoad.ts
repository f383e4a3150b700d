/** Puts a captured state into a core, in the place of what a board does at power-on. */
import { PAGE, type AddressRange } from '../address/range';
import type { Core, SlotKind } from '../../emulator/face';
import type { CapturedState, CapturedVcpu } from '../machine/captured/capturedState';

const FOUR_GIB = 1n << 32n;
/** Boot ROMs end at 4 GiB; what a capture has there is one. */
const ROM_START = FOUR_GIB - (16n << 20n);
const IA32_KERNEL_GS_BASE = 0xc0000102;

type Slot = { readonly start: bigint; readonly end: bigint; readonly kind: SlotKind };

/** What is memory: what the capture has, whole pages, and the board's own RAM where it has none. */
export function capturedSlots({ memory }: CapturedState, board: readonly Slot[]): Slot[] {
  return [...board, ...memory.map(({ range }) => ({ ...wholePages(range), kind: kindOf(range) }))];
}

function wholePages({ start, end }: AddressRange): AddressRange {
  return { start: start - (start % PAGE), end: ((end + PAGE - 1n) / PAGE) * PAGE };
}

function kindOf({ start, end }: AddressRange): 'ram' | 'rom' {
  return start >= ROM_START && end === FOUR_GIB ? 'rom' : 'ram';
}

/** A plain loop: a dump has hundreds of millions of bytes. */
function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Writes to memory; false where it is full. Pages that are zero already are left untouched: a guest costs what it uses. */
export function fillMemory(core: Core, address: bigint, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length;) {
    const start = address + BigInt(at);
    const size = Math.min(Number(PAGE - (start % PAGE)), bytes.length - at);
    const page = bytes.subarray(at, at + size);
    const zero = isZero(page) && isZero(core.read(start, size) ?? page);
    if (!zero && !core.write(start, page)) return false;
    at += size;
  }
  return true;
}

export function fullMemory(core: Core): string {
  return `its memory does not fit into the emulator: it is full at ${core.touchedPages} pages`;
}

/** Why it cannot be loaded, or null. */
export function loadCapture({ vcpus, memory }: CapturedState, core: Core): string | null {
  if (vcpus.length > core.vcpus) return `it has ${vcpus.length} vCPUs, the machine ${core.vcpus}`;
  for (const { range, bytes } of memory) {
    if (!fillMemory(core, range.start, bytes)) return fullMemory(core);
  }
  vcpus.forEach((vcpu, index) => loadVcpu(vcpu, index, core));
  return null;
}

export function loadVcpu({ state, activity, kernelGsBase }: CapturedVcpu, index: number, core: Core): void {
  core.setState(index, state);
  if (kernelGsBase !== undefined) core.setMsr(index, IA32_KERNEL_GS_BASE, kernelGsBase);
  core.setActivity(index, activity);
}
