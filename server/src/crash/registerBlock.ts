/** A set of registers as a dump prints it, whatever its format. */
import type { CpuMode } from '../x86/state';
import type { DumpLine } from './dumpText';

export interface SegmentValue {
  readonly selector: number | null;
  readonly base: bigint | null;
  /** In bytes, inclusive. */
  readonly limit: number | null;
  /** In the VMX access-rights layout (x86/state.ts). */
  readonly attributes: number | null;
}

/** A segment of which only the selector is known. */
export function selectorOnly(selector: number): SegmentValue {
  return { selector, base: null, limit: null, attributes: null };
}

export interface RegisterBlock {
  /** By 64-bit lower-case name, zero-extended; EFLAGS is `rflags`. */
  readonly values: Map<string, bigint>;
  readonly segments: Map<string, SegmentValue>;
  /** The line that each value stands in, by its name. */
  readonly lines: Map<string, DumpLine>;
}

export interface ModeReading {
  readonly mode: CpuMode | null;
  /** Why, or why not. */
  readonly reason: string;
}
