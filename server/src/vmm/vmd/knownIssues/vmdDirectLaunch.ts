/**
 * The state in which vmd starts a kernel that it loads itself. Nobody's guest crashed: a proposal of August 2025 gave reasons to
 * change it, and the change is in the source since then. What an amd64 kernel would do in the state of an i386 kernel is a
 * counterfactual of that proposal.
 */
import { hex } from '../../../address/format';
import { MIB } from '../../../address/range';
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import type { VmmOrigin } from '../../../machine/origin';
import { exceptionName } from '../../../x86/exceptions';
import { vmdBehaviour } from '../exits';
import { VMD_VERSIONS } from '../versions';

const REPORT = 'openbsd tech@, "vmd(8): Use 32-bit direct kernel launch for both amd64 and i386", 2025-08-20';

const GUEST: VmmOrigin = {
  kind: 'vmm',
  vmm: 'vmd',
  version: '7.8',
  citation: 'a guest of the default size; the proposal names none',
};

/** The 32-bit gate of locore0.S rev 1.32 in its place, and INT 29, which looks for it as #VC would. */
const SHORT_GATE = { gate: 1, event: 1 } as const;
const LONG_GATE = { gate: 2, event: 1 } as const;

const AMD64 = 'openbsd-locore';
const AS_I386 = 'openbsd-locore-elf32';

const CELLS: readonly SimulationCell[] = [
  {
    name: 'amd64 kernel up to rev 1.51: compatibility mode',
    version: '7.8',
    probe: AMD64,
    parameters: {},
    evidence: 'mechanism',
  },
  {
    name: 'amd64 kernel up to rev 1.51, vector 29 with a 32-bit gate',
    version: '7.8',
    probe: AMD64,
    parameters: SHORT_GATE,
    evidence: 'mechanism',
  },
  {
    name: 'amd64 kernel up to rev 1.51, vector 29 with a 64-bit gate',
    version: '7.8',
    probe: AMD64,
    parameters: LONG_GATE,
    evidence: 'mechanism',
  },
  {
    name: 'amd64 code in the i386 state of rev 1.51, Intel',
    version: '7.8',
    probe: AS_I386,
    parameters: {},
    vendor: 'intel',
    evidence: 'counterfactual',
  },
  {
    name: 'amd64 code in the i386 state of rev 1.51, AMD',
    version: '7.8',
    probe: AS_I386,
    parameters: {},
    vendor: 'amd',
    evidence: 'counterfactual',
  },
  {
    name: 'amd64 kernel as proposed, vector 29 with a 32-bit gate',
    version: 'proposal-2025-08-20',
    probe: AMD64,
    parameters: SHORT_GATE,
    evidence: 'mechanism',
  },
  {
    name: 'amd64 kernel as committed, vector 29 with a 32-bit gate',
    version: 'x86_vm-1.17',
    probe: AMD64,
    parameters: SHORT_GATE,
    evidence: 'mechanism',
  },
  {
    name: 'ELF32 kernel as committed, vector 29 with a 32-bit gate',
    version: 'x86_vm-1.17',
    probe: AS_I386,
    parameters: SHORT_GATE,
    evidence: 'mechanism',
  },
];

const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
/** #GP's error code for vector 29 of the IDT: index, and the bit that says IDT (SDM vol. 3, 6.13). */
const NO_GATE_29 = 29 * 8 + 2;

/** What the state that the proposal wants to leave behind led to; null for a kernel that was started without paging. */
function reached({ console, probeStatus, faultChain }: ShownRun): string | null {
  const entry = /entry cr0 (0x\w+) cr3 (0x\w+) cr4 (0x\w+) efer (0x\w+)/.exec(console);
  if (!entry) return null;
  const state = `CR0 ${entry[1]}, CR3 ${entry[2]}, CR4 ${entry[3]}, EFER ${entry[4]}`;
  const [first] = faultChain;
  if (/mode compatibility/.test(console)) {
    const mode = `The kernel was started in compatibility mode (${state}, CS.L 0)`;
    if (first?.vector === GENERAL_PROTECTION && first.errorCode === NO_GATE_29) {
      return `${mode}: vector 29 looks for its gate at IDT + 0x1d0, where nothing is, and not at IDT + 0xe8, where a 32-bit one stands: #GP with error code ${hex(NO_GATE_29)}, for which there is no gate either.`;
    }
    if (/through a 64-bit gate/.test(console)) {
      return `${mode}: vector 29 came through the 64-bit gate at IDT + 0x1d0, into 64-bit code, with RIP, CS, RFLAGS, RSP and SS of 8 bytes each.`;
    }
    return probeStatus === 'long-mode' ? `${mode}, which is legal, and came to 64-bit mode.` : null;
  }
  if (/32-bit paging/.test(console) && first) {
    const code = first.errorCode === null ? '' : `(${hex(first.errorCode)})`;
    const where =
      first.vector === PAGE_FAULT
        ? `at the first fetch after the MOV to CR4, ${hex(first.cr2 ?? 0n)}`
        : `at the MOV to CR4 itself, ${hex(first.state.rip)}`;
    return `The kernel was started with 32-bit paging on (${state}): ${exceptionName(first.vector)}${code} ${where}, because ${first.reason}.`;
  }
  return null;
}

