/**
 * The tables of Intel's MultiProcessor Specification 1.4, chapter 4: floating pointer structure and configuration table, in the
 * order and with the values of the VMMs that have them from crosvm (Firecracker, libkrun, Cloud Hypervisor).
 */
import { KVM_IOAPIC_BASE } from './kvm/irqchip';

const LOCAL_APIC_BASE = 0xfee00000;
const SPECIFICATION = 4;
const APIC_VERSION = 0x14;
/** Family 6, whatever CPUID says; FPU and APIC. */
const SIGNATURE = 0x600;
const FEATURES = 0x201;
const ENABLED = 1;
const BOOT_PROCESSOR = 2;
/** Every local APIC, as a destination of LINT1. */
const ALL_LOCAL_APICS = 0xff;
const ENTRY = { processor: 0, bus: 1, ioapic: 2, interrupt: 3, localInterrupt: 4 } as const;
const INTERRUPT = { vectored: 0, nmi: 1, extInt: 3 } as const;
const POINTER_SIZE = 16;
const HEADER_SIZE = 44;
const PROCESSOR_SIZE = 20;
const OTHER_SIZE = 8;

export interface MpTableOptions {
  /** Where the floating pointer structure goes; the configuration table follows it. */
  readonly at: bigint;
  /** One a vCPU, the boot processor first. */
  readonly localApicIds: readonly number[];
  readonly ioapicId: number;
  /** ISA interrupts 0 to `interrupts` - 1 reach the IOAPIC's inputs of the same number. */
  readonly interrupts: number;
  /** 8 characters at most. */
  readonly oem: string;
  /** 12 characters at most. */
  readonly product: string;
  /** What the header says of the number of entries; libkrun and Cloud Hypervisor leave it 0. */
  readonly entryCount: number;
}

/** Bytes of both structures. */
export function mpTableSize({ localApicIds, interrupts }: MpTableOptions): number {
  // Bus, IOAPIC, LINT0 and LINT1 beside the interrupts.
  return POINTER_SIZE + HEADER_SIZE + PROCESSOR_SIZE * localApicIds.length + OTHER_SIZE * (interrupts + 4);
}

export function mpTable(options: MpTableOptions): Uint8Array {
  const { at, localApicIds, ioapicId, interrupts } = options;
  const bytes = new Uint8Array(mpTableSize(options));
  const view = new DataView(bytes.buffer);
  const pointer = bytes.subarray(0, POINTER_SIZE);
  const table = bytes.subarray(POINTER_SIZE);

  pointer.set(characters('_MP_', 4), 0);
  view.setUint32(4, Number(at) + POINTER_SIZE, true);
  pointer[8] = 1;
  pointer[9] = SPECIFICATION;
  pointer[10] = checksum(pointer);

  table.set(characters('PCMP', 4), 0);
  view.setUint16(POINTER_SIZE + 4, table.length, true);
  table[6] = SPECIFICATION;
  table.set(characters(options.oem, 8), 8);
  table.set(characters(options.product, 12), 16);
  view.setUint16(POINTER_SIZE + 34, options.entryCount, true);
  view.setUint32(POINTER_SIZE + 36, LOCAL_APIC_BASE, true);

  let next = POINTER_SIZE + HEADER_SIZE;
  localApicIds.forEach((id, index) => {
    const flags = ENABLED | (index === 0 ? BOOT_PROCESSOR : 0);
    bytes.set([ENTRY.processor, id, APIC_VERSION, flags], next);
    view.setUint32(next + 4, SIGNATURE, true);
    view.setUint32(next + 8, FEATURES, true);
    next += PROCESSOR_SIZE;
  });
  const add = (...entry: readonly number[]): void => {
    bytes.set(entry, next);
    next += OTHER_SIZE;
  };
  add(ENTRY.bus, 0, ...characters('ISA   ', 6));
  view.setUint32(next + 4, Number(KVM_IOAPIC_BASE), true);
  add(ENTRY.ioapic, ioapicId, APIC_VERSION, ENABLED);
  for (let irq = 0; irq < interrupts; irq++) {
    add(ENTRY.interrupt, INTERRUPT.vectored, 0, 0, 0, irq, ioapicId, irq);
  }
  add(ENTRY.localInterrupt, INTERRUPT.extInt, 0, 0, 0, 0, 0, 0);
  add(ENTRY.localInterrupt, INTERRUPT.nmi, 0, 0, 0, 0, ALL_LOCAL_APICS, 1);
  table[7] = checksum(table);
  return bytes;
}

function characters(text: string, length: number): number[] {
  return [...text.padEnd(length)].map((character) => character.charCodeAt(0));
}

/** What makes the sum of all bytes 0 modulo 256. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
