/** The codes of the readers of libkrun's formats, and the rules on its calls. */
import type { Check } from '../check';
import { afterStart } from './afterStart';
import { argument } from './argument';
import { ignoredCall, rawKernel } from './ignoredCall';
import { overridden } from './overridden';
import { refusedCall } from './refusedCall';
import { deprecated, removed } from './retired';

export const LIBKRUN_CHECKS: readonly Check[] = [
  {
    code: 'libkrun-call',
    severity: 'error',
    title: 'Call of libkrun with another number of arguments',
    on: ['libkrun-c'],
  },
  afterStart,
  argument,
  deprecated,
  ignoredCall,
  overridden,
  rawKernel,
  refusedCall,
  removed,
];
