/** The findings that the reader of Propolis configs itself makes. */
import type { Severity } from '../../text/finding';

export const PROPOLIS_PROBLEMS = {
  'propolis-toml': { severity: 'error', title: 'The text is no TOML here' },
  'propolis-duplicate': { severity: 'error', title: 'A key or table that stands there twice' },
  'propolis-number-range': { severity: 'error', title: 'A number beyond 64 bits' },
  'propolis-pragma': { severity: 'warning', title: 'A version comment that names no known version' },
} as const satisfies Record<string, { severity: Severity; title: string }>;

export type PropolisProblem = keyof typeof PROPOLIS_PROBLEMS;
