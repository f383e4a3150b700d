/**
 * What Cloud Hypervisor does with what no device answers, with a triple fault, and what this model leaves out
 * (vmm/src/vm.rs, impl VmOps for VmOpsHandler; hypervisor/src/kvm/mod.rs, KvmVcpu::run; vmm/src/cpu.rs).
 */
import { hex } from '../../address/format';
import { KVM_NOT_MODELLED } from '../kvm/exits';
import type { KvmRunData } from '../kvm/runData';
import type { BoardInputs, MmioAccess, PortAccess, Verdict } from '../model';
import { allOnes } from '../../devices/openBus';
import { DSDT_GAPS } from './dsdt';
import { hasOption, textOption } from './origin';
import type { CloudHypervisorFacts, CloudHypervisorVersion } from './versions';

/** The VM is shut down, made anew from its config and booted (vmm/src/lib.rs, vm_reboot); the process stays. */
function reboot(what: string): Verdict {
  return { kind: 'reset', reason: `${what}: Cloud Hypervisor makes the VM anew and boots it` };
}

export const RESETS = {
  i8042: reboot('command 0xfe at port 0x64 ("i8042 reset signalled")'),
  cmos: reboot('0 into CMOS register 0x8f ("CMOS reset")'),
  acpi: (port: number) => reboot(`1 into the ACPI reset register at ${hex(port)} ("ACPI Reboot signalled")`),
} as const;

/** The guest's power-off ends the process with status 0, unless it was started with --no-shutdown (v52.0 and later). */
export function powerOff(port: number): Verdict {
  return {
    kind: 'shutdown',
    reason: `0x34 into the ACPI sleep register at ${hex(port)} ("ACPI Shutdown signalled"): the VMM ends`,
  };
}

/** copy_from_slice of four bytes into a buffer of another size, in v15.0 and v16.0. */
export function timerPanic(port: number): Verdict {
  return {
    kind: 'vmm-exit',
    reason: `a read of the ACPI PM timer at ${hex(port)} in another size than four bytes: the vCPU's thread panics, and the VM runs no further`,
  };
}

/** KVM_EXIT_SHUTDOWN becomes a reset in all versions. */
export function tripleFault({ logsTripleFault }: CloudHypervisorFacts): Verdict {
  return reboot(
    logsTripleFault
      ? 'KVM_EXIT_SHUTDOWN ("Guest likely triple-faulted" in the log)'
      : 'KVM_EXIT_SHUTDOWN, of which this version logs only "VmExit::Reset", and that at level info',
  );
}

/** Until v53.0 the buffer stays as it was: KVM clears that of IN before the exit (Linux arch/x86/kvm/x86.c). */
export function unansweredPort({ unansweredReadsOnes }: CloudHypervisorFacts, { size }: PortAccess): Verdict {
  return { kind: 'answer', value: unansweredReadsOnes ? allOnes(size) : 0n };
}

/**
 * Until v53.0 a read gives what the exits before it left in the buffer (issue 7415, pull request 8237, commit 4091e965b); since
 * then all ones, which stay there.
 */
export function unansweredMmio(
  { unansweredReadsOnes }: CloudHypervisorFacts,
  access: MmioAccess,
  runData: KvmRunData,
): Verdict {
  if (unansweredReadsOnes && !access.write) runData.mmioWrite(allOnes(access.size), access.size);
  return { kind: 'answer', value: runData.unanswered(access) };
}

/**
 * Every port access leaves the kernel, where nothing but local APICs is. The serial port does nothing with one that is wider than
 * a byte (devices/src/legacy/serial.rs).
 */
export function screenPort({ port, size }: PortAccess, runData: KvmRunData): Verdict | null {
  runData.portExit();
  return size !== 1 && port >= 0x3f8 && port < 0x400 ? { kind: 'answer', value: 0n } : null;
}

export function notModelled(version: CloudHypervisorVersion, { machine }: BoardInputs): string[] {
  const { facts } = version;
  const list = [
    'virtio devices, VFIO and vhost-user: the PCI bus has only the host bridge 8086:0d57, so no disk, network, pmem or virtio console answers',
    DSDT_GAPS,
    'hotplug of CPUs, memory and PCI devices, and the MMIO registers of their controllers in the platform device area',
    'the serial port follows the 16550’s data sheet: the real one shows FIFOs in IIR whatever FCR says, and MCR bit 3 set from the start',
    'REP INS: KVM asks for several units at once, and byte-wide devices then leave all of them 0; here each is read by itself',
    'SMBIOS options of `platform`, NUMA tables, TDX, SEV-SNP, IGVM, fw_cfg, Hyper-V enlightenments, pvpanic and watchdog',
    ...KVM_NOT_MODELLED,
  ];
  if (!facts.unansweredReadsOnes) {
    list.push(
      'KVM’s buffer for MMIO, whose bytes a read that nobody answers gives in this version, is one a vCPU; here all vCPUs share one',
    );
  }
  if (!facts.bearsWrongSizes) {
    list.push(
      'an access to the I/O APIC in another size than four bytes, which is a panic of the vCPU’s thread in this version',
    );
  }
  if (textOption(machine, 'serial.mode') === 'Null') {
    list.push('serial.mode is Null: the real VMM throws the serial port’s text away, and it is shown here');
  }
  if (hasOption(machine, 'tpm'))
    list.push('the TPM: nothing answers at 0xfed40000, and there is no TPM2 table');
  if (hasOption(machine, 'memory.zones')) {
    list.push(
      'memory zones: their sizes are added up; alignment to large pages, which may leave holes, is not',
    );
  }
  return list;
}
