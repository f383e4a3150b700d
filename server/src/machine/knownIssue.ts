/** A known issue of a VMM: data, with an evidence grade on every statement. */
import type { EvidenceGrade } from '../text/finding';

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

/** How an issue is shown on the emulator: a probe guest, under an affected version. */
export interface KnownIssueSimulation {
  readonly probe: string;
  /** Values for the probe's cells; the others keep their initial value. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly evidence: EvidenceGrade;
  /** What the run shows, and what it does not. */
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
