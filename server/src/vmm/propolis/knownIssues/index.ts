/** The known issues of Propolis. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { propolisAddressSpace } from './addressSpace';
import { propolisCmosMemory } from './cmosMemory';
import { propolisRomWrite } from './romWrite';

export const PROPOLIS_KNOWN_ISSUES: readonly KnownIssue[] = [
  propolisRomWrite,
  propolisCmosMemory,
  propolisAddressSpace,
];
