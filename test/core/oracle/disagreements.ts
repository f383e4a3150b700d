/** Lines of our images in which another x86 is wrong, and who says so. */

/** A line of QEMU that is wrong: what stands in it, what has to stand there, and who says so. */
export interface Disagreement {
  readonly line: string;
  readonly qemu: string;
  readonly manual: string;
  readonly source: string;
}

const NO_LOCK_CHECK: Disagreement = {
  line: 'lock on mov',
  qemu: 'no exception',
  manual: 'vector 0x6 ',
  source: 'SDM vol. 2, LOCK: #UD for instructions that are not listed',
};
const SS_KEPT = {
  qemu: 'ss 0x0 ',
  manual: 'ss 0x18 ',
  source: 'SDM vol. 3, 6.14.4: SS becomes null on a change of privilege level only',
};
const STACK_FAULT = {
  qemu: 'vector 0xd ',
  manual: 'vector 0xc ',
  source: 'SDM vol. 3, 3.3.7.1 and vol. 2: #SS(0) for a non-canonical address based on RSP or RBP',
};

export const QEMU_IMAGES: Readonly<Record<string, readonly Disagreement[]>> = {
  ladder: [],
  'code-cache': [],
  interrupts: [],
  tasks: [
    {
      line: 'task in the LDT',
      qemu: 'vector 0xa ',
      manual: 'vector 0xd ',
      source: 'SDM vol. 2, JMP: #GP(TSS selector) where a task gate names a TSS of the LDT',
    },
  ],
  'exceptions-real': [NO_LOCK_CHECK],
  'exceptions-protected': [
    NO_LOCK_CHECK,
    {
      line: 'read-modify-write of an absent page',
      qemu: 'error 0x0 ',
      manual: 'error 0x2 ',
      source: 'hardware (AMD EPYC, user mode): ADD to memory faults as a write',
    },
    {
      line: 'serial: #UD, then #NP for its gate',
      qemu: 'error 0x68 ',
      manual: 'error 0x69 ',
      source: 'SDM vol. 3, 6.13: EXT is set while an earlier exception is delivered',
    },
  ],
  'exceptions-long': [
    NO_LOCK_CHECK,
    { line: 'DS override, base RBP', ...STACK_FAULT },
    { line: 'interrupt stack table', ...SS_KEPT },
    { line: 'non-canonical through RSP', ...SS_KEPT },
    { line: 'double fault on its own stack', ...SS_KEPT },
    { line: 'non-canonical through RBP', ...STACK_FAULT },
    { line: 'non-canonical through RSP', ...STACK_FAULT },
    {
      line: 'syscall from ring 3',
      qemu: 'flags 0x2 ',
      manual: 'flags 0x402 ',
      source: 'SDM vol. 2, SYSCALL: RFLAGS AND NOT IA32_FMASK, DF included',
    },
  ],
};

/** Lines in which Bochs 2.7 differs from the core, by image; all others have to be the same. */
export interface BochsDisagreement {
  readonly line: string;
  readonly core: string;
  readonly source: string;
}
export const BOCHS_DISAGREEMENTS: Readonly<Record<string, readonly BochsDisagreement[]>> = {
  'code-cache': [
    {
      line: 'its second page replaced',
      core: '0x123477aa',
      source:
        'SDM vol. 3, 4.10.4.1: INVLPG drops the translation; Bochs keeps an instruction across pages that it decoded',
    },
  ],
  'task-switches': [
    {
      line: 'CS of RPL 1',
      core: 'error 0x8 ',
      source:
        'SDM vol. 3, Table 7-1: DPL and RPL of the code segment are compared before the stack is looked at',
    },
  ],
  interrupts: [
    {
      line: 'APIC software-disabled',
      core: 'no exception',
      source:
        'SDM vol. 3, Local APIC State After It Has Been Software Disabled: only INIT, NMI, SMI and SIPI',
    },
  ],
};

/** Lines of the product tables in which Bochs differs: what the core has to print instead, or which line of its own it repeats. */
export interface ProductDisagreement {
  readonly line: RegExp;
  readonly core: string | RegExp;
  readonly source: string;
}
const PRESENT_FIRST = / d:90 (?:" ){15}b:90 (?:" ?){15}$/;
export const PRODUCT_DISAGREEMENTS: Readonly<Record<string, readonly ProductDisagreement[]>> = {
  'descriptors-long': [
    {
      line: /^(?:lar|lsl) .* type 0x[29bc] form 0x2$/,
      core: 'form 0x0',
      source:
        'SDM vol. 2, LAR and LSL: they check the type, the privilege and the table limit, no upper type field',
    },
    {
      line: /^(?:lldt 64\/0 type 0x2|ltr 64\/0 type 0x9) form 0x2$/,
      core: PRESENT_FIRST,
      source: 'SDM vol. 2, LLDT and LTR, Operation: presence is checked with the type',
    },
    {
      line: /^gate for (?:int|an exception) .* type 0x[ef] form 0x2$/,
      core: 'form 0x0',
      source: 'SDM vol. 3, 64-Bit Mode IDT: the last doubleword is reserved, no fault is named for it',
    },
  ],
  // Each word: `!` is #GP(0), `+` read back as written, `~` read back otherwise.
  'control-registers': [
    {
      line: /efer 0x[ce]$/,
      core: /^!$/,
      source: "CPUID of Bochs's model has SVM and FFXSR, the profile of ours has not",
    },
    {
      line: /efer 0xa$/,
      core: /^!$/,
      source:
        "APM vol. 2, 14.7, Long-Mode Consistency Checks, as bhyve's svm_write_efer has it: LMA must be what LME and CR0.PG make it",
    },
    {
      line: /^bad PDPTE cr0 0x(?:[1-9a-f]|1[0-9a-c])$/,
      core: /^[+~]$/,
      source: 'SDM vol. 3, 4.4.1: MOV to CR0 loads the PDPTEs where it changes CD, NW or PG',
    },
    {
      line: /^bad PDPTE cr4, high 0x15$/,
      core: /^\+$/,
      source: 'SDM vol. 3, 4.4.1: MOV to CR4 loads the PDPTEs where it changes PAE, PGE, PSE or SMEP',
    },
  ],
};
