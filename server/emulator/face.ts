/**
 * The boundary of the emulator core, shaped after KVM_RUN: run until an exit. The core knows no VMM and no file;
 * everything outside the CPU, its MMU and its local APIC is reached through `Bus`.
 */
import type { VcpuState, CpuMode } from '../src/x86/state';

export { MAX_VCPUS } from './assembly/layout';

/**
 * What the guest sees as its CPU: CPUID answers, leaf and subleaf to EAX, EBX, ECX, EDX. Everything else that the core knows
 * of its CPU (vendor, widths, what decodes, what is reserved) is read from them; `CpuidModel` makes them. The core patches
 * what follows the running CPU: OSXSAVE, OSPKE, APIC, and the sizes of leaf 0xD.
 */
export interface CpuProfile {
  cpuid(leaf: number, subleaf: number, vcpu: number): readonly [number, number, number, number];
  /**
   * True where a VMM leaves the control registers to a guest under nested paging. AMD's processors then take the PDPTEs of PAE
   * paging from memory in every walk, and find reserved bits there (APM vol. 2, 15.25.10); Intel's check them as they always do.
   */
  readonly nestedPaging?: boolean;
}

/** How the core treats a span of physical addresses at access time. Unmapped space goes to the bus as MMIO. */
export type SlotKind = 'ram' | 'rom' | 'mmio';

/** Flags of a port access. */
export const PORT_STRING = 1;
export const PORT_REP = 2;

/** Returned by a bus read or write to refuse the access: the instruction is rolled back and `run` returns `refused`. */
export const REFUSED = Symbol('refused');
export type Refused = typeof REFUSED;

/** The outside of the CPU. Calls come synchronously, in the middle of an instruction. */
export interface Bus {
  /** IN or one iteration of INS. `flags` are PORT_STRING and PORT_REP. Unanswered ports are the bus's policy. */
  readPort(port: number, size: 1 | 2 | 4, vcpu: number, flags: number): number | Refused;
  writePort(port: number, size: 1 | 2 | 4, value: number, vcpu: number, flags: number): void | Refused;
  /** Physical read outside RAM and ROM. `size` in bytes; never crosses an 8-byte boundary by more than the access itself. */
  readMmio(address: bigint, size: 1 | 2 | 4 | 8, vcpu: number): bigint | Refused;
  /** Physical write outside RAM, writes to ROM included. */
  writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint, vcpu: number): void | Refused;
  /** The INTA cycle of the 8259 pair: the vector. Called when INTR is taken while the line is up. */
  acknowledge(vcpu: number): number;
  /** RDMSR that the core does not know; null raises #GP(0). */
  readMsr(index: number, vcpu: number): bigint | null;
  /** WRMSR that the core does not know; false raises #GP(0). */
  writeMsr(index: number, value: bigint, vcpu: number): boolean;
  /** VMCALL or VMMCALL with this number in rAX: the answer for rAX. Null, or no such method, raises #UD. */
  hypercall?(number: bigint, cpl: number, vcpu: number): bigint | null;
  /**
   * An ICR write of the local APIC, before it acts: bits 63:56 are the destination, 63:32 in x2APIC mode. `REFUSED` ends the run:
   * some VMMs cannot do some IPIs. `'sent'`: the bus has delivered it in its own way, and the local APIC does not.
   */
  interprocessorInterrupt?(icr: bigint, vcpu: number): void | 'sent' | Refused;
  /** A local APIC ends a level-triggered interrupt: the EOI message that IOAPICs listen for (SDM vol. 3, 10.8.5). */
  endOfInterrupt?(vector: number, vcpu: number): void;
  /** Called as it happens; must be quick. */
  trace?(event: TraceEvent): void;
}

/** Instructions executed by all vCPUs so far, plus idle time skipped: the clock. Fits a double exactly for years of runs. */
export type Ticks = number;

export type TraceEvent =
  | {
      readonly event: 'mode';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly from: CpuMode;
      readonly to: CpuMode;
      readonly rip: bigint;
      readonly paging: string;
    }
  | {
      readonly event: 'cr-write';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly register: string;
      readonly value: bigint;
      readonly previous: bigint;
      readonly rip: bigint;
    }
  | {
      readonly event: 'msr-write';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly index: number;
      readonly value: bigint;
      readonly rip: bigint;
    }
  | {
      readonly event: 'table-load';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly table: 'gdtr' | 'idtr' | 'ldtr' | 'tr';
      readonly selector: number | null;
      readonly base: bigint;
      readonly limit: number;
      readonly rip: bigint;
    }
  | {
      readonly event: 'exception';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly vector: number;
      readonly errorCode: number | null;
      readonly rip: bigint;
      readonly cr2: bigint | null;
    }
  | {
      readonly event: 'interrupt';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly vector: number;
      readonly source: 'pic' | 'apic' | 'nmi' | 'software';
    }
  | {
      readonly event: 'ipi';
      readonly at: Ticks;
      readonly vcpu: number;
      readonly icr: bigint;
      readonly rip: bigint;
    }
  | { readonly event: 'init'; readonly at: Ticks; readonly vcpu: number }
  | { readonly event: 'sipi'; readonly at: Ticks; readonly vcpu: number; readonly vector: number }
  | { readonly event: 'halt'; readonly at: Ticks; readonly vcpu: number; readonly rip: bigint };

/** One link of the fault chain: the state when the fault was raised, as if its instruction had not begun. */
export interface FaultRecord {
  readonly at: Ticks;
  readonly vcpu: number;
  readonly vector: number;
  /** Null where the vector pushes none. */
  readonly errorCode: number | null;
  readonly cr2: bigint | null;
  /** What raised it, in words with numbers: `target of an indirect jump is not ENDBR32`. */
  readonly reason: string;
  readonly state: VcpuState;
}

