/** The codes of Linux command lines, in whatever format they stand. */
import type { Check } from '../check';
import { consoleUnseen } from './consoleUnseen';
import { silentPanicCheck } from './silentPanic';

export const COMMAND_LINE_CHECKS: readonly Check[] = [silentPanicCheck, consoleUnseen];
