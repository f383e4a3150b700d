/** Why a fault was raised, in words with numbers. The core passes a reason and two 64-bit details. */
import { Reason } from './assembly/events';

const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'];
const hex = (value: bigint): string => `0x${value.toString(16)}`;
const segmentName = (number: bigint): string => SEGMENT_NAMES[Number(number)] ?? `segment ${number}`;

/** The exception flags of MXCSR (SDM vol. 1, 10.2.3). */
const FLOATING_POINT = [
  'invalid operation',
  'denormal',
  'divide by zero',
  'overflow',
  'underflow',
  'precision',
];
const exceptionNames = (flags: bigint): string =>
  FLOATING_POINT.filter((_, i) => ((flags >> BigInt(i)) & 1n) !== 0n).join(', ');

/** `a` and `b` are the details; what they are is written beside each raise in the core. */
const WORDING: Record<Reason, (a: bigint, b: bigint) => string> = {
  [Reason.None]: () => 'raised without a recorded reason',
  [Reason.UndefinedOpcode]: () => 'the opcode is undefined on this CPU',
  [Reason.LockPrefix]: () => 'LOCK on an instruction that may not carry it, or without a memory destination',
  [Reason.TooLong]: () => 'the instruction is longer than 15 bytes',
  [Reason.NotInMode]: () => 'the instruction does not exist in the current mode',
  [Reason.Privilege]: (a) => `a privileged operation at CPL ${a}`,
  [Reason.IoPermission]: (a, b) =>
    `port ${hex(a)} (${b} bytes): CPL exceeds IOPL and the TSS I/O bitmap does not allow it`,
  [Reason.V86WithTracker]: () => 'IRET to virtual-8086 mode while indirect-branch tracking is on at CPL 3',
  [Reason.V86Sensitive]: () => 'an IOPL-sensitive instruction in virtual-8086 mode with IOPL below 3',
  [Reason.DivideError]: (a, b) =>
    b === 0n ? `division of ${hex(a)} by zero` : `the quotient of ${hex(a)} by ${hex(b)} does not fit`,
  [Reason.BoundRange]: (a, b) => `BOUND: index ${hex(a)} is outside its bounds (lower bound ${hex(b)})`,
  [Reason.SegmentNull]: (a, b) => `${segmentName(a)} is null or unusable, offset ${hex(b)}`,
  [Reason.SegmentLimit]: (a, b) =>
    `${a & 0xffffffffn} bytes at offset ${hex(b)} are beyond the limit of ${segmentName(a >> 32n)}`,
  [Reason.SegmentReadType]: (a, b) => `${segmentName(a)} may not be read: access rights ${hex(b)}`,
  [Reason.SegmentWriteType]: (a, b) => `${segmentName(a)} may not be written: access rights ${hex(b)}`,
  [Reason.NonCanonicalData]: (a, b) => `${b} bytes at the non-canonical address ${hex(a)}`,
  [Reason.NonCanonicalTarget]: (a) => `branch to the non-canonical address ${hex(a)}`,
  [Reason.FetchLimit]: (a, b) => `instruction fetch at offset ${hex(a)} beyond the limit of CS (${hex(b)})`,
  [Reason.TargetLimit]: (a, b) =>
    `branch to offset ${hex(a)}, beyond the limit of the code segment (${hex(b)})`,
  [Reason.NotPresent]: (a, b) => `${hex(a)} is not mapped: the paging entry is ${hex(b)}, not present`,
  [Reason.Rights]: (a, b) =>
    `${hex(a)} is mapped, but its rights forbid the access; the last paging entry is ${hex(b)}`,
  [Reason.ReservedBit]: (a, b) =>
    `a reserved bit is set in the paging entry ${hex(b)} on the way to ${hex(a)}`,
  [Reason.SelectorNull]: (a) => `null selector ${hex(a)}`,
  [Reason.SelectorBeyondTable]: (a, b) =>
    `selector ${hex(a)} lies beyond its descriptor table (limit ${hex(b)})`,
  [Reason.DescriptorType]: (a, b) => `selector ${hex(b)}: descriptor ${hex(a)} has the wrong type`,
  [Reason.DescriptorPrivilege]: (a, b) =>
    `selector ${hex(b)}: privilege check against descriptor ${hex(a)} failed`,
  [Reason.DescriptorNotPresent]: (a, b) => `selector ${hex(b)}: descriptor ${hex(a)} is not present (P=0)`,
  [Reason.LongAndDefault]: (a, b) =>
    `selector ${hex(b)}: code descriptor ${hex(a)} must have L=1 and D=0 here, or not both set`,
  [Reason.StackNull]: (a, b) => `null stack selector ${hex(a)} at privilege level ${b}`,
  [Reason.TssLimit]: (a, b) => `offset ${hex(a)} lies beyond the limit of the TSS (${hex(b)})`,
  [Reason.TssType]: (a, b) => `selector ${hex(b)}: descriptor ${hex(a)} is not an available TSS`,
  [Reason.GateBeyondIdt]: (a, b) => `vector ${a} lies beyond the IDT (limit ${hex(b)})`,
  [Reason.GateType]: (a, b) => `the IDT entry of vector ${a} has type ${hex(b)}, which is no legal gate`,
  [Reason.GatePrivilege]: (a, b) => `INT ${a} from a level outside the gate's DPL ${b}`,
  [Reason.GateNotPresent]: (a) => `the IDT entry of vector ${a} is not present`,
  [Reason.Cr0Reserved]: (a) => `MOV to CR0: ${hex(a)} sets bits 63:32`,
  [Reason.Cr0PgWithoutPe]: (a) => `MOV to CR0: ${hex(a)} sets PG without PE`,
  [Reason.Cr0NwWithoutCd]: (a) => `MOV to CR0: ${hex(a)} sets NW without CD`,
  [Reason.Cr0LongWithoutPae]: (_a, b) => `paging enabled with EFER.LME=1 but CR4.PAE=0 (CR4 ${hex(b)})`,
  [Reason.Cr0LongWithCsL]: (a) => `long mode activated while CS (${hex(a)}) has L=1`,
  [Reason.Cr0LongWithTss16]: (a) => `long mode activated while TR (${hex(a)}) holds a 16-bit TSS`,
  [Reason.Cr0PgClearedIn64]: () => 'CR0.PG cleared in 64-bit mode',
  [Reason.Cr0PgClearedWithPcid]: () => 'CR0.PG cleared while CR4.PCIDE=1',
  [Reason.Cr0WpClearedWithCet]: () => 'CR0.WP cleared while CR4.CET=1',
  [Reason.Cr4Reserved]: (a, b) => `MOV to CR4: ${hex(a)} sets bits that are reserved on this CPU (${hex(b)})`,
  [Reason.Cr4PaeClearedInLong]: () => 'CR4.PAE cleared in long mode',
  [Reason.Cr4PcidIllegal]: (_a, b) =>
    `CR4.PCIDE set outside long mode or with CR3[11:0] not zero (CR3 ${hex(b)})`,
  [Reason.Cr4CetWithoutWp]: () => 'CR4.CET set while CR0.WP=0',
  [Reason.Cr4La57InLong]: () => 'CR4.LA57 changed in long mode',
  [Reason.Cr3Reserved]: (a, b) => `MOV to CR3: ${hex(a)} sets reserved bits (${hex(b)})`,
  [Reason.Cr8Reserved]: (a) => `MOV to CR8: ${hex(a)} sets bits above 3`,
  [Reason.PdpteReserved]: (a, b) => `PDPTE ${b} is ${hex(a)}: present with reserved bits set`,
  [Reason.EferReserved]: (a, b) => `WRMSR EFER: ${hex(a)} sets bits that this CPU lacks (${hex(b)})`,
  [Reason.EferLmeUnderPaging]: (a) => `WRMSR EFER: ${hex(a)} changes LME while paging is on`,
  [Reason.EferLmaChanged]: (a, b) =>
    `WRMSR EFER: ${hex(a)} changes LMA (EFER is ${hex(b)}), which AMD forbids`,
  [Reason.MsrReadOnly]: (a) => `MSR ${hex(a)} can only be read`,
  [Reason.MsrUnknown]: (a) => `MSR ${hex(a)} does not exist on this CPU`,
  [Reason.CounterUnknown]: (a) => `RDPMC: performance counter ${hex(a)} does not exist on this CPU`,
  [Reason.MsrReserved]: (a, b) => `${hex(a)} is not a legal value for MSR ${hex(b)}`,
  [Reason.MsrNonCanonical]: (a) => `${hex(a)} is not canonical`,
  [Reason.DrReserved]: (a, b) => `MOV to DR${b}: ${hex(a)} sets bits 63:32`,
  [Reason.DrGeneralDetect]: (a) => `MOV to or from DR${a} while DR7.GD=1`,
  [Reason.ApicBaseIllegal]: (a, b) =>
    `WRMSR IA32_APIC_BASE: from ${hex(b)} to ${hex(a)} is not a legal transition`,
  [Reason.ApicReserved]: (a, b) => `x2APIC register ${hex(a)}: no such access, or reserved bits in ${hex(b)}`,
  [Reason.NestedTaskInLong]: () => 'IRET with NT=1 in long mode',
  [Reason.Alignment]: (a, b) => `${b} bytes at ${hex(a)} are not aligned`,
  [Reason.DeviceNotAvailable]: (a) => `CR0 (${hex(a)}) forbids it: TS, or EM for x87, or MP with TS for WAIT`,
  [Reason.EndbrMissing]: (a) =>
    `the target of an indirect branch, ${hex(a)}, is not ENDBR (CET indirect-branch tracking)`,
  [Reason.Debug]: (a) => `a breakpoint of DR0 to DR3 on the instruction at ${hex(a)}`,
  [Reason.RealIdtLimit]: (a, b) =>
    `vector ${a} lies beyond the interrupt vector table (IDTR limit ${hex(b)})`,
  [Reason.SyscallDisabled]: () => 'SYSCALL or SYSRET with EFER.SCE=0',
  [Reason.SysenterNull]: (a) =>
    `SYSENTER or SYSEXIT outside protected mode or with IA32_SYSENTER_CS ${hex(a)} null`,
  [Reason.SysretNonCanonical]: (a) => `SYSRET to the non-canonical address ${hex(a)}`,
  [Reason.XcrIllegal]: (a) => `XSETBV or XGETBV: ${hex(a)} is not legal`,
  [Reason.TableBaseNonCanonical]: (a) => `descriptor table or segment base ${hex(a)} is not canonical`,
  [Reason.XsaveHeader]: (a, b) =>
    `the XSAVE header (XSTATE_BV ${hex(a)}, XCOMP_BV ${hex(b)}) has bits that may not be set here`,
  [Reason.OsxsaveClear]: () => 'an instruction of the XSAVE feature set with CR4.OSXSAVE=0',
  [Reason.MonitorHint]: (a) =>
    `MONITOR or MWAIT with an extension or hint in RCX (${hex(a)}) that does not exist`,
  [Reason.ProtectionKey]: (a, b) =>
    `${hex(a)} is mapped, but protection key ${(b >> 59n) & 15n} forbids the access; the last paging entry is ${hex(b)}`,
  [Reason.PkruOperand]: (a, b) => `RDPKRU or WRPKRU with ECX ${hex(a)} or EDX ${hex(b)} not zero`,
  [Reason.InvpcidOperand]: (a, b) =>
    `INVPCID: type ${hex(a)} does not exist, or ${hex(b)} is not legal for it`,
  [Reason.FloatingPoint]: (a) => `an unmasked x87 exception is pending (status word ${hex(a)})`,
  [Reason.MxcsrReserved]: (a) => `MXCSR ${hex(a)} has reserved bits set`,
  [Reason.SimdFloatingPoint]: (a, b) =>
    `SIMD floating-point exception: ${exceptionNames(a)}, not masked in MXCSR (${hex(b)})`,
  [Reason.VectorsDisabled]: () => 'MMX and SSE need CR0.EM=0, SSE also CR4.OSFXSR=1',
};

/** The sentence of a fault record. */
export function reasonText(reason: number, a: bigint, b: bigint): string {
  return (WORDING[reason as Reason] ?? WORDING[Reason.None])(a, b);
}
