/** What a machine is powered on with, and the core that it gets. */
import { MAX_VCPUS, type Core, type CoreOptions } from '../../emulator/face';
import type { CapturedState } from '../machine/captured/capturedState';
import type { Machine } from '../machine/machine';
import type { CpuChoice, DirectBoot, VmmModel } from '../vmm/model';
import type { ConsoleAnswer } from './consoleAnswers';
import type { PlanContents } from './planContents';
import type { RunObserver } from './runObserver';

export interface PowerOptions {
  readonly machine: Machine;
  readonly model: VmmModel;
  readonly version: string;
  readonly firmware: Uint8Array | null;
  readonly kernel: Uint8Array | null;
  readonly initrd?: Uint8Array | null;
  readonly cpu?: CpuChoice | null;
  readonly boot?: DirectBoot | null;
  /** Starts from there instead of powering on. */
  readonly captured?: CapturedState | null;
  /** Fills memory and registers in the VMM's place. */
  readonly plan?: PlanContents | null;
  /** MAXPHYADDR in bits. */
  readonly physicalWidth?: number;
  readonly taps: readonly number[];
  /** A port to which a probe reports: what it writes there is read, whoever answers. */
  readonly reportPort?: number;
  readonly answers?: readonly ConsoleAnswer[];
  /** Accesses at which the VMM gives up are passed over where its model allows that. */
  readonly passOver: boolean;
  readonly quantum?: number;
  readonly observer?: RunObserver;
  createCore(options: CoreOptions): Core;
}

/** A core with as many vCPUs as the emulator runs, where the machine has more or none. */
export function coreFor(
  options: PowerOptions,
  asked: CoreOptions,
): { readonly core: Core; readonly problem: string | null } {
  try {
    return { core: options.createCore(asked), problem: null };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const none = !(asked.vcpus >= 1);
    const problem = none
      ? 'it has no vCPU'
      : `it has ${asked.vcpus} vCPUs, and the emulator runs ${MAX_VCPUS} at most, so nothing is simulated`;
    return { core: options.createCore({ ...asked, vcpus: none ? 1 : MAX_VCPUS }), problem };
  }
}
