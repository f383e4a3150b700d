/** A machine that another program ran: registers and memory, from which a run may start. */
import type { AddressRange } from '../../address/range';
import { MAX_VCPUS } from '../../../emulator/face';
import type { SegmentState, VcpuState } from '../../x86/state';

export interface CapturedVcpu {
  readonly state: VcpuState;
  readonly activity: 'running' | 'halted' | 'wait-for-sipi';
  /** IA32_KERNEL_GS_BASE where the capture has it. */
  readonly kernelGsBase?: bigint;
}

export interface CapturedMemory {
  readonly range: AddressRange;
  /** From the start of the range; zeros follow up to its end. */
  readonly bytes: Uint8Array;
}

/** Plain data that survives structured clone. */
export interface CapturedState {
  readonly vcpus: readonly CapturedVcpu[];
  readonly memory: readonly CapturedMemory[];
  /** What the capture does not have, and what was taken for it. */
  readonly notes: readonly string[];
}

export interface CaptureProblem {
  readonly problem: string;
}

/** A problem where it has more vCPUs than the emulator, or null. */
export function tooManyVcpus(count: number): CaptureProblem | null {
  return count > MAX_VCPUS
    ? { problem: `it has ${count} vCPUs, the emulator runs ${MAX_VCPUS} at most` }
    : null;
}

const S = 1 << 4;
const PRESENT = 1 << 7;
const UNUSABLE = 1 << 16;

/**
 * The hidden part of a segment from the upper half of a descriptor, as QEMU keeps it: type, S, DPL and P in bits 15:8, AVL,
 * L, D/B and G in bits 23:20.
 */
export function segmentOf(selector: number, base: bigint, limit: number, flags: number): SegmentState {
  const rights = (flags >>> 8) & 0xf0ff;
  const present = (rights & PRESENT) !== 0;
  // A segment of code or data that is loaded has been accessed, whatever the copy in memory says.
  const attributes = !present ? rights | UNUSABLE : (rights & S) !== 0 ? rights | 1 : rights;
  return { selector, base, limit: limit >>> 0, attributes };
}

/** The same for TR: what is loaded there is busy (SDM vol. 3, 8.2.2). */
export function taskSegmentOf(...parts: Parameters<typeof segmentOf>): SegmentState {
  const segment = segmentOf(...parts);
  const type = segment.attributes & 15;
  // LTR marks the descriptor as busy in memory, and QEMU keeps what it read before.
  return type === 1 || type === 9 ? { ...segment, attributes: segment.attributes | 2 } : segment;
}
