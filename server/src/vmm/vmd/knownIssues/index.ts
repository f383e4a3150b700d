/** The known issues of vmd. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { vmdLowmem } from './vmdLowmem';

export const VMD_KNOWN_ISSUES: readonly KnownIssue[] = [vmdLowmem];
