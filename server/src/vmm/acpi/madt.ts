/** The multiple APIC description table and its entries (ACPI 6.5, 5.2.12). */
import type { AcpiMaker } from './header';
import { tableOf, type AcpiTable } from './table';

const FIRST_ENTRY = 44;
/** Every processor, in entries that name one. */
const ALL_PROCESSORS = 0xff;

export interface MadtOptions {
  readonly revision: number;
  readonly localApic: bigint;
  /** A pair of 8259s is there too. */
  readonly pcAt: boolean;
  readonly entries: readonly (readonly number[])[];
}

export function madt(maker: AcpiMaker, { revision, localApic, pcAt, entries }: MadtOptions): AcpiTable {
  const body = entries.flat();
  return tableOf('APIC', revision, maker, FIRST_ENTRY + body.length, (view, bytes) => {
    view.setUint32(36, Number(localApic), true);
    view.setUint32(40, pcAt ? 1 : 0, true);
    bytes.set(body, FIRST_ENTRY);
  });
}

/** Polarity and trigger of an interrupt (table 5.26): 0 is what its bus has. */
export const ACTIVE_HIGH_LEVEL = 0x0d;

/** Bits of a processor's flags. */
const ENABLED = 1;

/** A processor with a local APIC; `flags` (table 5.22): bit 0 enabled, bit 1 it can be brought online later. */
export function localApic(processor: number, id: number, flags = ENABLED): number[] {
  return [0, 8, processor, id, ...wide(flags)];
}

/** A processor with an x2APIC ID of 32 bits (5.2.12.12). */
export function localX2apic(processor: number, id: number, flags: number): number[] {
  return [9, 16, 0, 0, ...wide(id), ...wide(flags), ...wide(processor)];
}

export function ioApic(id: number, address: bigint, firstInterrupt: number): number[] {
  return [1, 12, id, 0, ...wide(Number(address)), ...wide(firstInterrupt)];
}

export function interruptOverride(irq: number, interrupt: number, flags: number): number[] {
  return [2, 10, 0, irq, ...wide(interrupt), flags & 0xff, flags >> 8];
}

/** NMI is wired to that LINT input of every local APIC. */
export function localNmi(lint: 0 | 1): number[] {
  return [4, 6, ALL_PROCESSORS, 0, 0, lint];
}

function wide(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}
