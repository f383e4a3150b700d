/**
 * A Linux guest under vmd dies of a double fault when it reboots through the BIOS. What is known of it, and what is
 * not: the first fault is in no report, so no cause is named here.
 */
import { hex } from '../../../address/format';
import { GIB } from '../../../address/range';
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { exceptionName } from '../../../x86/exceptions';
import { VMD_VERSIONS } from '../versions';

const REPORT = 'openbsd tech@, "fix reboot of alpine linux guests in vmd", 2026-01-05';

/** The report does not say how large the guest was; RAM must cover the stack that its RSP would name. */
const REPORTED_GUEST = {
  kind: 'vmm',
  vmm: 'vmd',
  version: '7.8',
  citation: `chosen for the simulation of: ${REPORT}`,
} as const;

const BLOBS = [
  ['intact', 0],
  ['code page overwritten', 1],
  ['overwritten with its page table', 2],
] as const;

/** 7.8 ends low RAM at 640 KiB, 2026-01 at 576. */
const VERSIONS = [
  ['640 KiB', '7.8'],
  ['576 KiB', '2026-01'],
] as const;

/** Linux with page-table isolation, which the report's guest had: its handler looks at bit 12 of CR3. */
const WITH_PTI: readonly SimulationCell[] = VERSIONS.map(([low, version]) => ({
  name: `IBT on, blob intact, PTI, ${low}`,
  version,
  probe: 'linux-reboot-bios',
  parameters: { ibt: 1, pti: 1 },
  evidence: 'mechanism',
}));

/** Tracking, blob and low RAM, without a look at CR3. */
const CROSS: readonly SimulationCell[] = [1, 0].flatMap((ibt) =>
  BLOBS.flatMap(([state, blob]) =>
    VERSIONS.map(([low, version]) => ({
      name: `IBT ${ibt === 1 ? 'on' : 'off'}, blob ${state}, ${low}`,
      version,
      probe: 'linux-reboot-bios',
      parameters: { ibt, blob },
      evidence: 'mechanism',
    })),
  ),
);

/** Offset of machine_real_restart_asm in the blob (RIP over RAX in the report). */
const RESTART_ENTRY = 0x2070n;
const PAGE_FAULT = 14;

/** A fault at the entry before its first instruction retired, its frame not pushed, and the double fault taken. */
function reached({ probeStatus, faultChain }: ShownRun): string | null {
  const [first, push] = faultChain;
  if (probeStatus !== 'double-fault' || !first || !push) return null;
  const { rip, general, segments } = first.state;
  const blob = BigInt.asUintN(30, general.rax);
  if (rip !== blob + RESTART_ENTRY || segments.ds.selector !== 0) return null;
  const slot = (general.rsp & 0xfffffff0n) - 8n;
  if (push.vector !== PAGE_FAULT || push.cr2 !== slot) return null;
  return (
    `${exceptionName(first.vector)} at ${hex(rip)}, blob + ${hex(RESTART_ENTRY)}, before its first instruction retired (RAX ${hex(general.rax)} ` +
    `is still the blob’s address and DS 0); the push of the frame faulted with CR2 ${hex(slot)} = (RSP ${hex(general.rsp)} & ~0xf) - 8; double fault.`
  );
}

/** The end of low RAM in the versions that the report is about; the patch ends it at 576 KiB. */
const SMALLEST_AFFECTED_LOWMEM_KB = 636;

