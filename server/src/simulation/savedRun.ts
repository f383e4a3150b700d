/** A run at one moment, with everything that it needs to go on elsewhere: also its images, for the resets to come. */
import type { Machine } from '../machine/machine';
import type { Verdict } from '../vmm/model';
import type { PoweredMachine } from './poweredMachine';
import type { Recorder, RecorderState } from './recorder';
import type { SimulationRequest } from './report';
import type { RunWatch } from './runLoop';
import { restoreMachine, saveMachine, type MachineSnapshot } from './snapshot';

/** Power-ons of a run so far. */
export interface PowerCycles {
  readonly reboots: number;
  /** Restarts in a row that came sooner after the start before than the VMM likes. */
  readonly fast: number;
}

/** Plain data that survives structured clone. */
export interface SavedRun {
  readonly machine: Machine;
  readonly vmm: string;
  readonly version: string;
  /** As it was made, images included, without what it said about saving and resuming. */
  readonly request: SimulationRequest;
  readonly cycles: PowerCycles;
  /** Of all power-ons. */
  readonly instructions: number;
  readonly snapshot: MachineSnapshot;
  readonly recorder: RecorderState;
  readonly watch: RunWatch;
  /** What ended the run, where somebody had; null where it may go on. */
  readonly verdict: Verdict | null;
  readonly verdictAddress: bigint | null;
}

/** What of a run is not in its machine. */
export interface RunIdentity {
  readonly machine: Machine;
  readonly vmm: string;
  readonly version: string;
  readonly request: SimulationRequest;
}

export function saveRun(
  { request, ...identity }: RunIdentity,
  powered: PoweredMachine,
  recorder: Recorder,
  cycles: PowerCycles,
): SavedRun {
  const asked: { -readonly [Name in keyof SimulationRequest]: SimulationRequest[Name] } = { ...request };
  delete asked.save;
  delete asked.resume;
  // What it had in memory is in the snapshot.
  if (asked.captured) asked.captured = { ...asked.captured, memory: [] };
  return {
    ...identity,
    request: asked,
    cycles,
    instructions: recorder.instructionsBefore + powered.core.instructions,
    snapshot: saveMachine(powered),
    recorder: recorder.save(),
    watch: { ...powered.watch },
    verdict: powered.verdict,
    verdictAddress: powered.verdictAddress,
  };
}

/** Into a machine that was just powered on. Throws a sentence where the state is of another one, or of another build. */
export function resumeRun(saved: SavedRun, powered: PoweredMachine, recorder: Recorder): void {
  if (!restored(saved, powered, recorder)) {
    const names = (devices: readonly { readonly name: string }[]) =>
      devices.map(({ name }) => name).join(', ');
    throw new Error(
      `The saved state is of another machine: its devices are ${names(saved.snapshot.devices)}; those of this one are ${names(powered.devices)}.`,
    );
  }
  powered.watch = { ...saved.watch };
  powered.verdict = saved.verdict;
  powered.verdictAddress = saved.verdictAddress;
}

/** Every part takes over what it saved, unseen: a build of the same version may have saved something else. */
function restored(saved: SavedRun, powered: PoweredMachine, recorder: Recorder): boolean {
  try {
    if (!restoreMachine(powered, saved.snapshot)) return false;
    recorder.restore(saved.recorder);
    return true;
  } catch (error) {
    throw new Error(
      `The saved state cannot be restored, so another build of Bootpath wrote it: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}
