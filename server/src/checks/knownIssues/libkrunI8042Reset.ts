/**
 * The known issue `libkrun-i8042-reset`: the command line under which an early panic leaves no word. Under another VMM it is
 * `command-line-silent-panic`. Where libkrun's own is used, no config decides it, and it is a note.
 */
import type { Machine } from '../../machine/machine';
import { libkrunCommandLine } from '../../vmm/libkrun/commandLine';
import { libkrunGuest, type LibkrunGuest } from '../../vmm/libkrun/guestFacts';
import { libkrunI8042Reset as issue } from '../../vmm/libkrun/knownIssues/i8042Reset';
import { libkrunVersion } from '../../vmm/libkrun/versions';
import type { Check, Found } from '../check';
import { hidesEarlyPanic } from '../commandLine/earlyPanic';

const SILENT =
  'reboot=k panic=-1 with console=hvc0 and neither earlyprintk= nor earlycon=: a guest that panics before its virtio console is up resets at once through port 0x64 and says nothing';

export const libkrunI8042Reset: Check = {
  code: issue.id,
  severity: 'information',
  title: issue.title,
  on: ['machine'],
  *run({ machines }) {
    for (const machine of machines) {
      const found = machine.vmm === issue.vmm ? underLibkrun(machine) : null;
      if (found) yield found;
    }
  },
};

function underLibkrun(machine: Machine): Found | null {
  // A boot plan starts what it loads itself, without libkrun's command line.
  if (machine.boot) return null;
  // A memory map tells nothing of a command line.
  if (machine.producer !== undefined) return null;
  const guest = libkrunGuest(machine);
  if (guest.payload === 'firmware' || guest.computedCommandLine) return null;
  const { facts, id } = libkrunVersion(machine.version ?? '');
  const { commandLine } = machine;
  if (!hidesEarlyPanic(libkrunCommandLine(commandLine?.value ?? null, guest, facts))) return null;
  const decided = commandLine?.origin.kind === 'text' && issue.affected.includes(id);
  return {
    at: commandLine?.origin.kind === 'text' ? commandLine.origin : (machine.nameAt ?? machine.at),
    severity: decided ? 'warning' : 'information',
    evidence: 'mechanism',
    message: decided
      ? `The command line has ${SILENT}, and libkrun's process ends with status 0. A serial port (krun_add_serial_console_default, libkrun 1.16.0 and later) with earlyprintk=serial shows the reason where the kernel has that console.`
      : `libkrun's own command line has ${SILENT}, and the process ends with status 0. ${howToSee(guest)}`,
  };
}

function howToSee({ payload }: LibkrunGuest): string {
  return payload === 'bundled'
    ? 'The kernel of libkrunfw is built without serial and boot consoles: panic=0 through krun_set_env keeps the guest, so that its log can be read from the process’s memory.'
    : 'Give the kernel a command line of its own, with a serial port and earlyprintk=serial.';
}
