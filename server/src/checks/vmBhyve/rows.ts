/** The rules on vm-bhyve's guest configurations. */
import type { Check } from '../check';
import { indexHole } from './indexHole';
import { comment, duplicateKey, quotes, unknownKey, whitespace } from './keys';
import { fwcfg, graphics, missing, topology, value, yesNo } from './values';

export const VM_BHYVE_CHECKS: readonly Check[] = [
  unknownKey,
  whitespace,
  duplicateKey,
  comment,
  quotes,
  missing,
  value,
  topology,
  yesNo,
  graphics,
  fwcfg,
  indexHole,
];
