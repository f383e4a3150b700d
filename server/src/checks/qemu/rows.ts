/** All checks on config files of QEMU, one rule a row. */
import type { Check } from '../check';
import { group, groupId } from './groups';
import { key, keyTwice } from './keys';
import { memory } from './memory';
import { smp } from './smp';
import { syntax } from './syntax';

export const QEMU_CHECKS: readonly Check[] = [syntax, group, groupId, key, keyTwice, memory, smp];
