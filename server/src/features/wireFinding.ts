/** A finding on the wire. */
import type { Severity } from '../text/finding';
import type { TextRange } from '../text/position';

export interface WireFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** The page that explains the code. */
  readonly page: string;
  /** Null where there is no source. */
  readonly uri: string | null;
  readonly range: TextRange | null;
}
