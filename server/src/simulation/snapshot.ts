/** A machine at one moment: the core, every device, and by them the alarms, which devices set anew. */
import type { CoreSnapshot } from '../../emulator/face';
import type { DeviceState } from '../devices/device';
import type { PoweredMachine } from './poweredMachine';

/** Plain data that survives structured clone. */
export interface MachineSnapshot {
  readonly core: CoreSnapshot;
  readonly devices: readonly { readonly name: string; readonly state: DeviceState }[];
}

export function saveMachine({ core, devices }: PoweredMachine): MachineSnapshot {
  return {
    core: core.snapshot(),
    devices: devices.map((device) => ({ name: device.name, state: device.save() })),
  };
}

/** Restores into a machine of the same model, version and config; a snapshot of another one is refused with false. */
export function restoreMachine(powered: PoweredMachine, snapshot: MachineSnapshot): boolean {
  const { core, devices } = powered;
  if (devices.length !== snapshot.devices.length) return false;
  if (devices.some((device, index) => device.name !== snapshot.devices[index]!.name)) return false;
  // The core first: devices reckon their alarms from its clock.
  core.restore(snapshot.core);
  devices.forEach((device, index) => device.restore(snapshot.devices[index]!.state));
  powered.placePorts();
  powered.verdict = null;
  powered.verdictAddress = null;
  return true;
}
