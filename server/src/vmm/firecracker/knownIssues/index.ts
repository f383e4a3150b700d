import type { KnownIssue } from '../../../machine/knownIssue';

export const FIRECRACKER_KNOWN_ISSUES: readonly KnownIssue[] = [];