export const vmdDirectLaunch: KnownIssue = {
  id: 'vmd-direct-launch',
  vmm: 'vmd',
  title: 'vmd starts amd64 kernels in compatibility mode',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/vmd-direct-launch.md',
  affected: VMD_VERSIONS.filter(({ id }) => vmdBehaviour(id).elfEntry === 'by-class').map(({ id }) => id),
  statements: [
    {
      text: 'Up to loadfile_elf.c rev 1.51 an ELF64 kernel starts with CR0 0x80000011, CR4 0x30, EFER 0x500 and a code segment with L = 0: compatibility mode, over page tables of the first GiB. That is legal, and OpenBSD/amd64 boots from it.',
      evidence: 'proven',
      citation: 'usr.sbin/vmd/x86_vm.c rev 1.3 to 1.27, vcpu_init_flat64; loadfile_elf.c rev 1.34 and 1.51',
    },
    {
      text: 'In IA-32e mode every exception is delivered by a gate of 16 bytes at IDT + 16 times the vector and with a frame of 64-bit slots, whatever the size of the interrupted code; its handler must be 64-bit code.',
      evidence: 'proven',
      citation: 'Intel SDM vol. 3, “64-Bit Mode IDT” and “64-Bit Mode Stack Frame”; AMD APM vol. 2, 8.9',
    },
    {
      text: 'OpenBSD’s locore0 of August 2025 has one early handler for #VC: 32-bit code, behind a gate of 8 bytes at IDT + 8 times 29. In compatibility mode the CPU does not look there. #VC comes in SEV-ES guests only.',
      evidence: 'proven',
      citation: 'sys/arch/amd64/amd64/locore0.S rev 1.32 (2025-08-04), start and locore_vc_trap32',
    },
    {
      text: 'Up to rev 1.51 an ELF32 kernel starts with paging on over a directory of 4 MiB pages, CR4 0x10 and EFER 0, while /boot starts i386 kernels without paging.',
      evidence: 'proven',
      citation: 'usr.sbin/vmd/loadfile_elf.c rev 1.51, loadfile_elf and push_pt_32',
    },
    {
      text: 'An amd64 kernel in that state would die as it sets CR4.PAE: the directory is no table of PDPTEs. Intel refuses the MOV to CR4 with #GP(0); AMD under nested paging faults at the next walk, #PF with RSVD. Either finds no gate: a triple fault, which vmd takes as a restart. The author of the proposal calls it a double fault.',
      evidence: 'counterfactual',
      citation: `Intel SDM vol. 3, 4.4.1; AMD APM vol. 2, 15.25.10; ${REPORT}`,
    },
    {
      text: 'The proposal starts both kinds in 32-bit protected mode with paging off: CR0 = ET, PE; EFER = 0; flat 32-bit segments.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'The source has the change, in another form: CR3, CR4 and EFER are 0, and no page tables are written. When it was committed, and which release has it first, was not read.',
      evidence: 'proven',
      citation: 'usr.sbin/vmd/loadfile_elf.c rev 1.59 (2026-08-30, git commit 1bd36cd9ba5c), loadfile_elf',
    },
  ],
  hypotheses: [],
  fix: 'loadfile_elf.c rev 1.59: one state for both kinds of kernel, the one in which /boot starts them. A kernel that has to run on older versions as well must not assume the mode at its entry, and needs a gate of each size for an exception that can come before its own IDT.',
  simulation: {
    guest: simulatedGuest(
      { name: 'openbsd', memory: 512n * MIB, images: [{ role: 'kernel', path: '/bsd' }] },
      GUEST,
    ),
    cells: CELLS,
    reached,
    shows:
      'A kernel with the mode path of OpenBSD/amd64 (CR4.PAE, EFER.LME, CR0.PG, far jump) comes to 64-bit mode from compatibility mode and from 32-bit mode without paging alike. What differs is an exception on the way: INT 29 stands for #VC, which only an SEV-ES guest meets and the emulator does not have; it finds its gate by the same rules, but pushes no error code. The two runs in the i386 state are no state in which vmd ever started an amd64 kernel.',
  },
};
