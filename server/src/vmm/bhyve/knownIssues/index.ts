/** The known issues of bhyve. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { illumos13253 } from './illumos13253';
import { illumos14042 } from './illumos14042';

export const BHYVE_KNOWN_ISSUES: readonly KnownIssue[] = [illumos13253, illumos14042];
