/**
 * What propolis-standalone does with exits that no device answers: Vcpu::process_vmexit (vcpu.rs), Instance::vcpu_loop and
 * Instance::state_loop (bin/propolis-standalone/src/main.rs), and what the kernel's vmm makes of an access before that.
 */
import { hex } from '../../address/format';
import { kernelPortRefusal } from '../bhyve/kernelDevices';
import type { MmioAccess, PortAccess, Verdict } from '../model';
import { allOnes } from '../../devices/openBus';
import { PM_PORTS } from './chipset';
import { ROM } from './layout';

/** How the machine ends where its guest ends or restarts it. */
export interface ExitCodes {
  /** Status of the process after a halt or power-off. */
  readonly onHalt: number;
  /** The same after a reboot; null where a reboot restarts the guest. */
  readonly onReboot: number | null;
}

export function poweredOff(reason: string, { onHalt }: ExitCodes): Verdict {
  const end = `propolis-standalone ends with status ${onHalt} (exit_on_halt)`;
  return { kind: 'shutdown', reason: `${reason}; ${end}`, exitStatus: onHalt };
}

export function rebooted(reason: string, { onReboot }: ExitCodes): Verdict {
  if (onReboot === null) return { kind: 'reset', reason: `${reason}, and Propolis restarts the guest` };
  const end = `propolis-standalone ends with status ${onReboot} instead of restarting the guest (exit_on_reboot)`;
  return { kind: 'shutdown', reason: `${reason}; ${end}`, exitStatus: onReboot };
}

/** `todo!()` in vcpu_loop: what the release build, with panic = "abort", dies of. */
export function unhandled(what: string): Verdict {
  return {
    kind: 'vmm-exit',
    reason: `propolis-standalone panics ("not yet implemented") after "Unhandled exit": ${what}`,
  };
}

/** PS2Ctrl::pio_rw asserts one byte. */
const KEYBOARD_PORTS: ReadonlySet<number> = new Set([0x60, 0x64]);

/** Accesses that end the VMM before a device sees them. */
export function screenPort(access: PortAccess): Verdict | null {
  const refusal = kernelPortRefusal(access);
  if (refusal) {
    return unhandled(`InstEmul, since port ${hex(access.port)} fails in the kernel: ${refusal}`);
  }
  if (access.size === 1 || !KEYBOARD_PORTS.has(access.port)) return null;
  return {
    kind: 'vmm-exit',
    reason: `propolis-standalone panics at an access of ${access.size} bytes to port ${hex(access.port)}: its keyboard controller asserts that it is one (hw/ps2/ctrl.rs, pio_rw)`,
  };
}

/** Power management registers that do nothing read as zero; any other port reads as all ones, with a line in the log. */
export function unansweredPort({ port, size }: PortAccess): Verdict {
  const inPm = port >= PM_PORTS.start && port < PM_PORTS.end;
  return { kind: 'answer', value: inPm ? 0n : allOnes(size) };
}

/** PROT_WRITE of `Paging(gpa, prot)`. */
const PROT_WRITE = 2;

/**
 * All ones, and writes are lost, also beyond the regions for MMIO. But a write to the boot ROM's segment, which the kernel maps
 * without write permission, is a paging exit that nothing handles (issue 340).
 */
export function unansweredMmio({ address, size, write }: MmioAccess): Verdict {
  if (write && address >= ROM.start && address < ROM.end) {
    return unhandled(
      `Paging(${address}, ${PROT_WRITE}), a write to ${hex(address)} in the boot ROM, which is mapped read-only`,
    );
  }
  return { kind: 'answer', value: allOnes(size) };
}
