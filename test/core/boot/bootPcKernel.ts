/** Boots a kernel on the plain PC on the real core, to look at what it finds. */
import { createCore } from '../../../server/emulator/core';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { BootReport } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import type { DirectBoot } from '../../../server/src/vmm/model';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import type { VcpuState } from '../../../server/src/x86/state';

export type AskedOfPc = Partial<Pick<DirectBoot, 'protocol' | 'commandLine' | 'modules' | 'imageName'>> & {
  readonly memory?: bigint;
};

export interface BootedKernel {
  readonly report: BootReport;
  /** Of vCPU 0 at the end. */
  readonly state: VcpuState;
  readonly u16: (at: bigint | number) => number;
  readonly u32: (at: bigint | number) => number;
  readonly u64: (at: bigint | number) => bigint;
  readonly text: (at: bigint | number) => string;
  readonly bytes: (at: bigint | number, length: number) => Uint8Array;
}

/** A thousand instructions at most. */
export function bootPcKernel(
  kernel: Uint8Array,
  { memory = 64n << 20n, ...asked }: AskedOfPc = {},
): BootedKernel {
  let core: Core | null = null;
  const direct = { protocol: null, imageName: 'image', commandLine: '', modules: [], ...asked };
  const report = simulate(
    pcMachine({ name: 'image', memory, vcpus: 1 }),
    PC,
    'i440fx',
    {
      machine: null,
      firmware: null,
      kernel,
      probe: null,
      taps: [],
      maxInstructions: 1000,
      reboots: 0,
      boot: direct,
    },
    {
      createCore: (options: CoreOptions) => (core = createCore(options)),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  const made = core as unknown as Core;
  const bytes = (at: bigint | number, length: number) => made.read(BigInt(at), length)!.slice();
  const view = (at: bigint | number, length: number) => new DataView(bytes(at, length).buffer);
  return {
    report,
    state: made.state(0),
    bytes,
    u16: (at) => view(at, 2).getUint16(0, true),
    u32: (at) => view(at, 4).getUint32(0, true),
    u64: (at) => view(at, 8).getBigUint64(0, true),
    text: (at) => {
      const [text] = Buffer.from(bytes(at, 256)).toString('latin1').split('\0');
      return text!;
    },
  };
}
