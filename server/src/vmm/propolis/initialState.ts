/** The first vCPU of a guest of Propolis, which starts a boot ROM. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { bootStateOf, withoutEntry } from '../placed';
import { RESET_STATE } from './bootState';
import { propolisVersion } from './versions';

/** Null for a memory map, and where Propolis makes no machine. */
export function propolisInitialState(machine: Machine, id: string): BootState | null {
  if (machine.memory === null || machine.regions.length === 0) return null;
  const state = { ...withoutEntry(RESET_STATE), rip: RESET_STATE.rip };
  return bootStateOf([{ name: 'boot ROM', parts: [], state }], {
    kind: 'vmm',
    vmm: 'propolis',
    version: propolisVersion(id).id,
    citation: 'illumos-gate usr/src/uts/intel/io/vmm/vmm.c, vcpu_arch_reset, which vmm/machine.rs asks for',
  });
}
