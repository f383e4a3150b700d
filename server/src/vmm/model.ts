/** A VMM model: the userland half of one real VMM, versioned by its own source revisions. */
import type { CpuProfile, Core, SlotKind } from '../../emulator/face';
import type { Clock, Device } from '../devices/device';
import type { CpuVendor } from '../x86/cpuid/answers';
import type { CpuidFeatureName } from '../x86/cpuid/features';
import type { BootState } from '../machine/bootState';
import type { GuestDescription, Machine, Region } from '../machine/machine';
import type { KnownIssue } from '../machine/knownIssue';

export interface VmmVersion {
  /** Release where one is established (`7.8`), else the source's revision or date (`x86_vm-1.27`). */
  readonly id: string;
  readonly title: string;
  /** The files and revisions that were read. */
  readonly source: string;
  /** A change that was proposed and not made in this form: taken only where it is asked for by name. Never the last. */
  readonly proposal?: true;
}

/** What a VMM does with an event that its devices do not answer. */
export type Verdict =
  /** The access is answered (reads give `value`). */
  | { readonly kind: 'answer'; readonly value: bigint }
  /** The guest is restarted. */
  | { readonly kind: 'reset'; readonly reason: string }
  /** The guest is powered off. `exitStatus` is what it told the host at that (isa-debug-exit), 0 to 255. */
  | { readonly kind: 'shutdown'; readonly reason: string; readonly exitStatus?: number }
  /**
   * The VMM gives up on the guest. With `passable`, an observer of a firmware may pass over it: the access then goes to the
   * device, or is answered with all ones. It names the kind of access for the report: `string I/O`.
   */
  | {
      readonly kind: 'vmm-exit';
      readonly reason: string;
      readonly passable?: string;
      /** Of the VMM's process, 0 to 255, where its source says so. */
      readonly exitStatus?: number;
    }
  /** The host's kernel panics, and every guest on it is lost. `address` is the guest-physical one that it is about. */
  | { readonly kind: 'host-panic'; readonly reason: string; readonly address?: bigint };

export interface PortAccess {
  readonly port: number;
  readonly size: 1 | 2 | 4;
  readonly write: boolean;
  readonly value: number;
  readonly string: boolean;
  readonly rep: boolean;
}

export interface MmioAccess {
  readonly address: bigint;
  readonly size: 1 | 2 | 4 | 8;
  readonly write: boolean;
  readonly value: bigint;
}

/** A file that a boot loader puts into memory beside the kernel. */
export interface BootModule {
  readonly bytes: Uint8Array;
  readonly commandLine: string;
}

