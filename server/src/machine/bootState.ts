/** What a guest finds before its first instruction: structures in memory, descriptor tables, page tables and registers. */
import type { AddressRange } from '../address/range';
import type { SourceRange } from '../text/position';
import type { GuestState } from '../x86/entryChecks/guestState';
import type { Mapping } from './mapping';
import type { Origin } from './origin';

export type StructureKind =
  | 'gdt'
  | 'idt'
  | 'page-tables'
  | 'boot-parameters'
  | 'command-line'
  | 'kernel'
  | 'initrd'
  | 'image'
  | 'stack'
  | 'ebda'
  | 'mp-table'
  | 'acpi'
  | 'smbios'
  | 'firmware';

/** Bytes that the VMM, or the boot plan, puts into guest memory for the guest to find. */
export interface BootStructure {
  readonly kind: StructureKind;
  /** `PML4`, `zero page`. */
  readonly name: string;
  /** Guest physical. */
  readonly range: AddressRange;
  /** Why it is there, one sentence. */
  readonly reason: string;
  readonly origin: Origin;
  readonly at: SourceRange | null;
}

export interface TableEntry {
  /** Of 8 bytes; a 16-byte descriptor takes two, and its upper half is an entry of its own. */
  readonly index: number;
  readonly value: bigint;
  readonly at: SourceRange | null;
}

/** A descriptor table in memory. */
export interface DescriptorTable {
  readonly which: 'gdt' | 'idt';
  /** Guest physical. */
  readonly base: bigint;
  /** Offset of the last byte, as the register holds it. */
  readonly limit: number;
  readonly entries: readonly TableEntry[];
  readonly origin: Origin;
  readonly at: SourceRange | null;
}

/** A vCPU before its first instruction, as far as the source says. */
export interface InitialVcpu {
  readonly index: number;
  readonly state: GuestState;
  /** Lines of single registers by name (`cr0`, `cs`), where they have lines. */
  readonly registersAt: ReadonlyMap<string, SourceRange>;
  readonly origin: Origin;
  readonly at: SourceRange | null;
}

export interface BootState {
  /** How the guest is started, in a few words: `64-bit Linux boot protocol`. */
  readonly method: string;
  readonly structures: readonly BootStructure[];
  readonly tables: readonly DescriptorTable[];
  /** Of the page tables in force, by linear start. */
  readonly mappings: readonly Mapping[];
  readonly vcpus: readonly InitialVcpu[];
}
