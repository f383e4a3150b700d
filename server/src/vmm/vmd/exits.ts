/** What vmd and vmm(4) do with an exit that no device answers, by the revision of x86_vm.c. */
import { hex } from '../../address/format';
import { contains, PAGE, type AddressRange } from '../../address/range';
import { NEWEST_ARGUMENTS, type OpenBsdArgumentsForm } from '../loaders/openbsdArguments';
import type { BoardInputs, MmioAccess, PortAccess, Verdict } from '../model';
import { allOnes } from '../../devices/openBus';
import { isVmdSince, vmdVersion } from './versions';

/**
 * How an ELF kernel starts. `by-class`: ELF64 in compatibility mode over 2 MiB pages, ELF32 over 4 MiB pages
 * (loadfile_elf.c up to rev 1.51). The others start both in 32-bit protected mode with paging off: `unpaged-directory` with the
 * 4 MiB pages prepared behind CR3, as proposed on 2025-08-20, `unpaged` with CR3, CR4 and EFER zero and no table at all (rev 1.59).
 */
export type ElfEntry = 'by-class' | 'unpaged-directory' | 'unpaged';

export interface VmdBehaviour {
  readonly version: string;
  /** Local APIC per vCPU, IOAPIC, ACPI tables and PM1 registers. */
  readonly apic: boolean;
  readonly x2apic: boolean;
  /** `OUT 0x64, 0xFE` and `OUT 0xCF9, v` with bits 2:1 set restart the VM. */
  readonly resetPorts: boolean;
  /** Instructions that touch the PCI MMIO window are emulated; before, they ended the guest. */
  readonly mmioEmulated: boolean;
  /** CPUID shows CET indirect-branch tracking where the host uses it. */
  readonly ibt: boolean;
  readonly fwCfg: boolean;
  /** The firmware may be larger than the area below 1 MiB, which then holds its upper part. */
  readonly partialLowCopy: boolean;
  /** A third descriptor at 0x18, 64-bit code, in the GDT of a direct boot. */
  readonly longModeDescriptor: boolean;
  readonly elfEntry: ElfEntry;
  readonly bootArguments: OpenBsdArgumentsForm;
}

export function vmdBehaviour(version: string): VmdBehaviour {
  const since = (id: string) => isVmdSince(version, id);
  const elfEntry: ElfEntry = vmdVersion(version)?.proposal
    ? 'unpaged-directory'
    : since('x86_vm-1.17')
      ? 'unpaged'
      : 'by-class';
  return {
    version,
    apic: since('x86_vm-1.19'),
    x2apic: since('x86_vm-1.24'),
    resetPorts: since('x86_vm-1.24'),
    mmioEmulated: since('x86_vm-1.19'),
    ibt: since('7.6'),
    fwCfg: since('loadfile-1.11'),
    partialLowCopy: since('7.8'),
    // rev 1.34 of 2019 has two descriptors, 1.51 of June 2025 three, 1.59 of August 2026 two again.
    longModeDescriptor: since('7.8') && elfEntry === 'by-class',
    elfEntry,
    bootArguments: since('7.6') ? NEWEST_ARGUMENTS : since('loadfile-1.11') ? ARGUMENTS_2019 : ARGUMENTS_2016,
  };
}

/** loadfile_elf.c rev 1.34 (2019-03-01) and rev 1.22 (2016-11-26), push_bootargs. */
const ARGUMENTS_2019: OpenBsdArgumentsForm = { consoleSize: 16, consoleSpeed: 115200, endCounted: true };
const ARGUMENTS_2016: OpenBsdArgumentsForm = { consoleSize: 16, consoleSpeed: 9600, endCounted: false };

/**
 * What becomes of a VM whose process ends with EAGAIN (vmd.c rev 1.169, IMSG_VMDOP_TERMINATE_VM_EVENT): a new process
 * with new memory, but none for a VM with a `boot device`.
 */
