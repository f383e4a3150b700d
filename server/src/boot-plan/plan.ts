/**
 * A boot plan as it was read: what lies in guest memory, what the registers hold before the first instruction, who answers
 * ports and MMIO, and what is expected of the run. Everything knows where it was written. Addresses are guest-physical,
 * ranges half-open; numbers of `last` and `limit` keep their own meaning and say so.
 */
import type { AddressRange } from '../address/range';
import type { VmmChoice } from '../machine/language';
import type { RegionKind } from '../machine/machine';
import type { ExitKind, Outcome } from '../machine/outcome';
import type { SourceRange } from '../text/position';
import type { PagingMode } from '../x86/controlRegisters';
import type { CpuVendor } from '../x86/cpuid/answers';
import type { CpuidFeatureName } from '../x86/cpuid/features';
import type { CpuMode, GeneralRegister, SegmentName, SegmentState, TableRegister } from '../x86/state';

/** A value and where it was written. */
export interface Written<T> {
  readonly value: T;
  readonly at: SourceRange;
}

export interface BootPlan {
  readonly name: string;
  /** Whose model answers ports and MMIO; the newest `pc` where the plan names none. */
  readonly vmm: VmmChoice;
  /**
   * `plan`: the plan itself fills memory and registers (it has a vCPU's registers, or a captured state). `vmm`: the VMM does,
   * from memory size, kernel, firmware, initrd and command line, as with any config.
   */
  readonly start: 'plan' | 'vmm';
  readonly vcpus: number;
  /** Guest memory in bytes as a VMM takes it, for `start` = `vmm`; null where the plan lists regions. */
  readonly memory: Written<bigint> | null;
  readonly cpu: PlannedCpu | null;
  /** What the VMM boots, where it starts the guest. */
  readonly boot: PlannedBoot | null;
  /** In the order of the text. */
  readonly regions: readonly PlannedRegion[];
  /** Files and bytes, in the order of the text; a later one is written over an earlier one. */
  readonly loads: readonly PlannedLoad[];
  /** Descriptor tables and page tables, ready to be written after the loads. */
  readonly structures: readonly PlannedBytes[];
  readonly paging: PlannedPaging | null;
  /** Linux's boot parameters, which are filled in from the regions, the kernel and what is loaded. */
  readonly linux: PlannedLinux | null;
  readonly captured: PlannedCapture | null;
  /** One for each `[[vcpu]]`, by index. A vCPU without one is as after RESET: number 0 runs, the others wait for a SIPI. */
  readonly registers: readonly PlannedVcpu[];
  readonly run: PlannedRun;
  /** In the order of the text. */
  readonly expectations: readonly Expectation[];
}

/** The CPU, as far as the plan says. Features that no list of CPUID has are left out. */
export interface PlannedCpu {
  /** Null leaves it to the model. */
  readonly vendor: CpuVendor | null;
  readonly added: readonly CpuidFeatureName[];
  readonly removed: readonly CpuidFeatureName[];
  /** MAXPHYADDR in bits; null leaves it to the model. */
  readonly physicalWidth: Written<number> | null;
}

export interface PlannedRegion {
  readonly range: AddressRange;
  readonly kind: RegionKind;
  readonly name: string;
  /** `rwx` with `-` for what is not allowed; null where the plan does not say. */
  readonly permissions: string | null;
  readonly at: SourceRange;
}

/** Bytes at a guest-physical address, made by the plan. */
export interface PlannedBytes {
  readonly what: 'gdt' | 'idt' | 'page-tables';
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly at: SourceRange;
}

/**
 * What a load is, and so how it gets into memory. `elf`: by its program headers (p_paddr). `bzimage`: its protected-mode part
 * at the address, 1 MiB where there is none. `rom`: so that it ends at 4 GiB where there is no address. `initrd`,
 * `command-line` (a zero byte follows its text) and `flat`: the bytes at the address. Linux is told of kernel, initrd and command line.
 */
export const LOAD_KINDS = ['elf', 'bzimage', 'rom', 'flat', 'initrd', 'command-line'] as const;
export type LoadKind = (typeof LOAD_KINDS)[number];

export interface PlannedLoad {
  readonly kind: LoadKind;
  readonly content:
    | { readonly kind: 'file'; readonly path: Written<string> }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array };
  /** Null where the kind knows it. */
  readonly address: Written<bigint> | null;
  readonly at: SourceRange;
}

/** What the VMM is given to boot, for `start` = `vmm`. Paths are as written, relative to the plan. */
export interface PlannedBoot {
  readonly kernel: Written<string> | null;
  readonly firmware: Written<string> | null;
  readonly initrd: Written<string> | null;
  readonly commandLine: Written<string> | null;
  /** Name of a probe guest. */
  readonly probe: Written<string> | null;
  readonly at: SourceRange;
}

/** A page-table entry's rights; `executable` is the absence of NX. */
export interface MappingRights {
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
}

export interface PlannedMapping {
  /** Linear addresses. */
  readonly linear: AddressRange;
  /** Of the first byte; the mapping is contiguous. */
  readonly physical: bigint;
  /** Bytes of a page: 4 KiB, 2 MiB, 4 MiB (32-bit paging) or 1 GiB. */
  readonly page: bigint;
  readonly leaf: MappingRights;
  /** What the plan asks for in the entries above the leaves; null lets them take no right away. */
  readonly upper: MappingRights | null;
  /** The same for the entries of single levels, by their names: `PML4E`. */
  readonly upperByLevel?: ReadonlyMap<string, MappingRights>;
  readonly global: boolean;
  readonly at: SourceRange;
}

