/** One crash with everything that the rules may look at. */
import type { Machine } from '../machine/machine';
import type { EvidenceGrade, RelatedPlace, Severity } from '../text/finding';
import type { SourceRange } from '../text/position';
import type { DumpLine, DumpText } from './dumpText';
import type { ModeReading, RegisterBlock } from './registerBlock';
import type { Cause, Confidence, CrashFinding } from './report';

/** A machine that the crash may have happened in. */
export interface Candidate {
  readonly machine: Machine;
  /** True where nobody named the VMM's version: the newest was assumed. */
  readonly versionAssumed: boolean;
}

/** What every format has; each adds its own record. */
export interface CrashFacts {
  readonly text: DumpText;
  /** The guest's registers; null where the text has none. */
  readonly block: RegisterBlock | null;
  readonly mode: ModeReading;
  readonly candidates: readonly Candidate[];
}

export interface CrashRule<Facts extends CrashFacts = CrashFacts> {
  /** Number in the project's list of rules: `R1b`, `K2`. */
  readonly id: string;
  /** Stable kebab-case code of its findings. */
  readonly code: string;
  readonly title: string;
  /** What a finding has unless it says otherwise. */
  readonly confidence: Confidence;
  check(facts: Facts): readonly RuleFinding[];
}

/** What a rule says; the rule adds the code. */
export interface RuleFinding {
  readonly message: string;
  readonly severity: Severity;
  readonly evidence: EvidenceGrade;
  readonly cause: Cause | null;
  /** Lines of the dump that show it, most telling first. */
  readonly lines: readonly DumpLine[];
  readonly confidence?: Confidence;
  /** The config line, where the finding is about one. Without it the first dump line is the place. */
  readonly at?: SourceRange | null;
  readonly related?: readonly RelatedPlace[];
}

/** The value of a register, or undefined where the dump does not print it. */
export function register(facts: CrashFacts, name: string): bigint | undefined {
  return facts.block?.values.get(name);
}

export function selector(facts: CrashFacts, name: string): number | undefined {
  return facts.block?.segments.get(name)?.selector ?? undefined;
}

/** The lines that print these values, in this order, without repetition. */
export function linesOf(facts: CrashFacts, ...names: readonly string[]): DumpLine[] {
  const lines: DumpLine[] = [];
  for (const name of names) {
    const line = facts.block?.lines.get(name);
    if (line && !lines.includes(line)) lines.push(line);
  }
  return lines;
}

/** True where the fault was taken in kernel mode; also where the dump does not tell. */
export function inKernel(facts: CrashFacts): boolean {
  return ((selector(facts, 'cs') ?? 0) & 3) === 0;
}

export function toFinding(
  facts: CrashFacts,
  rule: Pick<CrashRule, 'code' | 'confidence'>,
  found: RuleFinding,
): CrashFinding {
  const dumpLines = found.lines.map((line) => facts.text.at(line));
  return {
    code: rule.code,
    severity: found.severity,
    message: found.message,
    at: found.at ?? dumpLines[0] ?? null,
    ...(found.related && found.related.length > 0 ? { related: found.related } : {}),
    evidence: found.evidence,
    confidence: found.confidence ?? rule.confidence,
    cause: found.cause,
    dumpLines,
  };
}
