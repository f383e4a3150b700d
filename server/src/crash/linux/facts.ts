/** One Linux oops with everything that its rules may look at. */
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import { identifyVmm, type VmmIdentity } from '../vmmIdentity';
import { readMode } from './mode';
import { faultBlock, type LinuxOops, type OopsBlock } from './oops';
import { readReboot, type LinuxReboot } from './reboot';
import type { RankedOops } from './scanner';

export interface OopsFacts extends CrashFacts {
  readonly oops: LinuxOops;
  /** The registers at the fault. */
  readonly block: OopsBlock | null;
  /** By the hardware name that the kernel printed. */
  readonly vmm: VmmIdentity | null;
  readonly reboot: LinuxReboot | null;
  /** Place of this oops among those of the same machine in the text, from 1, and how many there are. */
  readonly rank: number;
  readonly siblings: number;
}

export function oopsFacts({ oops, rank, siblings }: RankedOops, context: DumpContext): OopsFacts {
  const block = faultBlock(oops);
  const vmm = oops.hardware ? identifyVmm(oops.hardware) : null;
  return {
    text: context.text,
    oops,
    block,
    mode: readMode(oops),
    vmm,
    candidates: candidatesOf(context, vmm?.model ? [vmm.model] : null),
    reboot: block ? readReboot(block) : null,
    rank,
    siblings,
  };
}

export function isDoubleFault(facts: OopsFacts): boolean {
  return facts.oops.kind === 'double-fault' || facts.oops.kind === 'stack-guard';
}
