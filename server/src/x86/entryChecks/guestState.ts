/** What VM entry looks at: a register set as far as it is known, and the CPU that is to take it. */
import type { SegmentName, SegmentState, TableRegister } from '../state';

/**
 * A guest's state at VM entry. Whatever a dump did not print is left out, and the checks that need it are not made.
 * A full `VcpuState` is one of these.
 */
export interface GuestState {
  readonly rip?: bigint;
  readonly rflags?: bigint;
  readonly cr0?: bigint;
  readonly cr3?: bigint;
  readonly cr4?: bigint;
  readonly efer?: bigint;
  readonly segments?: Partial<Readonly<Record<SegmentName, SegmentState>>>;
  readonly gdtr?: TableRegister;
  readonly idtr?: TableRegister;
  /** DR0 to DR7. */
  readonly dr?: readonly bigint[];
  readonly sysenterEsp?: bigint;
  readonly sysenterEip?: bigint;
  readonly pat?: bigint;
  /** The four PAE page-directory-pointer entries, from the VMCS (EPT) or from the table that CR3 names. */
  readonly pdptes?: readonly bigint[];
  /** The VM-entry control “IA-32e mode guest”; where it is not known, EFER.LMA stands for it. */
  readonly ia32eEntry?: boolean;
  /** VMCS guest activity state: 0 active, 1 HLT, 2 shutdown, 3 wait for SIPI. */
  readonly activity?: number;
  /** VMCS guest interruptibility: STI 0, MOV SS 1, SMI 2, NMI 3, enclave 4. */
  readonly interruptibility?: number;
  /** VM-entry interruption-information field: vector 7:0, type 10:8, error code 11, valid 31. */
  readonly injection?: number;
  /** VMCS link pointer. */
  readonly linkPointer?: bigint;
}

/** The CPU that takes the state. */
export interface EntryCpu {
  readonly vendor: 'intel' | 'amd';
  /** MAXPHYADDR in bits. */
  readonly physicalWidth: number;
  /** 48, or 57 where the CPU has 5-level paging. */
  readonly linearWidth: number;
  /** The VM-execution control “unrestricted guest”: real mode and no paging are allowed. Modern VMMs set it. */
  readonly unrestrictedGuest: boolean;
  /**
   * The registers are those in the VMCS, with the bits that VMX itself fixes (CR0.NE, CR4.VMXE); false for what the guest
   * would read, where the VMM hides them.
   */
  readonly fixedBitsVisible: boolean;
}

/** An outcome of one check: what is violated, null where it holds, undefined where the state does not tell. */
export type Outcome = string | null | undefined;

export interface EntryCheck {
  /** Stable name, used in messages and in docs/vm-entry-checks.md. */
  readonly id: string;
  /** What must hold, in a few words. */
  readonly rule: string;
  /** SDM or APM, by section title: numbers shift between editions. */
  readonly source: string;
  readonly holds: (guest: GuestState, cpu: EntryCpu) => Outcome;
}

/** Whether the guest enters IA-32e mode. */
export function entersIa32e({ ia32eEntry, efer }: GuestState): boolean | undefined {
  return ia32eEntry ?? (efer === undefined ? undefined : (efer & 0x400n) !== 0n);
}

/** Whether CS is a 64-bit code segment in IA-32e mode. */
export function in64BitMode(guest: GuestState): boolean | undefined {
  const ia32e = entersIa32e(guest);
  if (ia32e === false) return false;
  const cs = guest.segments?.cs;
  return cs === undefined || ia32e === undefined ? undefined : (cs.attributes & 0x2000) !== 0;
}

export function canonical(address: bigint, { linearWidth }: EntryCpu): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(linearWidth, address)) === BigInt.asUintN(64, address);
}