export type Exit =
  /** The deadline passed to `run` was reached. */
  | { readonly reason: 'deadline' }
  /** Every vCPU is halted or waits for SIPI, and no interrupt is pending. */
  | { readonly reason: 'idle' }
  /** Triple fault of a vCPU; `faults` holds the chain that led to it, first fault first. */
  | { readonly reason: 'shutdown'; readonly vcpu: number; readonly faults: readonly FaultRecord[] }
  /** The bus refused an access; the instruction has been rolled back (finished REP iterations stay). */
  | { readonly reason: 'refused'; readonly vcpu: number }
  /** `requestStop` was called; the instruction that led to it has finished. */
  | { readonly reason: 'stopped'; readonly vcpu: number }
  | { readonly reason: 'breakpoint'; readonly vcpu: number }
  /** Guest memory beyond what one WebAssembly memory can hold was touched. */
  | { readonly reason: 'memory' };

/** A page of guest memory, 4 KiB, as it was at a snapshot. Snapshots of one run share those that did not change between. */
export interface SavedPage {
  readonly address: bigint;
  /** Never written to again. */
  readonly bytes: Uint8Array;
}

/** Opaque to everyone but the core; survives structured clone. */
export interface CoreSnapshot {
  readonly kind: 'core';
  readonly pages: readonly SavedPage[];
  readonly internal: Uint8Array;
}

/** The hardware: vCPUs, MMU, local APICs and guest memory. Created by `createCore` in `core.ts`. */
export interface Core {
  readonly vcpus: number;
  /** Instructions executed so far by all vCPUs (a REP iteration counts as one). */
  readonly instructions: number;
  /** The clock: `instructions` plus the idle ticks that `skipIdle` added. */
  readonly now: Ticks;

  /** Declares `[start, end)` (page aligned) as RAM or ROM, or back to MMIO. RAM pages appear zeroed on first touch. */
  map(start: bigint, end: bigint, kind: SlotKind): void;
  /** Host access to RAM and ROM, not through paging; ROM is writable here. False where a byte is neither. */
  write(address: bigint, bytes: Uint8Array): boolean;
  read(address: bigint, length: number): Uint8Array | null;
  /** Guest physical pages touched so far, in pages of 4 KiB. */
  readonly touchedPages: number;
  /** Addresses of the pages touched so far in `[start, end)`, ascending. Guest and host count alike; a host's read does not. */
  touchedIn(start: bigint, end: bigint): readonly bigint[];

  state(vcpu: number): VcpuState;
  /** Loads a full state, hidden segment parts included, without the checks that instructions make. */
  setState(vcpu: number, state: VcpuState): void;
  /**
   * Gives a vCPU an MSR before its first instruction. For those that the core keeps without acting on a write: SYSENTER_*, STAR,
   * LSTAR, CSTAR, FS, GS and KERNEL_GS bases, PAT, MTRRs. False for any other, for one that CPUID does not permit, and for a
   * value at which WRMSR is #GP(0).
   */
  setMsr(vcpu: number, index: number, value: bigint): boolean;
  /** Architectural RESET state (SDM vol. 3, Table 9-1); vCPU 0 runs, the others wait for SIPI. */
  reset(): void;
  /** Whether a vCPU runs, is halted, or waits for a start-up IPI. */
  activity(vcpu: number): 'running' | 'halted' | 'wait-for-sipi' | 'shutdown';
  /** Whether it is halted, by HLT or MWAIT, and an interrupt would wake it. */
  wakesByInterrupt(vcpu: number): boolean;
  setActivity(vcpu: number, activity: 'running' | 'halted' | 'wait-for-sipi'): void;

  /** Level of the 8259 pair's output, wired to LINT0 of every vCPU: INTR where the local APIC is missing or disabled. */
  setInterruptLine(up: boolean): void;
  /** Level of the board's NMI, wired to LINT1 of every vCPU: the NMI pin where the local APIC is missing or disabled. */
  setNmiLine(up: boolean): void;
  /**
   * Leaves vCPU 0's local APIC as firmware does for an operating system (MP specification 1.4, 3.6.2.2): enabled, LINT0
   * ExtINT, LINT1 NMI. After RESET both are masked, and nothing of the 8259 pair arrives (SDM vol. 3, 10.4.7.1).
   */
  enterVirtualWireMode(): void;
  /** An interrupt message from an IOAPIC or MSI; `mode` as in the ICR, 7 is ExtINT. False where no local APIC accepts it. */
  deliver(vector: number, destination: number, logical: boolean, mode: number, level: boolean): boolean;
  /** A20 gate: when off, physical address bit 20 is forced to 0 for every CPU access. */
  setA20(on: boolean): void;

  /** Runs until `deadline` (in ticks) or an exit. */
  run(deadline: Ticks): Exit;
  /** Moves the clock to `until` while everything is idle. */
  skipIdle(until: Ticks): void;
  /** Asks `run` to return after the present instruction. For the bus. */
  requestStop(): void;
  /** Linear execution breakpoints, checked before an instruction. */
  setBreakpoints(addresses: readonly bigint[]): void;

  /** The chain of faults that the vCPU is in or that it last went through, first fault first. */
  faults(vcpu: number): readonly FaultRecord[];

  snapshot(): CoreSnapshot;
  restore(snapshot: CoreSnapshot): void;
}

export interface CoreOptions {
  readonly vcpus: number;
  readonly profile: CpuProfile;
  readonly bus: Bus;
  /** Instructions that a vCPU runs before the next one's turn, 1 at least; 997 where nothing is said. */
  readonly quantum?: number;
}
