/** Control registers, EFER, RFLAGS and XCR0 bit by bit. SDM vol. 3, 2.3 to 2.6; APM vol. 2, 3.1. */
import { bit, bits, field, flag, listBits, unnamedBits, type BitField } from './bitField';

/** SDM vol. 3, 2.5. */
export const CR0: readonly BitField[] = [
  flag(0, 'PE', 'protected mode'),
  flag(1, 'MP', 'monitor coprocessor'),
  flag(2, 'EM', 'x87 emulation'),
  flag(3, 'TS', 'task switched'),
  flag(4, 'ET', 'extension type (fixed to 1)'),
  flag(5, 'NE', 'native x87 errors'),
  flag(16, 'WP', 'write protection in supervisor mode'),
  flag(18, 'AM', 'alignment checks allowed'),
  flag(29, 'NW', 'not write-through'),
  flag(30, 'CD', 'cache disable'),
  flag(31, 'PG', 'paging'),
];

/** SDM vol. 3, 2.5; bit 62 and 61 are LAM (vol. 3, 4.4), bit 63 exists in the operand of MOV to CR3 only. */
export const CR3: readonly BitField[] = [
  field(11, 0, 'PCID', (value) =>
    value === 0n ? 'no PCID, no PWT, no PCD' : 'PCID if CR4.PCIDE is on; else bit 3 is PWT and bit 4 is PCD',
  ),
  field(51, 12, 'base', (value) => `top table at 0x${(value << 12n).toString(16)}`),
  flag(61, 'LAM_U57', 'user pointers with 6 metadata bits'),
  flag(62, 'LAM_U48', 'user pointers with 15 metadata bits'),
  flag(63, 'NOFLUSH', 'keep the TLB entries of this PCID (operand of MOV to CR3 only)'),
];

/** SDM vol. 3, 2.5. */
export const CR4: readonly BitField[] = [
  flag(0, 'VME', 'virtual-8086 extensions'),
  flag(1, 'PVI', 'protected-mode virtual interrupts'),
  flag(2, 'TSD', 'RDTSC for ring 0 only'),
  flag(3, 'DE', 'debugging extensions'),
  flag(4, 'PSE', '4 MiB pages in 32-bit paging'),
  flag(5, 'PAE', 'physical address extension'),
  flag(6, 'MCE', 'machine-check exceptions'),
  flag(7, 'PGE', 'global pages'),
  flag(8, 'PCE', 'RDPMC in user mode'),
  flag(9, 'OSFXSR', 'FXSAVE and SSE'),
  flag(10, 'OSXMMEXCPT', 'unmasked SIMD exceptions as #XM'),
  flag(11, 'UMIP', 'SGDT, SIDT, SLDT, SMSW, STR for ring 0 only'),
  flag(12, 'LA57', 'five-level paging'),
  flag(13, 'VMXE', 'VMX'),
  flag(14, 'SMXE', 'SMX'),
  flag(16, 'FSGSBASE', 'RDFSBASE and the like'),
  flag(17, 'PCIDE', 'process-context identifiers'),
  flag(18, 'OSXSAVE', 'XSAVE'),
  flag(19, 'KL', 'Key Locker'),
  flag(20, 'SMEP', 'no execution of user pages in supervisor mode'),
  flag(21, 'SMAP', 'no access to user pages in supervisor mode'),
  flag(22, 'PKE', 'protection keys of user pages'),
  flag(23, 'CET', 'control-flow enforcement (IBT, shadow stacks or both: IA32_S_CET says)'),
  flag(24, 'PKS', 'protection keys of supervisor pages'),
  flag(25, 'UINTR', 'user interrupts'),
  flag(27, 'LASS', 'linear address space separation'),
  flag(28, 'LAM_SUP', 'metadata bits in supervisor pointers'),
  flag(32, 'FRED', 'FRED event delivery'),
];

/** APM vol. 2, 3.1.7; Intel defines bits 0, 8, 10 and 11 (SDM vol. 3, 2.2.1). */
export const EFER: readonly BitField[] = [
  flag(0, 'SCE', 'SYSCALL and SYSRET'),
  flag(8, 'LME', 'long mode enabled'),
  flag(10, 'LMA', 'long mode active'),
  flag(11, 'NXE', 'no-execute pages'),
  flag(12, 'SVME', 'SVM (AMD)'),
  flag(13, 'LMSLE', 'segment limits in long mode (AMD)'),
  flag(14, 'FFXSR', 'fast FXSAVE (AMD)'),
  flag(15, 'TCE', 'translation cache extension (AMD)'),
  flag(17, 'MCOMMIT', 'MCOMMIT instruction (AMD)'),
  flag(18, 'INTWB', 'interruptible WBINVD (AMD)'),
  flag(20, 'UAIE', 'upper address ignore (AMD)'),
  flag(21, 'AIBRSE', 'automatic IBRS (AMD)'),
];

