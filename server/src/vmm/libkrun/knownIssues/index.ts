/** The known issues of libkrun. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { libkrunI8042Reset } from './i8042Reset';
import { libkrunInitrdAbove4g } from './initrdAbove4g';
import { libkrunRamOverMmio } from './ramOverMmio';

export const LIBKRUN_KNOWN_ISSUES: readonly KnownIssue[] = [
  libkrunI8042Reset,
  libkrunInitrdAbove4g,
  libkrunRamOverMmio,
];
