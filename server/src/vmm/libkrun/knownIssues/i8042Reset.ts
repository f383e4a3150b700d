/**
 * A guest that ends early takes the VMM's process with it: status 0 and not one character of output. What writes 0xfe to port
 * 0x64 is shown; why the guest of the report did is in no record, so no cause is named here.
 */
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { MIB } from '../../../address/range';
import { SETTING } from '../guestFacts';
import { LIBKRUN_VERSIONS, NEWEST_LIBKRUN } from '../versions';

const REPORT =
  'boxlite-ai/boxlite pull request 425, "docs: root cause analysis for AL2023 EC2 c8i VM boot failure", 2026-04-02';
const FIRMWARE_CONFIG = 'containers/libkrunfw v5.1.0 (Linux 6.12.62), config-libkrunfw_x86_64';
const REAL_KERNEL =
  'libkrunfw’s Linux 6.12.76 as BoxLite 0.9.7 ships it, booted by hand under this model; see the page of the issue';

/** BoxLite's own size where nothing is asked for; the report does not say how large the guest was. */
const REPORTED_GUEST = {
  kind: 'vmm',
  vmm: 'libkrun',
  version: NEWEST_LIBKRUN.id,
  citation: `chosen for the simulation of: ${REPORT}`,
} as const;

const SILENT = 'reboot=k panic=-1 panic_print=0 nomodule console=hvc0 rootfstype=virtiofs rw quiet no-kvmapf';
const WITH_SERIAL_PORT = { [SETTING.serialConsole]: true } as const;
const WITHOUT_SERIAL_PORT = { [SETTING.serialConsole]: false } as const;

const cell = (name: string, rest: Partial<SimulationCell> = {}): SimulationCell => ({
  name,
  version: NEWEST_LIBKRUN.id,
  probe: 'early-panic',
  parameters: {},
  evidence: 'mechanism',
  ...rest,
});