function restart(cause: string, behaviour: VmdBehaviour, bootDevice: string | null): Verdict {
  if (bootDevice !== null) {
    return {
      kind: 'shutdown',
      reason: `${cause}: vmd stops the VM and does not start it again, since its config has \`boot device ${bootDevice}\``,
    };
  }
  const limit = restartLimit(behaviour)
    ? '; a third restart in a row that comes less than 6 seconds after a start it refuses'
    : '';
  return { kind: 'reset', reason: `${cause}: vmd starts the VM anew with fresh memory${limit}` };
}

/** config.c, config_setvm: VM_START_RATE_SEC and VM_START_RATE_LIMIT; in vmd.h rev 1.85 (2018), not in rev 1.49 (2017). */
export function restartLimit(behaviour: VmdBehaviour): typeof RESTART_LIMIT | undefined {
  return isVmdSince(behaviour.version, 'loadfile-1.11') ? RESTART_LIMIT : undefined;
}

const RESTART_LIMIT = {
  restarts: 3,
  seconds: 6,
  reason:
    'the third restart in a row less than 6 seconds after a start: vmd says "restarted too quickly" and leaves the VM stopped',
} as const;

/**
 * Before any device: string I/O ends the VM's process in every revision that was read (`vcpu_exit_inout`:
 * "can't emulate REP prefixed IN(S)/OUT(S)"), and two ports restart it in the newer ones.
 */
export function screenPort(
  behaviour: VmdBehaviour,
  bootDevice: string | null,
  access: PortAccess,
): Verdict | null {
  if (access.string || access.rep) {
    const mnemonic = `${access.rep ? 'REP ' : ''}${access.write ? 'OUTS' : 'INS'}${'?BW?D'[access.size] ?? ''}`;
    return {
      kind: 'vmm-exit',
      passable: 'string I/O',
      reason:
        `${mnemonic} at port ${hex(access.port)}: vmd ends the VM's process, ` +
        'since its vcpu_exit_inout cannot emulate string I/O (its own firmware is patched not to use any)',
    };
  }
  if (!behaviour.resetPorts || !access.write || access.size !== 1) return null;
  if (access.port === 0x64 && access.value === 0xfe) {
    return restart('OUT 0x64, 0xfe resets the VM', behaviour, bootDevice);
  }
  if (access.port === 0xcf9 && (access.value & 6) === 6) {
    return restart(`OUT 0xcf9, ${hex(access.value)} resets the VM`, behaviour, bootDevice);
  }
  return null;
}

/** Any other IN returns all ones, any other OUT is ignored. */
export function unansweredPort(access: PortAccess): Verdict {
  return { kind: 'answer', value: access.size === 4 ? 0xffffffffn : access.size === 2 ? 0xffffn : 0xffn };
}

export function unansweredMmio(behaviour: VmdBehaviour, window: AddressRange, access: MmioAccess): Verdict {
  const what = `a ${access.size}-byte ${access.write ? 'write to' : 'read from'} ${hex(access.address)}`;
  if (!contains(window, access.address)) {
    return {
      kind: 'vmm-exit',
      reason: `${what}, which is in none of the VM's ranges: vmm(4) refuses the nested page fault with EINVAL and vmd ends the VM`,
    };
  }
  if (behaviour.mmioEmulated) {
    return { kind: 'answer', value: allOnes(access.size) };
  }
  const lacks = isVmdSince(behaviour.version, '7.6')
    ? 'is built without MMIO emulation (MMIO_NOTYET)'
    : 'has no MMIO emulation';
  return {
    kind: 'vmm-exit',
    passable: 'accesses to the PCI MMIO window',
    reason: `${what} in the PCI MMIO window: this vmd ${lacks} and ends the VM`,
  };
}

export function tripleFault(behaviour: VmdBehaviour, bootDevice: string | null): Verdict {
  return restart('vmm(4) reports the triple fault to vmd', behaviour, bootDevice);
}

