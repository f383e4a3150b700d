/** What the reader of Propolis configs finds. */
import { PROPOLIS_PROBLEMS } from '../../vmm/propolis/problems';
import type { Check } from '../check';

export const PROPOLIS_CHECKS: readonly Check[] = Object.entries(PROPOLIS_PROBLEMS).map(([code, row]) => ({
  code,
  ...row,
  on: ['propolis'],
}));
