/** The architectural state of a vCPU as plain data, with the names that the JSON contract uses. */

export const GENERAL_REGISTERS = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
export type GeneralRegister = (typeof GENERAL_REGISTERS)[number];

/** In the order of the instruction encoding (SDM vol. 2, Table 3-1), then the system segments. */
export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;
export type SegmentName = (typeof SEGMENTS)[number];

/** `attributes` in the VMX access-rights layout: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16. */
export interface SegmentState {
  readonly selector: number;
  readonly base: bigint;
  /** In bytes, inclusive and already scaled by G: the offset of the last byte. */
  readonly limit: number;
  readonly attributes: number;
}

export interface TableRegister {
  readonly base: bigint;
  /** Offset of the last byte (inclusive, as LGDT takes it). */
  readonly limit: number;
}

export type CpuMode = 'real' | 'v86' | 'protected-16' | 'protected-32' | 'compatibility' | 'long';

export interface VcpuState {
  readonly general: Readonly<Record<GeneralRegister, bigint>>;
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly cr0: bigint;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly cr8: bigint;
  readonly efer: bigint;
  readonly segments: Readonly<Record<SegmentName, SegmentState>>;
  readonly gdtr: TableRegister;
  readonly idtr: TableRegister;
  /** DR0 to DR7 by their numbers; nobody reads 4 and 5, which are aliases of 6 and 7 (SDM vol. 3, 17.2.2). */
  readonly dr: readonly bigint[];
}

/** General registers that are all zero. */
export const NO_REGISTERS = Object.fromEntries(GENERAL_REGISTERS.map((name) => [name, 0n])) as Record<
  GeneralRegister,
  bigint
>;

/** DR0 to DR7 after RESET (SDM vol. 3, Table 9-1). */
export const RESET_DEBUG_REGISTERS: readonly bigint[] = [0n, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, 0x400n];

/** LDTR and TR after RESET (SDM vol. 3, Table 9-1). */
export const RESET_LDTR: SegmentState = { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0082 };
export const RESET_TR: SegmentState = { selector: 0, base: 0n, limit: 0xffff, attributes: 0x008b };

/** One code segment, one for all data, and the system segments of RESET. */
export function segmentsOf(code: SegmentState, data: SegmentState): Record<SegmentName, SegmentState> {
  return { es: data, cs: code, ss: data, ds: data, fs: data, gs: data, ldtr: RESET_LDTR, tr: RESET_TR };
}

/** The mode that a state is in (SDM vol. 3, 2.2 and 3.4.5): CR0.PE, RFLAGS.VM, EFER.LMA, CS.L and CS.D decide. */
export function modeOf(state: Pick<VcpuState, 'cr0' | 'efer' | 'rflags' | 'segments'>): CpuMode {
  if ((state.cr0 & 1n) === 0n) return 'real';
  const cs = state.segments.cs.attributes;
  if ((state.efer & 0x400n) !== 0n) return (cs & 0x2000) !== 0 ? 'long' : 'compatibility';
  if ((state.rflags & 0x20000n) !== 0n) return 'v86';
  return (cs & 0x4000) !== 0 ? 'protected-32' : 'protected-16';
}
