/** All formats of dumps, in the order in which their crashes are shown: what comes first is the likelier cause. */
import type { DumpFormat } from './dumpFormat';
import { linuxOops } from './linux/format';

export const DUMP_FORMATS: readonly DumpFormat[] = [linuxOops];
