/** What the reader of bhyve's flat configs finds. */
import { BHYVE_PROBLEMS } from '../../vmm/bhyve/config/problems';
import type { Check } from '../check';

export const BHYVE_CHECKS: readonly Check[] = Object.entries(BHYVE_PROBLEMS).map(([code, row]) => ({
  code,
  ...row,
  on: ['bhyve-config'],
}));
