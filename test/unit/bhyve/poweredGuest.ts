/** A guest of bhyve with the power on, on a core that runs a program of port accesses. */
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { BHYVE } from '../../../server/src/vmm/bhyve/model';
import { ScriptedCore, type Program } from '../simulation/scriptedCore';
import { bhyveMachine, type BhyveGuest } from '../vmm/bhyveMachine';

export interface PoweredGuest {
  readonly report: BootReport;
  readonly core: ScriptedCore;
}

export function powerOn(
  version: string,
  guest: BhyveGuest,
  images: Partial<Pick<SimulationRequest, 'firmware' | 'kernel'>>,
  program: Program = function* () {},
): PoweredGuest {
  let core: ScriptedCore | null = null;
  const request: SimulationRequest = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 1000,
    reboots: 0,
    ...images,
  };
  const report = simulate(bhyveMachine(version, guest), BHYVE, version, request, {
    createCore: (options: CoreOptions): Core => (core = new ScriptedCore(options, program)),
    cancelled: () => false,
    progress: () => undefined,
  });
  return { report, core: core as unknown as ScriptedCore };
}

/** A ROM whose every 16 bytes tell their offset. */
export function rom(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => ((i >> 4) * 7 + 1) & 0xff);
}
