/** All specifications, in the order of SDM vol. 1, chapter 5. */
import { VECTORS, X87 } from './floatingPoint';
import { ARITHMETIC } from './arithmetic';
import { CONTROL_TRANSFER, STACK_ROWS } from './control';
import { DATA_TRANSFER } from './dataTransfer';
import { FLAGS } from './flags';
import { BITS, LOGIC, SHIFTS } from './logic';
import type { Chapter } from './spec';
import { STRINGS } from './strings';
import { MISCELLANEOUS, PREFIXES, SYSTEM } from './system';

export const CHAPTERS: readonly Chapter[] = [
  DATA_TRANSFER,
  ARITHMETIC,
  LOGIC,
  SHIFTS,
  BITS,
  CONTROL_TRANSFER,
  STRINGS,
  FLAGS,
  STACK_ROWS,
  MISCELLANEOUS,
  SYSTEM,
  PREFIXES,
  X87,
  VECTORS,
];
