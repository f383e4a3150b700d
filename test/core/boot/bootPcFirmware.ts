/** Boots a firmware ROM on the plain PC on the real core. */
import { createCore } from '../../../server/emulator/core';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';

export function bootPcFirmware(firmware: Uint8Array, asked: Partial<SimulationRequest> = {}): BootReport {
  const request: SimulationRequest = {
    machine: null,
    firmware,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 500_000_000,
    reboots: 0,
    ...asked,
  };
  return simulate(pcMachine({ name: 'rom', memory: 128n << 20n, vcpus: 1 }), PC, 'i440fx', request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
}
