/** The findings that the reader of bhyve's configs itself makes. */
import type { Severity } from '../../../text/finding';

export const BHYVE_PROBLEMS = {
  'bhyve-config-syntax': { severity: 'error', title: 'A line that is no key=value' },
  'bhyve-config-key': { severity: 'error', title: 'A key that is a value and a node at once' },
  'bhyve-config-reference': { severity: 'warning', title: 'A reference that names no value' },
  'bhyve-config-number': { severity: 'error', title: 'A memory size or CPU count that bhyve refuses' },
  'bhyve-pragma': { severity: 'warning', title: 'A version comment that names no known version' },
} as const satisfies Record<string, { severity: Severity; title: string }>;

export type BhyveProblem = keyof typeof BHYVE_PROBLEMS;
