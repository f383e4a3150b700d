/** A known issue of a VMM: data, with an evidence grade on every statement. */
import type { FaultRecord } from '../../emulator/face';
import type { EvidenceGrade } from '../text/finding';
import type { CpuVendor } from '../x86/cpuid/answers';
import type { CpuMode, VcpuState } from '../x86/state';
import type { GuestDescription, Setting } from './machine';

export interface Statement {
  readonly text: string;
  readonly evidence: EvidenceGrade;
  /** The source that was read. */
  readonly citation: string;
}

export interface Hypothesis {
  readonly message: string;
  readonly for: readonly string[];
  readonly against: readonly string[];
  /** What would decide, in a form that a user can run. */
  readonly experiment: string;
}

/** How a run of an issue's probe ended, as far as an issue looks at it. */
export interface ShownRun {
  /** Of the VMM. */
  readonly version: string;
  /** Bytes of the guest's RAM from 4 GiB on. */
  readonly highMemory: bigint;
  /** One of the outcomes of the report. */
  readonly outcome: string;
  readonly reason: string;
  readonly exitStatus: number | null;
  /** The code with which the probe ended its report, or null. */
  readonly probeStatus: string | null;
  readonly console: string;
  readonly exits: readonly { readonly kind: string; readonly at: bigint | null; readonly count: number }[];
  readonly faultChain: readonly FaultRecord[];
  readonly vcpus: readonly { readonly registers: VcpuState; readonly mode: CpuMode }[];
}

/** One of the runs that together show an issue: a version of the VMM, a probe guest and what is set in it. */
export interface SimulationCell {
  /** A few words that tell it from the others: `IBT on, blob intact, 640 KiB`. */
  readonly name: string;
  /** Version id of the issue's VMM. */
  readonly version: string;
  readonly probe: string;
  /** Values for the probe's cells; the others keep their initial value. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Whose CPU, where the issue turns on it. */
  readonly vendor?: CpuVendor;
  /** The kernel's command line, in the place of the guest's. */
  readonly commandLine?: string;
  /** Settings of the guest beside or in the place of its own, by key path. */
  readonly settings?: Readonly<Record<string, Setting>>;
  /** How well this run speaks for the real thing. */
  readonly evidence: EvidenceGrade;
}

/** How an issue is shown on the emulator. */
export interface KnownIssueSimulation {
  /** The guest that is booted where the user names no config of their own. */
  readonly guest: GuestDescription;
  /** The size of the firmware image in the report, in bytes: that of a probe gets as large. */
  readonly firmwareSize?: number;
  /** The first is the main one: an affected version that ends as the report says. */
  readonly cells: readonly SimulationCell[];
  /** One sentence with the numbers where a run of a cell reached the state that the report describes, else null. */
  reached(run: ShownRun): string | null;
  /** What the runs show together, and what they do not. */
  readonly shows: string;
}

export interface KnownIssue {
  /** Kebab-case, also the finding's code: `vmd-lowmem`. */
  readonly id: string;
  readonly vmm: string;
  readonly title: string;
  readonly link: string;
  /** Version ids that are affected, oldest first. */
  readonly affected: readonly string[];
  readonly statements: readonly Statement[];
  readonly hypotheses: readonly Hypothesis[];
  readonly fix: string;
  /** Missing where the emulator cannot show it. */
  readonly simulation?: KnownIssueSimulation;
}
