/** Known issues that a config can say something about; those of vm.conf are in `vmconf/`, `closed-range-seam` is 14042's. */
import type { Check } from '../check';
import { chvHyperTransportHole } from './chvHyperTransportHole';
import { illumos13253 } from './illumos13253';
import { libkrunI8042Reset } from './libkrunI8042Reset';
import { LIBKRUN_MEMORY_CHECKS } from './libkrunMemory';
import { PROPOLIS_MEMORY_CHECKS } from './propolisMemory';

export const KNOWN_ISSUE_CHECKS: readonly Check[] = [
  illumos13253,
  chvHyperTransportHole,
  libkrunI8042Reset,
  ...LIBKRUN_MEMORY_CHECKS,
  ...PROPOLIS_MEMORY_CHECKS,
];
