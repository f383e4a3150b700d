/** The known issues of Firecracker. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { firecrackerMpTableMap } from './mpTableOutsideMap';
import { firecrackerStaleReads } from './staleReads';
import { firecrackerTripleFaultStatus } from './tripleFaultStatus';

export const FIRECRACKER_KNOWN_ISSUES: readonly KnownIssue[] = [
  firecrackerMpTableMap,
  firecrackerTripleFaultStatus,
  firecrackerStaleReads,
];