/** What this model leaves out of vmd and vmm(4), for the report. */
export function notModelled(
  behaviour: VmdBehaviour,
  inputs: Pick<BoardInputs, 'kernel' | 'observed' | 'machine'>,
): string[] {
  const list = [
    'virtio devices: the PCI bus has only the host bridge 0b5d:0666, so no disk, network, cdrom or vmmci answers',
    'the host: CPUID is a plain Intel model CPU without XSAVE and AVX behind the masks of vmm(4), and time is counted in instructions',
    'pvclock, SEV and pause/resume',
    'quirks of vmd’s 8253, 8259 and 8250: the devices follow their data sheets, with port 0x61 and the missing FIFO as in vmd',
    'bits of CR4 that the guest’s CPUID hides and its host’s CPU has: vmm(4) masks CR4.VMXE alone, so a real guest can set them; here they are reserved',
    'CR0.NE: on Intel hosts vmm(4) keeps it set and the guest reads 0; here the guest reads what it wrote',
  ];
  const vcpus = inputs.machine.vcpus.value;
  if (vcpus > 1 && !behaviour.apic) {
    list.push(
      `the refusal of ${vcpus} vCPUs: vmm(4) of that time creates VMs of one alone (sys/dev/vmm/vmm.c, vm_create: EINVAL), and vm.conf cannot ask for more; here the others never start`,
    );
  }
  if (behaviour.version === '7.6') {
    list.push('whether this version has fw_cfg file etc/e820: it was read in fw_cfg.c rev 1.11 of June 2025');
  }
  if (inputs.kernel && (behaviour.version === '7.8' || behaviour.version === '2026-01')) {
    list.push(
      'which ELF entry this version has: it is that of loadfile_elf.c rev 1.51 of June 2025, compatibility mode; rev 1.59 of August 2026 has 32-bit mode without paging, and when that came was not read',
    );
  }
  if (behaviour.version === '2026-01') {
    list.push(
      'what upstream of early 2026 does beyond its memory map: devices and exits are those of x86_vm.c rev 1.9, so MMIO is not emulated',
    );
  }
  if (behaviour.version === 'loadfile-1.11') {
    list.push(
      'the four days until fw_cfg came: it answers as in fw_cfg.c rev 1.1 of 2018-12-10, loadfile.h rev 1.11 is of 2018-12-06',
    );
  }
  if (behaviour.version === 'loadfile-1.7') {
    list.push(
      'what this vmd does with a triple fault and with string I/O: both were read in revisions from 2018 on',
    );
  }
  if (behaviour.apic) {
    list.push(
      'ACPI: no DSDT file, so no FADT, as vmd without /etc/firmware/vmm.dsdt; the copy of the RSDP in fw_cfg is left out',
    );
    if (vmdVersion(behaviour.version)?.facts.acpi === null) {
      list.push(
        'where this version puts XSDT and MADT, which was not read: 0x9e000 and 0x9f000 of an older acpi.h are used',
      );
    }
    list.push(
      'the PCI MMIO window: an address without a device reads as all ones here, which is an assumption',
    );
  }
  if (inputs.observed && behaviour.fwCfg) {
    list.push(
      'observation overlay for SeaBIOS: fw_cfg file etc/screen-and-debug says 1, so that what goes to the screen is in the firmware log too; vmd says 0',
    );
  }
  if (inputs.machine.bootDevice && behaviour.fwCfg) {
    list.push('fw_cfg file bootorder, which `boot device` adds: there is no device to boot from');
  }
  if (inputs.kernel) {
    list.push(
      'direct kernel boot: symbol tables are not copied behind the kernel, and no random seed is filled in',
    );
  }
  const inMap = inputs.machine.memory === null;
  if (
    inMap &&
    inputs.machine.regions.some(({ range }) => range.start % PAGE !== 0n || range.end % PAGE !== 0n)
  ) {
    list.push('partial pages: a range that is not page aligned is cut to whole pages');
  }
  return list;
}
