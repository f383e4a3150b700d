/** Boots a guest of libkrun on the real core. */
import { createCore } from '../../../server/emulator/core';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { LIBKRUN } from '../../../server/src/vmm/libkrun/model';
import { libkrunMachine, type LibkrunMachineOptions } from '../../unit/vmm/libkrunMachine';

export function bootLibkrun(options: LibkrunMachineOptions, asked: Partial<SimulationRequest>): BootReport {
  const machine = libkrunMachine(options);
  const request: SimulationRequest = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 100_000_000,
    reboots: 0,
    ...asked,
  };
  return simulate(machine, LIBKRUN, machine.version!, request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
}