export const vmdLowmem: KnownIssue = {
  id: 'vmd-lowmem',
  vmm: 'vmd',
  title: 'Linux guest double-faults when it reboots through the BIOS',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/vmd-lowmem.md',
  affected: VMD_VERSIONS.filter(
    ({ facts, proposal }) => !proposal && facts.lowmemKb >= SMALLEST_AFFECTED_LOWMEM_KB,
  ).map(({ id }) => id),
  statements: [
    {
      text: 'The guest was rebooting through the BIOS: registers hold reboot(2)’s magic numbers, RDI holds restart type 0, and RIP lies in Linux’s real-mode blob on its trampoline page table.',
      evidence: 'proven',
      citation:
        'the reported registers; Linux 6.12.117 arch/x86/kernel/reboot.c machine_real_restart, arch/x86/realmode/rm/reboot.S',
    },
    {
      text: 'The far jump to machine_real_restart_asm worked, and the first instruction there did not retire: it would have loaded 0x18 into EAX.',
      evidence: 'proven',
      citation: 'the reported RAX and DS; Linux 6.12.117 arch/x86/realmode/rm/reboot.S and header.S',
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
        'Linux 6.12.117 arch/x86/mm/kaslr.c init_trampoline_kaslr (since commit 0925dda5962e, Linux 5.2)',
    },
    {
      text: 'The guest’s kernel had set CR4.CET (bit 23). Linux sets it for kernel IBT or for user shadow stacks; Alpine’s kernel leaves IBT at its default, which is on, and does not select user shadow stacks. A kernel whose IBT selftest fails clears tracking and leaves CR4.CET, so the bit alone does not prove that tracking was on.',
      evidence: 'inferred',
      citation:
        'the reported CR4; Linux 6.12.117 arch/x86/kernel/cpu/common.c setup_cet and arch/x86/Kconfig; alpinelinux/aports main/linux-lts/virt.x86_64.config (commit 0130e7ac72, of a 6.12 kernel)',
    },
    {
      text: 'vmm(4) gives a guest real tracking where its host runs with CR4.CET: IA32_S_CET is passed through, and the guest’s CET state is loaded at every entry.',
      evidence: 'proven',
      citation: 'sys/arch/amd64/amd64/vmm_machdep.c rev 1.64 (2025-09-14), vcpu_reset_regs_vmx',
    },
    {
      text: 'Ending low RAM at 576 KiB instead of 640 KiB is reported to avoid the failure. The author of the patch writes that the cause is not known.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'The report’s guest runs with page-table isolation (“PTI” in its oops). Linux then tells a user’s page table by bit 12 of CR3, also where the handler of a double fault begins, and clears it.',
      evidence: 'proven',
      citation:
        'the reported oops line; Linux 6.12.117 arch/x86/entry/calling.h SAVE_AND_SWITCH_TO_KERNEL_CR3, entry_64.S idtentry_df and paranoid_entry',
    },
    {
      text: 'A guest arrives at the BIOS jump because the earlier ways to reboot have no effect: up to x86_vm.c rev 1.19 vmd ignores 0xFE written to port 0x64.',
      evidence: 'inferred',
      citation:
        'Linux 6.12.117 arch/x86/kernel/reboot.c native_machine_emergency_restart; usr.sbin/vmd/x86_vm.c rev 1.9 and 1.24',
    },
  ],
  hypotheses: [
    {
      message:
        'A missing ENDBR: with kernel IBT on, the CPU waits for an ENDBR32 after the indirect far jump, finds `mov $0x18,%eax` and raises #CP.',
      for: [
        'CR4.CET (bit 23) is set in the report, and the kernel’s configuration leaves no other reason for it than kernel IBT.',
        'reboot.S has no ENDBR at machine_real_restart_asm in Linux 6.12.117, the jump goes through memory (`ljmpl *`), and the way to it does not turn tracking off; that of kexec does (cet_disable).',
        'A far JMP in protected mode arms the tracker too (Intel SDM vol. 2A, operation of JMP; Bochs does the same, bochs/cpu/jmp_far.cc).',
        'vmm(4) shows IBT to the guest where the host itself runs with CR4.CET, and passes IA32_S_CET through (vmm_machdep.c rev 1.64).',
        'It can explain why 576 KiB helps. With page-table isolation, which the report’s guest had, the double-fault handler takes a CR3 with bit 12 set for a user’s page table and clears the bit. The trampoline page table lies 0x4000 into the blob: at 0x9c000 with 640 KiB, where bit 12 is clear, and at 0x8d000 with 576 KiB, where it is set. There the handler goes on over 0x8c000, which is no page table, and the guest ends in a triple fault: vmd restarts it, and the reboot seems to work.',
        'Debian’s kernel 6.12.117, which has kernel IBT, dies so on the emulator under vmd’s map with a real SeaBIOS: RIP at the restart code, RDI 0, DS 0, CR3 0x9c000, RFLAGS 0x10046, CR2 = (RSP & ~0xf) - 8; with ibt=off it comes to the BIOS. With 576 KiB it ends in a triple fault, and with nopti beside in the double fault again.',
      ],
      against: [
        'No #CP is recorded in the report: Linux would print "Missing ENDBR" only if it could take the fault.',
        'Linux 6.18, which the report is about, was not read.',
      ],
      experiment:
        'Force the path with reboot=b on the guest’s command line, once as it is, once with ibt=off, once with nokaslr. If this is it, ibt=off reboots, and nokaslr prints "Missing ENDBR", since then the frame can be pushed. On a vmd that ends low RAM at 576 KiB, nopti brings the double fault back.',
    },
    {
      message:
        'The blob was overwritten: firmware or BIOS data stood over the page, and zeros decode as `add %al,(%eax)`, which raises #GP through the null DS.',
      for: [
        'Ending low RAM at 576 KiB is reported to help, and the blob lies above that line.',
        'SeaBIOS may grow its EBDA down to 0x90000 (src/config.h, BUILD_EBDA_MINIMUM), which is 576 KiB.',
      ],
      against: [
        'With tracking on, an intact blob faults as well and an overwritten one faults with #CP before its first instruction is looked at: so this explains the effect of 576 KiB only where tracking was off, which CR4.CET speaks against.',
        'The dump does not show the bytes at RIP: Linux refuses to read a user-half address there, mapped or not.',
        'Linux writes the blob after the firmware has run, and no later writer is known; with Debian’s SeaBIOS 1.16.2 its bytes are intact right before the jump.',
        'A blob at 0x98000 with its page table at 0x9c000 is where healthy machines have it too.',
      ],
      experiment:
        'Before the reboot, read 16 bytes of guest memory at RIP’s address: b8 18 00 00 00 8e d8 0f 01 15 is the intact code of reboot.S, anything else is not. Or run the same guest on a vmd that ends low RAM at 576 KiB.',
    },
  ],
  fix: 'vmd with low RAM ending at 576 KiB (LOWMEM_KB 576, read in x86_vm.c rev 1.17) avoids the reported failure; from rev 1.24 the guest’s write to port 0x64 restarts it first. Until then: reboot=t on the guest’s command line makes Linux reboot by triple fault, which vmd takes as a restart.',
  simulation: {
    guest: simulatedGuest({ name: 'alpine', memory: 2n * GIB }, REPORTED_GUEST),
    cells: [...CROSS, ...WITH_PTI],
    reached,
    shows:
      'Twelve runs cross tracking on or off, the blob intact or overwritten, and low RAM up to 640 or 576 KiB. The reported state is reached with tracking on whether the code is intact or not (#CP), and with tracking off where the code page is overwritten (#GP); an intact blob without tracking comes to the BIOS, and without its page table the guest ends in a triple fault, so that of the report was there. Where low RAM ends changes none of them: under the overwritten-blob hypothesis its reported effect needs a blob that is overwritten at 0x98000 and not at 0x89000, and tracking off. Two more runs have the page-table isolation of the report’s guest, with tracking on: with 640 KiB the double fault is reported, with 576 KiB bit 12 of CR3 sends its handler to no page table, and the triple fault restarts the VM.',
  },
};