/** SDM vol. 1, 3.4.3. */
export const RFLAGS: readonly BitField[] = [
  flag(0, 'CF', 'carry'),
  flag(1, 'fixed', 'always 1'),
  flag(2, 'PF', 'parity'),
  flag(4, 'AF', 'auxiliary carry'),
  flag(6, 'ZF', 'zero'),
  flag(7, 'SF', 'sign'),
  flag(8, 'TF', 'single step'),
  flag(9, 'IF', 'maskable interrupts'),
  flag(10, 'DF', 'string instructions go down'),
  flag(11, 'OF', 'overflow'),
  field(13, 12, 'IOPL', (value) => `I/O privilege level ${value}`),
  flag(14, 'NT', 'nested task'),
  flag(16, 'RF', 'resume: set in the frame of a fault'),
  flag(17, 'VM', 'virtual-8086 mode'),
  flag(18, 'AC', 'alignment check, or SMAP override'),
  flag(19, 'VIF', 'virtual interrupt flag'),
  flag(20, 'VIP', 'virtual interrupt pending'),
  flag(21, 'ID', 'CPUID can be detected'),
];

/** SDM vol. 3, 2.6. */
export const XCR0: readonly BitField[] = [
  flag(0, 'x87', 'x87 state (must be 1)'),
  flag(1, 'SSE', 'XMM state'),
  flag(2, 'AVX', 'YMM state'),
  flag(3, 'BNDREG', 'MPX bound registers'),
  flag(4, 'BNDCSR', 'MPX configuration'),
  flag(5, 'opmask', 'AVX-512 mask registers'),
  flag(6, 'ZMM_Hi256', 'upper halves of ZMM0 to ZMM15'),
  flag(7, 'Hi16_ZMM', 'ZMM16 to ZMM31'),
  flag(9, 'PKRU', 'protection key rights'),
  flag(17, 'TILECFG', 'AMX tile configuration'),
  flag(18, 'TILEDATA', 'AMX tile data'),
  flag(19, 'APX', 'extended general registers'),
];

function reserved(
  register: string,
  value: bigint,
  fields: readonly BitField[],
  consequence: string,
): string[] {
  const found = unnamedBits(value, fields, 64);
  return found.length === 0
    ? []
    : [`${register} has ${listBits(found)} set, which this table calls reserved; ${consequence}`];
}

/** Combinations that MOV to CR0 refuses with #GP(0) (SDM vol. 2, MOV to control registers). */
export function cr0Problems(cr0: bigint): string[] {
  const problems: string[] = [];
  if (bit(cr0, 31) && !bit(cr0, 0))
    problems.push('PG is 1 with PE 0: a MOV to CR0 raises #GP(0), and a VM entry fails.');
  if (bit(cr0, 29) && !bit(cr0, 30))
    problems.push(
      'NW is 1 with CD 0: a MOV to CR0 raises #GP(0). VMRUN refuses it, a VMX entry does not check it.',
    );
  if (cr0 >> 32n !== 0n) problems.push('CR0 has bits above 31 set: a MOV to CR0 raises #GP(0).');
  return problems;
}

export function cr4Problems(cr4: bigint): string[] {
  return reserved('CR4', cr4, CR4, 'a MOV to CR4 that sets a reserved bit raises #GP(0).');
}

export function eferProblems(efer: bigint): string[] {
  const problems: string[] = [];
  if (bit(efer, 10) && !bit(efer, 8))
    problems.push('LMA is 1 with LME 0: no processor is in this state, and a VMX entry with it fails.');
  problems.push(...reserved('EFER', efer, EFER, 'a WRMSR that sets a reserved bit raises #GP(0).'));
  return problems;
}

export function rflagsProblems(rflags: bigint): string[] {
  const problems: string[] = [];
  if (!bit(rflags, 1)) problems.push('Bit 1 is 0: it always reads 1, and a VMX entry with 0 fails.');
  const found = unnamedBits(rflags, RFLAGS, 64);
  if (found.length > 0)
    problems.push(`RFLAGS has ${listBits(found)} set, which always read 0; a VMX entry with them fails.`);
  return problems;
}

/** XSETBV raises #GP(0) for these (SDM vol. 1, 13.3). */
export function xcr0Problems(xcr0: bigint): string[] {
  const problems: string[] = [];
  if (!bit(xcr0, 0)) problems.push('Bit 0 (x87) is 0: XSETBV raises #GP(0).');
  if (bit(xcr0, 2) && !bit(xcr0, 1)) problems.push('AVX is 1 with SSE 0: XSETBV raises #GP(0).');
  if (bit(xcr0, 3) !== bit(xcr0, 4)) problems.push('BNDREG and BNDCSR differ: XSETBV raises #GP(0).');
  const avx512 = bits(xcr0, 7, 5);
  if (avx512 !== 0n && (avx512 !== 7n || !bit(xcr0, 2)))
    problems.push('The three AVX-512 bits must be equal, and need AVX: XSETBV raises #GP(0).');
  if (bit(xcr0, 17) !== bit(xcr0, 18)) problems.push('TILECFG and TILEDATA differ: XSETBV raises #GP(0).');
  return problems;
}

/** How linear addresses are translated (SDM vol. 3, 4.1.1). */
export type PagingMode = 'none' | '32-bit' | 'pae' | '4-level' | '5-level';

export function pagingMode(cr0: bigint, cr4: bigint, efer: bigint): PagingMode {
  if (!bit(cr0, 31)) return 'none';
  if (!bit(cr4, 5)) return '32-bit';
  if (!bit(efer, 10)) return 'pae';
  return bit(cr4, 12) ? '5-level' : '4-level';
}
