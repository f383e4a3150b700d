/** The findings that the reader of bhyve's command lines itself makes. */
import type { Severity } from '../../../text/finding';

export const COMMAND_PROBLEMS = {
  'bhyve-command-option': { severity: 'error', title: 'An option that bhyve does not have' },
  'bhyve-command-name': { severity: 'error', title: 'A command without a VM name, or with words behind it' },
  'bhyve-command-slot': { severity: 'error', title: 'A PCI slot that -s refuses' },
  'bhyve-command-argument': { severity: 'error', title: 'An argument that bhyve refuses' },
  'bhyve-command-no-op': { severity: 'hint', title: 'An option that does nothing' },
} as const satisfies Record<string, { severity: Severity; title: string }>;

export type CommandProblemCode = keyof typeof COMMAND_PROBLEMS;

/** Half-open offsets. */
export interface CommandProblem {
  readonly code: CommandProblemCode;
  readonly start: number;
  readonly end: number;
  readonly message: string;
  /** Another place that it is about. */
  readonly other?: { readonly start: number; readonly end: number; readonly message: string };
  /** The text to take away, where that is the fix. */
  readonly remove?: { readonly start: number; readonly end: number };
}
