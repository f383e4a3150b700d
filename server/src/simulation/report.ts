/** The result of a simulated boot. `bootpath simulate --format json` prints it field by field (addresses as hex). */
import type { FaultRecord, TraceEvent } from '../../emulator/face';
import type { Expectation } from '../boot-plan/plan';
import type { CapturedState } from '../machine/captured/capturedState';
import type { KernelSymbols } from '../machine/image/symbolFiles';
import type { ExitKind, Outcome } from '../machine/outcome';
import type { EvidenceGrade, Finding } from '../text/finding';
import type { CpuChoice, DirectBoot } from '../vmm/model';
import type { ConsoleAnswer } from './consoleAnswers';
import type { MissedExpectation } from './expectations';
import type { PlanContents } from './planContents';
import type { SavedRun } from './savedRun';
import type { CpuMode, VcpuState } from '../x86/state';

/** Exits of one kind: `IN 0x64`, `MMIO read 0xfee00020`, `HLT`. */
export interface ExitCount {
  readonly kind: ExitKind;
  /** Port, address, leaf or MSR; null for `hlt` and `shutdown`. */
  readonly at: bigint | null;
  readonly count: number;
  /** The device that answered, or null. */
  readonly device: string | null;
}

/** A line of the timeline that does not come from the CPU itself. */
export type BoardEvent =
  | { readonly event: 'console'; readonly at: number; readonly vcpu: number; readonly text: string }
  | { readonly event: 'verdict'; readonly at: number; readonly vcpu: number; readonly text: string }
  /** Interrupts and halts that went on as before: how often, the last one at `at`. */
  | {
      readonly event: 'repeated';
      readonly at: number;
      readonly vcpu: number;
      readonly count: number;
      readonly text: string;
    }
  /** So many events in between were not kept, the last of them at `at`. */
  | {
      readonly event: 'omitted';
      readonly at: number;
      readonly vcpu: number;
      readonly count: number;
      readonly text: string;
    };

/** `symbol` names the instruction pointer, where there are symbols and one covers it: `start_kernel+0x1c`. */
export type TimelineEvent = (TraceEvent | BoardEvent) & { readonly symbol?: string };

export interface ReportedFault extends FaultRecord {
  /** Of the instruction that faulted; null where no symbol covers it. */
  readonly symbol: string | null;
}

export interface VcpuReport {
  readonly registers: VcpuState;
  readonly mode: CpuMode;
  /** Of the instruction pointer; null where no symbol covers it. */
  readonly symbol: string | null;
}

/** Symbols for a run, and what was found instead of some. */
export interface SymbolChoice {
  readonly used: KernelSymbols | null;
  /** Files that were there and could not be used, each with the reason. */
  readonly notes: readonly string[];
}

export interface ShownCell {
  readonly issue: string;
  readonly cell: string;
  /** One sentence with the numbers where the run reached the state that the report describes, else null. */
  readonly reached: string | null;
}

export interface BootReport {
  readonly outcome: Outcome;
  /** One or two sentences with the numbers. */
  readonly reason: string;
  readonly instructions: number;
  /** What the guest told the host when it ended the VM (a debug exit port), null where it told nothing. */
  readonly exitStatus: number | null;
  /** Wall time of the run in milliseconds; not part of the JSON contract's fixed fields, never compared. */
  readonly milliseconds: number;
  /** Of `instructions` those that a saved run had done before; not part of the JSON contract, as `milliseconds`. */
  readonly instructionsBefore: number;
  readonly vcpus: readonly VcpuReport[];
  readonly console: string;
  readonly firmwareLog: string;
  /** What stands in the text memory of a colour display at the end, where nobody shows it; empty where nothing does. */
  readonly screen: string;
  readonly exits: readonly ExitCount[];
  readonly timeline: readonly TimelineEvent[];
  /** Events left out of `timeline`, where it has the event `omitted`, because it is capped. */
  readonly timelineDropped: number;
  readonly faultChain: readonly ReportedFault[];
  /** The file whose symbols name the addresses, or null. */
  readonly symbols: string | null;
  readonly findings: readonly Finding[];
  readonly evidence: EvidenceGrade | null;
  /** Where a known issue was to be shown: which run it is, and what it reached. */
  readonly shown: ShownCell | null;
  readonly notModelled: readonly string[];
  /** What was expected and did not come; absent where nothing is expected. */
  readonly missed?: readonly MissedExpectation[];
}

export interface SimulationRequest {
  /** Name of the machine; null takes the document's first one. */
  readonly machine: string | null;
  readonly firmware: Uint8Array | null;
  readonly kernel: Uint8Array | null;
  /** What comes with an image that has no config. */
  readonly boot?: DirectBoot;
  /** Name of a probe guest; the default probe is used where neither image nor probe is given. */
  readonly probe: string | null;
  readonly taps: readonly number[];
  readonly maxInstructions: number;
  readonly reboots: number;
  /** Ends the run with `expectation-met` when the guest has written this to its console or to a watched debug port. */
  readonly until?: string;
  /** Replies to prompts of the guest on its console, in this order, anew at each power-on. */
  readonly answers?: readonly ConsoleAnswer[];
  /** Values for the cells of a probe guest, by name; the others keep their initial value. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** Id of a known issue of the VMM: its own probe is booted instead of an image. */
  readonly knownIssue?: string | null;
  /** Which run of the known issue's simulation; the first, which is its main one, otherwise. */
  readonly cell?: number;
  /** The initial RAM disk that goes with `kernel`, for machines of a config. */
  readonly initrd?: Uint8Array | null;
  /** The CPU, where the model's own is not wanted. */
  readonly cpu?: CpuChoice;
  /**
   * Goes on after accesses at which the VMM would give up on the guest, where its model allows that; counted and told in
   * the report. By default on when there are taps: whoever observes a firmware wants to see it go on.
   */
  readonly passOver?: boolean;
  /** A guest that only waits for timer interrupts this many seconds of its own time is idle, and the run ends. 30 by default. */
  readonly idleSeconds?: number;
  readonly symbols?: SymbolChoice;
  /** What the config's VMM rejects in its text: the run takes what could be read of it, and says so. */
  readonly rejected?: readonly Finding[];
  /** Starts from there; there is no image then, and nothing to boot after a reset. */
  readonly captured?: CapturedState;
  /** Fills memory and registers in the VMM's place, anew at each power-on. */
  readonly plan?: PlanContents;
  /** What a boot plan expects of the run; it ends with `expectation-met` when all has come that can be seen on the way. */
  readonly expectations?: readonly Expectation[];
  /** MAXPHYADDR of the CPU in bits, where the model's own is not wanted. */
  readonly physicalWidth?: number;
  /** Hands the state to the host at that instruction of all power-ons, and goes on; null at the end of the run. */
  readonly save?: { readonly at: number | null };
  /** Goes on from there; everything else must be as in the request of the saved run, limits and `until` aside. */
  readonly resume?: SavedRun;
  /** Instructions that a vCPU runs before the next one's turn. Runs repeat exactly; another quantum may show another race. */
  readonly quantum?: number;
}
