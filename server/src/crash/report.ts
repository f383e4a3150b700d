/** The result of decoding a crash. `bootpath decode --format json` prints it field by field. */
import type { Hypothesis } from '../machine/knownIssue';
import type { EvidenceGrade, Finding } from '../text/finding';
import type { SourceRange } from '../text/position';
import type { CpuMode } from '../x86/state';

export type Confidence = 'certain' | 'likely' | 'possible' | 'low';
export type Cause = 'config' | 'vmm' | 'guest' | 'host';

export interface CrashFinding extends Finding {
  readonly confidence: Confidence;
  readonly evidence: EvidenceGrade;
  readonly cause: Cause | null;
  /** Lines of the dump that show it. */
  readonly dumpLines: readonly SourceRange[];
}

/** Registers by their 64-bit lower-case names, segments as objects where known. */
export interface CrashRegisters {
  readonly values: Readonly<Partial<Record<string, bigint>>>;
  readonly segments: Readonly<
    Partial<
      Record<
        string,
        { selector: number | null; base: bigint | null; limit: number | null; attributes: number | null }
      >
    >
  >;
}

/** What an address of the dump is in a machine. */
export interface Mapping {
  /** `RIP`, `CR3 page table`, `CR2`. */
  readonly what: string;
  readonly address: bigint;
  /** How sure it is that this is a guest-physical address, and why. */
  readonly role: string;
  readonly region: string | null;
  readonly machine: string | null;
  /** Where there is no region: both neighbours. Else what is near. */
  readonly note: string | null;
  readonly at: SourceRange | null;
}

export interface Crash {
  /** The id of one of `DUMP_FORMATS`: `linux-oops`. */
  readonly format: string;
  /** One line: what it is. */
  readonly title: string;
  /** One or two sentences that come before the evidence: what is established, or that nothing is. */
  readonly verdict: string;
  readonly mode: CpuMode | null;
  /** Why this mode, or why none. */
  readonly modeReason: string;
  readonly registers: CrashRegisters;
  readonly findings: readonly CrashFinding[];
  readonly rootCause: CrashFinding | null;
  readonly hypotheses: readonly Hypothesis[];
  readonly mappings: readonly Mapping[];
  /** Where it stands in the pasted text. */
  readonly at: SourceRange;
}

export interface CrashReport {
  readonly crashes: readonly Crash[];
  /** Where nothing was recognised: what was looked for and the nearest miss. */
  readonly misses: readonly string[];
}