/** A ROM that belongs to no device, for a firmware to run. */
export interface OptionRom {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A CPU as the user asks for it. */
export interface CpuChoice {
  readonly vendor: CpuVendor;
  /** Features beside those that the model has, and without some of them. */
  readonly added: readonly CpuidFeatureName[];
  readonly removed: readonly CpuidFeatureName[];
}

/** What comes with an image that is booted without a config. */
export interface DirectBoot {
  /** Name of the boot protocol, or null for the first that recognises the image. */
  readonly protocol: string | null;
  /** The image's file name, with which some protocols begin the command line. */
  readonly imageName: string;
  /** The command line without it. */
  readonly commandLine: string;
  readonly modules: readonly BootModule[];
  readonly optionRom?: OptionRom;
}

/** What the simulation hands to a model when it builds a board. */
export interface BoardInputs {
  readonly machine: Machine;
  readonly version: string;
  readonly clock: Clock;
  /** Firmware image bytes where one is given. */
  readonly firmware: Uint8Array | null;
  /**
   * Kernel image bytes where one is given and the VMM boots it directly. Its command line is that of the machine, else the
   * VMM's own.
   */
  readonly kernel: Uint8Array | null;
  /** The initial RAM disk that goes with it, for machines of a config (without one, `boot` has the modules). */
  readonly initrd: Uint8Array | null;
  /** The CPU that the user asks for; null leaves it to the model. */
  readonly cpu: CpuChoice | null;
  /** What comes with an image that has no config; null where there is one. */
  readonly boot: DirectBoot | null;
  /** The firmware is being observed: what the VMM tells it to keep from its debug port may go there. Told in the report. */
  readonly observed: boolean;
  /** Text that the guest writes to its console (the first serial port). */
  console(text: string): void;
  /** Text that the guest writes to a debug port that the VMM has, and that the VMM keeps for its user. */
  debugLog(text: string): void;
  /** Level of the 8259's INTR output. */
  setInterruptLine(up: boolean): void;
  /** The A20 gate. */
  setA20(on: boolean): void;
  deliver(vector: number, destination: number, logical: boolean, mode: number, level: boolean): boolean;
  /** Guest memory, for devices that do DMA (fw_cfg). */
  readMemory(address: bigint, length: number): Uint8Array | null;
  writeMemory(address: bigint, bytes: Uint8Array): boolean;
  /** A device answers other ports than before. */
  portsMoved(): void;
  /** A device asks for the end of the run: a reset port, a power-off register. */
  request(verdict: Verdict): void;
}

/** The receiver of the console's serial port. */
export interface ConsoleInput {
  /** False while a further character would be lost. */
  readonly ready: boolean;
  receive(byte: number): void;
}

/** A machine with the power off: what is mapped, who answers, and how the first instruction finds the CPU. */
export interface Board {
  readonly profile: CpuProfile;
  readonly slots: readonly { readonly start: bigint; readonly end: bigint; readonly kind: SlotKind }[];
  readonly devices: readonly Device[];
  /** Where typed characters go; none where the console only writes. */
  readonly consoleInput?: ConsoleInput | undefined;
  /** Before a device sees it: string I/O that the VMM cannot do, and the like. Null lets it pass. */
  screenPort?(access: PortAccess): Verdict | null;
  /** The I/O bus is ISA: an access that is wider than its device is split into bytes at consecutive ports. */
  readonly isaBus?: boolean;
  unansweredPort(access: PortAccess): Verdict;
  unansweredMmio(access: MmioAccess): Verdict;
  /** RDMSR that neither core nor board knows; null is #GP(0). */
  readMsr?(index: number, vcpu: number): bigint | null;
  writeMsr?(index: number, value: bigint, vcpu: number): boolean;
  /** VMCALL or VMMCALL: the answer for rAX. Null, or no such method, is #UD. */
  hypercall?(number: bigint, cpl: number): bigint | null;
  /**
   * An IPI before the local APIC sends it; bits 63:56 of `icr` are the destination, 63:32 in x2APIC mode. Null lets it go on;
   * an `answer` says that the board has delivered it itself.
   */
  interprocessorInterrupt?(icr: bigint, vcpu: number, core: Core): Verdict | null;
  /** Its local APICs pass on the 8259 pair's interrupts before any guest has set them up. */
  readonly virtualWire?: true;
  /** The INTA cycle of the board's 8259 pair: the vector. */
  acknowledge(vcpu: number): number;
  /** The EOI message of a local APIC, for the board's IOAPIC. */
  endOfInterrupt?(vector: number, vcpu: number): void;
  /** What the VMM does with a triple fault. */
  tripleFault(): Verdict;
  /**
   * What the VMM does with the guest's memory when it restarts the guest (`reset`) or ends it (`destroy`); null where that
   * goes well, else how it ends instead.
   */
  tearDown?(core: Core, why: 'reset' | 'destroy'): Verdict | null;
  /** The VMM refuses that many restarts in a row that come less than `seconds` after the start before. */
  readonly restartLimit?: { readonly restarts: number; readonly seconds: number; readonly reason: string };
  /** Fills memory and registers before the first instruction. Returns a problem in words, or null. */
  powerOn(core: Core): string | null;
  /** What of the real VMM this model leaves out: shown with every report. */
  readonly notModelled: readonly string[];
}

export interface VmmModel {
  /** The folder's name: `vmd`. */
  readonly name: string;
  readonly title: string;
  /** Oldest first. */
  readonly versions: readonly VmmVersion[];
  readonly knownIssues: readonly KnownIssue[];
  /**
   * Whether what it starts of this machine is a kernel, and not a firmware at the reset vector: probes that are firmware images
   * are started as kernels then. Always a firmware where there is no such method.
   */
  startsKernels?(machine: Machine): boolean;
  /**
   * The guest's address space under a version, sorted by start: any guest, also one that another VMM's config describes.
   * Empty where the VMM refuses the guest; the board then says why when it is powered on.
   */
  layOut(guest: GuestDescription, version: string): readonly Region[];
  board(inputs: BoardInputs): Board;
  /**
   * What this version puts into low memory and registers before the first instruction, as far as it follows from the machine
   * alone: nothing that depends on the bytes of an image. Null, or no such method, where the model does not say.
   */
  bootState?(machine: Machine, version: string): BootState | null;
}
