/** Which consoles of a Linux guest a VMM shows to anybody, by the name that console= gives them. */
import type { Machine } from '../../machine/machine';
import { libkrunGuest } from '../../vmm/libkrun/guestFacts';
import { firecrackerVersion } from '../../vmm/firecracker/versions';

/** Null where somebody sees the console, or where it is not known; else why nobody does. */
type ConsoleVerdict = (machine: Machine, name: string) => string | null;

/** `ttyS1,115200n8` is the second serial port. */
function serialPort(name: string): number | null {
  const port = /^ttyS(\d{1,2})(?:,|$)/.exec(name);
  return port ? Number(port[1]) : null;
}

const isVirtio = (name: string) => /^hvc\d+(?:,|$)/.test(name);

function text(machine: Machine, key: string): string | null {
  const value = machine.settings?.get(key)?.value;
  return typeof value === 'string' ? value : null;
}

/** src/vmm/src/device_manager: COM1 is the VMM's standard output, and there is no virtio console among the devices. */
const firecracker: ConsoleVerdict = ({ version }, name) => {
  if (isVirtio(name)) return 'Firecracker has no virtio console';
  const port = serialPort(name);
  if (port === null || port === 0) return null;
  return firecrackerVersion(version ?? '').facts.sinkPorts && port < 4
    ? 'Firecracker throws away what its second to fourth serial port get'
    : 'Firecracker has one serial port, ttyS0';
};

/** vmm/src/vm_config.rs, ConsoleOutputMode; without its own line, serial is Null and console is Tty. */
const cloudHypervisor: ConsoleVerdict = (machine, name) => {
  const port = serialPort(name);
  const mode = isVirtio(name)
    ? (text(machine, 'console.mode') ?? 'Tty')
    : (text(machine, 'serial.mode') ?? 'Null');
  if (port !== null && port > 0) return 'Cloud Hypervisor has one serial port, ttyS0';
  if (port === null && !isVirtio(name)) return null;
  const device = isVirtio(name) ? 'console' : 'serial';
  // A section that is no object says something that Cloud Hypervisor does not take.
  if (machine.settings?.has(device)) return null;
  if (mode === 'Null') return `${device}.mode is Null, which throws away what it gets`;
  return mode === 'Off' ? `${device}.mode is Off, and so the device is not there` : null;
};

/** src/vmm/src/builder.rs, setup_serial_device and the implicit console. */
const libkrun: ConsoleVerdict = (machine, name) => {
  const guest = libkrunGuest(machine);
  if (guest.payload === 'firmware' || guest.kernelConsole !== null) return null;
  const port = serialPort(name);
  if (port !== null && port >= guest.serialConsoles)
    return guest.serialConsoles === 0
      ? 'this guest has no serial console (krun_add_serial_console_default adds one)'
      : `this guest has ${guest.serialConsoles} serial console${guest.serialConsoles === 1 ? '' : 's'}`;
  return null;
};

/** VMMs that take a command line for the guest's kernel. */
export const CONSOLES: ReadonlyMap<string, ConsoleVerdict> = new Map([
  ['firecracker', firecracker],
  ['cloud-hypervisor', cloudHypervisor],
  ['libkrun', libkrun],
]);
