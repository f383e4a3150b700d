/** The codes of the readers of libkrun's formats. */
import type { Check } from '../check';

export const LIBKRUN_CHECKS: readonly Check[] = [
  {
    code: 'libkrun-call',
    severity: 'error',
    title: 'Call of libkrun with another number of arguments',
    on: ['libkrun-c'],
  },
];
