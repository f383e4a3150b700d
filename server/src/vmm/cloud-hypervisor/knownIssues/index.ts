/** The known issues of Cloud Hypervisor. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { chvGuestPhysicalBits } from './guestPhysicalBits';
import { chvHyperTransportHole } from './hyperTransportHole';
import { chvSilentTripleFault } from './silentTripleFault';

export const CLOUD_HYPERVISOR_KNOWN_ISSUES: readonly KnownIssue[] = [
  chvSilentTripleFault,
  chvGuestPhysicalBits,
  chvHyperTransportHole,
];
