/** Any write of a guest to the boot ROM ends Propolis: an exit that it has no answer for. */
import { GIB } from '../../../address/range';
import type { KnownIssue, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { NEWEST_PROPOLIS, PROPOLIS_VERSIONS } from '../versions';
import { hex } from '../../../address/format';

const REPORT = 'oxidecomputer/propolis issue 340, 2023-03-10';

const GUEST = {
  kind: 'vmm',
  vmm: 'propolis',
  version: NEWEST_PROPOLIS.id,
  citation: `chosen for the simulation of: ${REPORT}`,
} as const;

/** vCPU n of a run ends so: `Paging(gpa, prot)` with the address in decimal and PROT_WRITE. */
const PAGING = /Paging\((\d+), 2\)/;

const cell = (name: string, address: number): SimulationCell => ({
  name,
  version: NEWEST_PROPOLIS.id,
  probe: 'rom-write',
  parameters: { address },
  evidence: 'reproduced',
});

export const propolisRomWrite: KnownIssue = {
  id: 'propolis-rom-write',
  vmm: 'propolis',
  title: 'A guest that writes to the boot ROM ends Propolis',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/propolis-rom-write.md',
  affected: PROPOLIS_VERSIONS.map(({ id }) => id),
  statements: [
    {
      text: 'propolis-server panicked with "vCPU 3: Unhandled VM exit: Paging(4294967292, 2)": a write (2 is PROT_WRITE) to GPA 0xfffffffc, in the last page of the boot ROM.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'The ROM’s segment is mapped for reading and execution alone, so the kernel cannot satisfy a write and makes it no MMIO access either, since memory lies there: it comes to userland as a paging exit.',
      evidence: 'proven',
      citation:
        'lib/propolis/src/vmm/mem.rs, seg_create_map (READ | EXEC); illumos-gate usr/src/uts/i86pc/io/vmm/vmm.c, vm_mem_allocated and vm_handle_paging',
    },
    {
      text: 'Nothing handles that exit: propolis-standalone comes to todo!() and aborts (panic = "abort" in release builds); propolis-server logs the vCPU’s state since 2024-10 and panics.',
      evidence: 'proven',
      citation:
        'lib/propolis/src/vcpu.rs, process_vmexit; bin/propolis-standalone/src/main.rs, vcpu_loop; bin/propolis-server/src/lib/vcpu_tasks.rs (commit cf2dc266) and vm/state_driver.rs, unhandled_vm_exit',
    },
    {
      text: 'A firmware image with its variable store in the same file does the same at every boot: EDK2 looks for flash by writing command 0x50 to the first byte of the store that is not 0, 0x50 or 0x70. Debian’s OVMF.fd (2 MiB) ends so at 0xffe00010 under this model, and OVMF_CODE.fd, below which the segment is zero, boots to the UEFI shell.',
      evidence: 'reproduced',
      citation:
        'tianocore/edk2 OvmfPkg/QemuFlashFvbServicesRuntimeDxe/QemuFlash.c, QemuFlashDetected; Debian ovmf 2022.11-6+deb12u2',
    },
  ],
  hypotheses: [
    {
      message:
        'In the report a vCPU pushed four bytes with a stack pointer of zero: the slot below 0 is 0xfffffffc in 32 bits.',
      for: [
        'The address is 2^32 - 4, and vCPU 3 is one that another had started.',
        'Reports of the same days have vCPUs executing what is no code (issues 300 and 333).',
      ],
      against: ['The report has no registers: Propolis logs them at such exits only since 2024-10.'],
      experiment:
        'On a propolis-server since 2024-10, look at %rsp and the mode in the vcpu_state block of "unhandled paging exit".',
    },
  ],
  fix: 'None is known. A boot ROM without a variable store (OVMF_CODE.fd) does not write to itself.',
  simulation: {
    guest: simulatedGuest({ name: 'propolis', memory: GIB }, GUEST),
    cells: [
      cell('the last double word below 4 GiB', 0xfffffffc),
      cell('where OVMF looks for flash', 0xffe00010),
    ],
    reached: ({ outcome, reason }) => {
      const address = outcome === 'vmm-exit' ? PAGING.exec(reason)?.[1] : undefined;
      return address === undefined
        ? null
        : `A write to ${hex(BigInt(address))} came to Propolis as Paging(${address}, 2), which it does not handle.`;
    },
    shows:
      'One MOV to the ROM from 32-bit protected mode ends the VMM with the exit of the report. It does not show why the guest of the report wrote there.',
  },
};