export const libkrunI8042Reset: KnownIssue = {
  id: 'libkrun-i8042-reset',
  vmm: 'libkrun',
  title: 'A guest that gives up early ends the VMM with status 0 and no output',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/libkrun-i8042-reset.md',
  affected: LIBKRUN_VERSIONS.map(({ id }) => id),
  statements: [
    {
      text: 'The guest wrote 0xfe to port 0x64 after about five runs of the vCPU, and the process ended with status 0 without any console output: the author had instrumented the i8042 and the loop around KVM_RUN.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'Command 0xfe signals the VMM’s exit event. Without a status from libkrun’s init or from a vCPU the process calls _exit(0); nothing is logged above level debug.',
      evidence: 'proven',
      citation:
        'containers/libkrun src/devices/src/legacy/i8042.rs, BusDevice::write; src/vmm/src/lib.rs, Subscriber::process and Vmm::stop (2026-06-12; alike since v1.8.0)',
    },
    {
      text: 'libkrun’s own command line asks for that: reboot=k panic=-1 console=hvc0. With the kernel of libkrunfw no call replaces it.',
      evidence: 'proven',
      citation:
        'containers/libkrun src/vmm/src/vmm_config/kernel_cmdline.rs, DEFAULT_KERNEL_CMDLINE; src/libkrun/src/lib.rs, krun_start_enter; BoxLite calls krun_set_kernel only for its experimental advanced.kernel',
    },
    {
      text: 'The same write is how every guest of libkrun ends: its kernel is patched to reboot when init dies. Port and value do not tell a panic from a clean end.',
      evidence: 'proven',
      citation:
        'containers/libkrunfw patches/0001-krunfw-Don-t-panic-when-init-dies.patch and 0002-krunfw-Ignore-run_cmd-on-orderly-reboot.patch',
    },
    {
      text: 'The virtio console was not up: each virtio device costs several exits to be found, and five runs in all leave no room for that.',
      evidence: 'inferred',
      citation: `${REPORT}; containers/libkrun src/vmm/src/linux/vstate.rs: every read of a virtio-mmio register is an exit`,
    },
    {
      text: 'earlyprintk= and earlycon= do nothing in libkrunfw’s kernel since 2025-02: it is built without CONFIG_EARLY_PRINTK and without the 8250 driver.',
      evidence: 'proven',
      citation: `${FIRMWARE_CONFIG}; commit a5094ce`,
    },
    {
      text: 'The real kernel does the same under this model: without a root file system it panics, writes 0xfe to port 0x64, and the console is empty, also with a serial port and earlyprintk=serial. With panic=0 it stays.',
      evidence: 'reproduced',
      citation: REAL_KERNEL,
    },
  ],
  hypotheses: [
    {
      message: 'The guest found a CPU under nested KVM that it could not work with, and panicked.',
      for: [
        'It is what the author of the report takes for the cause.',
        'The same guest came up on a host with Linux 6.17.',
      ],
      against: [
        'No message of the guest was recorded, so nothing says that it panicked, or where.',
        'Linux reboots by itself only once panic= is read, behind setup_arch: a CPU that it refuses before that ends in a halt and not in a reset.',
      ],
      experiment:
        'Keep the guest from rebooting and read its log: pass panic=0 as an environment variable of krun_set_env (libkrun puts it on the kernel’s command line behind panic=-1), wait, and look for "Kernel panic" in the process’s memory.',
    },
    {
      message:
        'An oops in the kernel’s first process: libkrunfw’s kernel then reboots by its own patch, whatever panic= says.',
      for: [
        'The patched do_exit calls orderly_reboot when process 1 dies, and that writes 0xfe to port 0x64 too.',
        'An oops while the drivers start is one of process 1, before the console is up.',
      ],
      against: ['The report records no oops either.'],
      experiment:
        'The same with panic=0: if the guest still ends with status 0, it was not a panic. Then run a kernel of your own (krun_set_kernel, ELF) without that patch.',
    },
  ],
  fix: 'Nothing in libkrun changes it. To see the reason: with a kernel of your own that has the 8250 console, krun_add_serial_console_default and earlyprintk=serial,ttyS0,115200 (libkrun 1.16.0 and later); with libkrunfw’s kernel, panic=0 through krun_set_env, so that the guest stays and its log can be read from the process’s memory.',
  simulation: {
    guest: simulatedGuest({ name: 'box', memory: 4096n * MIB }, REPORTED_GUEST),
    cells: [
      cell('the guest’s command line, or libkrun’s own where it has none'),
      cell('earlyprintk=serial without a serial port', {
        commandLine: `${SILENT} earlyprintk=serial`,
        settings: WITHOUT_SERIAL_PORT,
      }),
      cell('a serial port and earlyprintk=serial', {
        commandLine: `${SILENT} earlyprintk=serial`,
        settings: WITH_SERIAL_PORT,
      }),
      cell('a serial port, console=ttyS0, a panic behind console_init', {
        commandLine: `${SILENT} console=ttyS0`,
        settings: WITH_SERIAL_PORT,
        parameters: { when: 1 },
      }),
      cell('without panic=-1, a serial port and earlyprintk=serial', {
        commandLine: 'reboot=k console=hvc0 rootfstype=virtiofs rw earlyprintk=serial',
        settings: WITH_SERIAL_PORT,
      }),
    ],
    reached,
    shows:
      'Only consoles that are up at the time of a panic get its message, and hvc0 comes with the virtio bus, late. A serial port together with earlyprintk= on the command line shows the reason, where the kernel has that console (libkrunfw’s has not); without panic= the guest stays in its panic loop instead of ending the VMM. Why the guest of the report gave up is not shown: it left no record.',
  },
};

/** The process is gone with status 0 after the reset command, and the console is empty. */
function reached({ outcome, exitStatus, console, exits }: ShownRun): string | null {
  const command = exits.find(({ kind, at }) => kind === 'out' && at === 0x64n);
  if (outcome !== 'vmm-exit' || exitStatus !== 0 || !command || console !== '') return null;
  return 'Port 0x64 got 0xfe, the VMM ended with status 0, and the console is empty: the guest panicked before hvc0 was up, no boot console was there to take the message, and panic= on the command line made it restart.';
}
