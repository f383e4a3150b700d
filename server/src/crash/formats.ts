/** All formats of dumps, in the order in which their crashes are shown: what comes first is the likelier cause. */
import { cloudHypervisorLog } from './cloudHypervisor/format';
import type { DumpFormat } from './dumpFormat';
import { illumosPanic } from './illumos/format';
import { kvmShutdown } from './kvmShutdown/format';
import { linuxOops } from './linux/format';
import { portWrite } from './portWrite/format';
import { propolisExit } from './propolisExit/format';
import { registerSet } from './registerSet/format';

export const DUMP_FORMATS: readonly DumpFormat[] = [
  illumosPanic,
  linuxOops,
  registerSet,
  cloudHypervisorLog,
  kvmShutdown,
  propolisExit,
  portWrite,
];