export interface PlannedPaging {
  readonly mode: Exclude<PagingMode, 'none'>;
  /** Where the top table lies: what CR3 holds where the plan does not say. */
  readonly root: bigint;
  /** One for each table, the root first, the others in the order in which the mappings need them. */
  readonly tables: readonly AddressRange[];
  readonly mappings: readonly PlannedMapping[];
  readonly at: SourceRange;
}

export interface PlannedLinux {
  /** Where `boot_params` lies. */
  readonly bootParameters: Written<bigint>;
  readonly at: SourceRange;
}

/** Formats of docs/captured-state.md; memory images are loads of the form `flat`. Paths are as written. */
export interface PlannedCapture {
  readonly core: Written<string> | null;
  readonly registers: Written<string> | null;
  readonly at: SourceRange;
}

/** What the plan says of a vCPU; what it leaves out is as after RESET. */
export interface PlannedVcpu {
  readonly index: number;
  readonly general: Readonly<Partial<Record<GeneralRegister, bigint>>>;
  readonly control: Readonly<
    Partial<Record<'rip' | 'rflags' | 'cr0' | 'cr2' | 'cr3' | 'cr4' | 'cr8' | 'efer', bigint>>
  >;
  /** With their hidden parts, from the plan's GDT where only a selector is given. */
  readonly segments: Readonly<Partial<Record<SegmentName, SegmentState>>>;
  readonly gdtr?: TableRegister;
  readonly idtr?: TableRegister;
  /** DR0 to DR7 by number. */
  readonly debug: Readonly<Partial<Record<number, bigint>>>;
  /** By index. */
  readonly msrs: ReadonlyMap<number, bigint>;
  readonly activity: 'running' | 'halted' | 'wait-for-sipi';
  readonly at: SourceRange;
  /** Where each register was written, by its name: `cr0`, `cs`, `gdtr`, `r8`. */
  readonly places: ReadonlyMap<string, SourceRange>;
}

/** Limits and wishes of the run; null where the plan says nothing. */
export interface PlannedRun {
  readonly maxInstructions: Written<number> | null;
  readonly reboots: Written<number> | null;
  /** Seconds of guest time after which a guest that only waits is idle. */
  readonly idleSeconds: Written<number> | null;
  /** Ports whose text goes to the firmware log. */
  readonly taps: readonly number[];
  /** Ends the run when the guest has written this. */
  readonly until: Written<string> | null;
}

/** A number that must lie in `[least, most]`, both inclusive. */
export interface Bounds {
  readonly least: number;
  /** Infinity where there is no upper bound. */
  readonly most: number;
}

export interface ExitPattern {
  readonly kind: ExitKind;
  /** Port, address, leaf or MSR; null for any. */
  readonly address: bigint | null;
  /** What was written; null for any. */
  readonly value: bigint | null;
  /** As in the plan: `OUT 0x64 = 0xfe`. */
  readonly text: string;
}

/** A register at the end of the run. `mask` has the bits that must be as in `value`. */
export interface ExpectedRegister {
  /** `rip`, `cr0`, `cs.selector`, `gdtr.base`, `dr7`. */
  readonly name: string;
  readonly value: bigint;
  readonly mask: bigint;
}

/** A field of a timeline event and what it must be: numbers as bigint. */
export type EventField = string | bigint;

/** What a plan expects of a run. `at` is the place of this very expectation, `text` how a failure names it. */
export type Expectation = { readonly at: SourceRange; readonly text: string } & (
  | { readonly kind: 'outcome'; readonly outcomes: readonly Outcome[] }
  /** A vCPU is in this mode at some time of the run, its start and end included. */
  | { readonly kind: 'mode-reached'; readonly mode: CpuMode }
  /** The mode of a vCPU at the end. */
  | { readonly kind: 'mode-at-end'; readonly mode: CpuMode; readonly vcpu: number }
  | { readonly kind: 'console'; readonly contains: string; readonly absent: boolean }
  | { readonly kind: 'firmware-log'; readonly contains: string; readonly absent: boolean }
  | { readonly kind: 'register'; readonly vcpu: number; readonly register: ExpectedRegister }
  /** No exception is delivered to any vCPU, handled ones included. */
  | { readonly kind: 'no-fault' }
  /** The vectors of the fault chain with which the run ends, first fault first. */
  | { readonly kind: 'fault-chain'; readonly vectors: readonly number[] }
  /** These exits come in this order; others may come between. */
  | { readonly kind: 'exits-in-order'; readonly exits: readonly Written<ExitPattern>[] }
  | { readonly kind: 'exit-count'; readonly exit: ExitPattern; readonly count: Bounds }
  | { readonly kind: 'max-instructions'; readonly most: number }
  /** One of the timeline's events has this name and these fields. */
  | { readonly kind: 'event'; readonly event: string; readonly fields: ReadonlyMap<string, EventField> }
  /** The status that the guest or the VMM's process ends with. */
  | { readonly kind: 'exit-status'; readonly status: number }
);
