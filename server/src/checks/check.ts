/** What a check is: one code, one rule, one page in `docs/checks/`. */
import type { Document, LanguageKind } from '../machine/language';
import type { Finding, Severity } from '../text/finding';

/** What a rule reports; the table adds its code and default severity. */
export type Found = Omit<Finding, 'code' | 'severity'> & {
  /** Where one finding weighs other than the code's default. */
  readonly severity?: Severity;
};

export interface CheckRow {
  /** Stable and kebab-case; its page is `docs/checks/CODE.md`. */
  readonly code: string;
  readonly severity: Severity;
  /** A few words for lists. */
  readonly title: string;
  /** The kinds of input that it looks at; `machine` for every document that has machines. */
  readonly on: readonly (LanguageKind | 'machine')[];
}

/** A row whose findings come from the parser itself has no `run`. */
export interface Check extends CheckRow {
  run?(document: Document): Iterable<Found>;
}

export function applies(check: CheckRow, document: Document): boolean {
  return (
    check.on.includes(document.language) || (check.on.includes('machine') && document.machines.length > 0)
  );
}
