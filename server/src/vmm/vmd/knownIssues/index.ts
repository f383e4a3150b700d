/** The known issues of vmd. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { vmdDirectLaunch } from './vmdDirectLaunch';
import { vmdLowmem } from './vmdLowmem';

export const VMD_KNOWN_ISSUES: readonly KnownIssue[] = [vmdLowmem, vmdDirectLaunch];
