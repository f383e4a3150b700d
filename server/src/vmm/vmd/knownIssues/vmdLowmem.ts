/**
 * A Linux guest under vmd dies of a double fault when it reboots through the BIOS. What is known of it, and what is
 * not: the first fault is in no report, so no cause is named here.
 */
import type { KnownIssue } from '../../../machine/knownIssue';
import { GIB } from '../../../address/range';
import { VMD_VERSIONS } from '../versions';

const REPORT = 'openbsd tech@, "fix reboot of alpine linux guests in vmd", 2026-01-05';

/** The report does not say how large the guest was; RAM must cover the stack that its RSP would name. */
const REPORTED_GUEST = {
  kind: 'vmm',
  vmm: 'vmd',
  version: '7.8',
  citation: `chosen for the simulation of: ${REPORT}`,
} as const;

/** The end of low RAM in the versions that the report is about; the patch ends it at 576 KiB. */
const SMALLEST_AFFECTED_LOWMEM_KB = 636;

export const vmdLowmem: KnownIssue = {
  id: 'vmd-lowmem',
  vmm: 'vmd',
  title: 'Linux guest double-faults when it reboots through the BIOS',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/vmd-lowmem.md',
  affected: VMD_VERSIONS.filter(({ facts }) => facts.lowmemKb >= SMALLEST_AFFECTED_LOWMEM_KB).map(
    ({ id }) => id,
  ),
  statements: [
    {
      text: 'The guest was rebooting through the BIOS: registers hold reboot(2)’s magic numbers, RDI holds restart type 0, and RIP lies in Linux’s real-mode blob on its trampoline page table.',
      evidence: 'proven',
      citation:
        'the reported registers; torvalds/linux arch/x86/kernel/reboot.c machine_real_restart, arch/x86/realmode/rm/reboot.S',
    },
    {
      text: 'The far jump to machine_real_restart_asm worked, and the first instruction there did not retire: it would have loaded 0x18 into EAX.',
      evidence: 'proven',
      citation: 'the reported RAX and DS; torvalds/linux arch/x86/realmode/rm/reboot.S and header.S',
    },
    {
      text: 'CR2 is the first slot of an exception frame below RSP cut to 32 bits: the push of a frame faulted. Any first fault ends in this double fault, because the stack is not mapped there.',
      evidence: 'proven',
      citation: 'the reported RSP and CR2; Intel SDM vol. 3, “64-Bit Mode Stack Frame”',
    },
    {
      text: 'With a randomised direct map the trampoline page table maps one PUD entry, the first GiB; the cut RSP lies past it.',
      evidence: 'inferred',
      citation:
        'torvalds/linux arch/x86/mm/kaslr.c and commit 0925dda5962e (Linux 5.2); the file of 6.18 was not read',
    },
    {
      text: 'Ending low RAM at 576 KiB instead of 640 KiB is reported to avoid the failure. The author of the patch writes that the cause is not known.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'A guest arrives at the BIOS jump because the earlier ways to reboot have no effect: up to x86_vm.c rev 1.19 vmd ignores 0xFE written to port 0x64.',
      evidence: 'inferred',
      citation:
        'torvalds/linux arch/x86/kernel/reboot.c native_machine_emergency_restart; usr.sbin/vmd/x86_vm.c rev 1.9 and 1.24',
    },
  ],
  hypotheses: [
    {
      message:
        'A missing ENDBR: with kernel IBT on, the CPU waits for an ENDBR32 after the indirect far jump, finds `mov $0x18,%eax` and raises #CP.',
      for: [
        'CR4.CET (bit 23) is set in the report, and Linux sets it for kernel IBT.',
        'reboot.S has no ENDBR at machine_real_restart_asm in the versions that were read, and the jump goes through memory (`ljmpl *`).',
        'A far JMP in protected mode arms the tracker too (Intel SDM vol. 2A, operation of JMP; Bochs does the same, bochs/cpu/jmp_far.cc).',
        'vmm(4) shows IBT to the guest where the host itself runs with CR4.CET (vmm_machdep.c rev 1.64).',
      ],
      against: [
        'It does not explain why ending low RAM at 576 KiB helps.',
        'No #CP is recorded: Linux would print "Missing ENDBR" only if it could take the fault.',
        'The first affected kernel is not known; kernel IBT is in Linux since 5.18.',
      ],
      experiment:
        'Force the path with reboot=b on the guest’s command line, once as it is and once with ibt=off: if the reboot works with ibt=off, this is it; if nothing changes, it is not.',
    },
    {
      message:
        'The blob was overwritten: firmware or BIOS data stood over the page, and zeros decode as `add %al,(%eax)`, which raises #GP through the null DS.',
      for: [
        'Ending low RAM at 576 KiB is reported to help, and the blob lies above that line.',
        'SeaBIOS may grow its EBDA down to 0x90000 (src/config.h, BUILD_EBDA_MINIMUM), which is 576 KiB.',
      ],
      against: [
        'The dump does not show the bytes at RIP: Linux refuses to read a user-half address there, mapped or not.',
        'Linux writes the blob after the firmware has run, and no later writer is known.',
        'A blob at 0x98000 with its page table at 0x9c000 is where healthy machines have it too.',
      ],
      experiment:
        'Before the reboot, read 16 bytes of guest memory at RIP’s address: b8 18 00 00 00 8e d8 0f 01 15 is the intact code of reboot.S, anything else is not. Or run the same guest on a vmd that ends low RAM at 576 KiB.',
    },
  ],
  fix: 'vmd with low RAM ending at 576 KiB (LOWMEM_KB 576, read in x86_vm.c rev 1.19) avoids the reported failure; from rev 1.24 the guest’s write to port 0x64 restarts it first. Until then: reboot=t on the guest’s command line makes Linux reboot by triple fault, which vmd takes as a restart.',
  simulation: {
    guest: {
      name: 'alpine',
      memory: { value: 2n * GIB, origin: REPORTED_GUEST },
      vcpus: { value: 1, origin: REPORTED_GUEST },
      images: [],
      at: null,
      nameAt: null,
    },
    cells: [
      {
        name: 'IBT on, blob intact, 640 KiB',
        version: '7.8',
        probe: 'linux-reboot-bios',
        parameters: { ibt: 1 },
        evidence: 'mechanism',
      },
    ],
    reached: ({ probeStatus, faultChain }) =>
      probeStatus === 'double-fault' && faultChain.length >= 2
        ? 'The fault at the jump’s target could not be delivered, because its frame could not be pushed.'
        : null,
    shows:
      'With indirect-branch tracking on, the first instruction of the blob is no ENDBR: #CP, whose frame cannot be pushed, and the registers of the report follow. It is one of several chains that do: an overwritten code page of the blob (parameter blob=1, ibt=0) gives the same double fault. Without tracking and with the blob intact the guest restarts.',
  },
};
