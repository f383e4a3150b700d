/** What Firecracker does with KVM's exits that no device of it answers (vstate/vcpu, arch/x86_64/vcpu.rs, devices/legacy). */

import type { KvmRunData } from '../kvm/runData';
import type { MmioAccess, PortAccess, Verdict } from '../model';
import { KVM_NOT_MODELLED } from '../kvm/exits';
import type { FirecrackerFacts } from './versions';

/** FcExitCode::Ok. */
const EXIT_OK = 0;

/** Writes are lost, with a warning in the log since 1.13; reads of ports are zero, as KVM clears what it passes for them. */
export const UNANSWERED: Verdict = { kind: 'answer', value: 0n };

/** An MMIO access that no device answers; without `runData` the buffer was cleared before. */
export function unansweredMmio(access: MmioAccess, runData: KvmRunData | null): Verdict {
  return runData ? { kind: 'answer', value: runData.unanswered(access) } : UNANSWERED;
}

export const SERIAL_PORTS = [0x3f8, 0x2f8, 0x3e8, 0x2e8] as const;
const SERIAL_SIZE = 8;

/** The serial ports and the i8042 are a byte wide: another access reads zero or is lost. */
export function screenPort({ port, size }: PortAccess, ports: readonly number[]): Verdict | null {
  if (size === 1) return null;
  return ports.some((first) => port >= first && port < first + SERIAL_SIZE) ? UNANSWERED : null;
}

/** `OUT 0x64, 0xfe`: the process ends, with success. */
export const I8042_RESET: Verdict = {
  kind: 'vmm-exit',
  exitStatus: EXIT_OK,
  reason: `OUT 0x64, 0xfe: Firecracker ends, with exit status ${EXIT_OK}; a microVM does not restart`,
};

export function tripleFault({ shutdownStatus }: FirecrackerFacts): Verdict {
  return {
    kind: 'vmm-exit',
    exitStatus: shutdownStatus,
    reason:
      shutdownStatus === EXIT_OK
        ? `KVM_EXIT_SHUTDOWN: this Firecracker logs it as information and ends with exit status ${shutdownStatus}, as after an orderly reboot`
        : `KVM_EXIT_SHUTDOWN is unexpected for Firecracker, which ends with exit status ${shutdownStatus}`,
  };
}

export function notModelled(facts: FirecrackerFacts): string[] {
  const list = [
    ...KVM_NOT_MODELLED,
    'virtio devices: no drive, network interface, vsock, balloon, entropy or pmem device answers at its address, though the command line names it',
    'Firecracker’s own CPUID changes, CPU templates and cpu-config; MMDS, snapshots, rate limiters and memory hotplug',
    'the serial port’s own quirks (vm-superio): it is a 16550 by its data sheet; what is typed does not come from standard input by itself',
  ];
  if (facts.acpi) {
    list.push(
      'ACPI: the DSDT has the serial ports and the keyboard controller only, not virtio devices, VMGenID, VMClock, the event device or PCIe, so the tables behind it lie lower than in Firecracker',
    );
  }
  if (facts.sinkPorts) list.push('COM2 and COM4 as one device: they are two here');
  if (facts.pciConfiguration) list.push('PCIe (--enable-pci): the microVM is one without it');
  return list;
}
