/** Boots a VM of vmd on the real core. */
import { createCore } from '../../../server/emulator/core';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { VMD } from '../../../server/src/vmm/vmd/model';
import { vmdMachine } from '../../unit/simulation/vmdMachine';

/** vm.conf has no keyword for vCPUs, so their number is put into the machine here. */
export function bootVmd(
  version: string,
  asked: Partial<SimulationRequest>,
  memory = '512M',
  vcpus = 1,
): BootReport {
  const machine = vmdMachine(version, memory);
  const request: SimulationRequest = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 500_000_000,
    reboots: 0,
    ...asked,
  };
  return simulate({ ...machine, vcpus: { ...machine.vcpus, value: vcpus } }, VMD, version, request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
}
