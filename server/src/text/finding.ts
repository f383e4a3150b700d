/** What is told to a user about a text: the one shape of parse problems, checks, simulation and crash findings. */
import type { SourceRange, TextRange } from './position';

export type Severity = 'error' | 'warning' | 'information' | 'hint';

/**
 * How well a statement is known.
 * `proven`: from the dump, the source or the report. `reproduced`: our model runs the same algorithm and fails the
 * same way. `mechanism`: our model shows a cited chain that leads to the same state, one of several that could.
 * `counterfactual`: what would happen if. `inferred`: a reading.
 */
export type EvidenceGrade = 'proven' | 'reproduced' | 'mechanism' | 'counterfactual' | 'inferred';

export interface TextEdit {
  readonly uri: string;
  readonly range: TextRange;
  readonly newText: string;
}

/** A quick fix. `preferred` ones are certain and may be applied by "fix all". */
export interface Fix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
  readonly preferred?: boolean;
}

export interface RelatedPlace {
  readonly at: SourceRange;
  readonly message: string;
}

export interface Finding {
  /** Stable kebab-case code; its page is `docs/checks/CODE.md`. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence that states the fact with its numbers, one that says why it matters. */
  readonly message: string;
  /** Null where there is no source. */
  readonly at: SourceRange | null;
  readonly related?: readonly RelatedPlace[];
  readonly fixes?: readonly Fix[];
  readonly evidence?: EvidenceGrade;
  readonly tags?: readonly ('unnecessary' | 'deprecated')[];
}
