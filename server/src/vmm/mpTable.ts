/** The structures of Intel's MultiProcessor Specification 1.4, chapter 4, in whatever order and with the values that a VMM gives. */

const LOCAL_APIC_BASE = 0xfee00000;
const SPECIFICATION = 4;
const ENABLED = 1;
const BOOT_PROCESSOR = 2;
const TYPE = { processor: 0, bus: 1, ioapic: 2, interrupt: 3, localInterrupt: 4 } as const;
/** Interrupt types (table 4-10). */
export const MP_INTERRUPT = { vectored: 0, nmi: 1, extInt: 3 } as const;
type InterruptType = (typeof MP_INTERRUPT)[keyof typeof MP_INTERRUPT];
/** Every local APIC, as a destination. */
export const ALL_LOCAL_APICS = 0xff;
const POINTER_SIZE = 16;
const HEADER_SIZE = 44;

/** Bytes of an entry. */
export type MpEntry = readonly number[];

export interface MpProcessor {
  readonly localApicId: number;
  readonly apicVersion: number;
  /** Family, model and stepping as CPUID gives them. */
  readonly signature: number;
  /** CPUID's feature flags, leaf 1 EDX. */
  readonly features: number;
  readonly boot: boolean;
}

/** 20 bytes; the others have 8. */
export function mpProcessor({ localApicId, apicVersion, signature, features, boot }: MpProcessor): MpEntry {
  const flags = ENABLED | (boot ? BOOT_PROCESSOR : 0);
  return [
    TYPE.processor,
    localApicId,
    apicVersion,
    flags,
    ...dword(signature),
    ...dword(features),
    ...zeros(8),
  ];
}

/** `name` has 6 characters at most: `ISA`. */
export function mpBus(id: number, name: string): MpEntry {
  return [TYPE.bus, id, ...characters(name, 6)];
}

/** Usable, at a 32-bit address. */
export function mpIoapic(id: number, version: number, address: number): MpEntry {
  return [TYPE.ioapic, id, version, ENABLED, ...dword(address)];
}

export interface MpInterrupt {
  readonly type: InterruptType;
  /** Polarity and trigger mode; 0 is as the bus has them. */
  readonly flags?: number;
  readonly bus: number;
  readonly irq: number;
  /** The IOAPIC, or the local APIC for a local interrupt. */
  readonly destination: number;
  readonly input: number;
}

export function mpInterrupt(interrupt: MpInterrupt): MpEntry {
  return [TYPE.interrupt, ...interruptBytes(interrupt)];
}

export function mpLocalInterrupt(interrupt: MpInterrupt): MpEntry {
  return [TYPE.localInterrupt, ...interruptBytes(interrupt)];
}

function interruptBytes({ type, flags = 0, bus, irq, destination, input }: MpInterrupt): number[] {
  return [type, flags & 0xff, flags >> 8, bus, irq, destination, input];
}

export interface MpHeader {
  /** Where the floating pointer structure goes; the configuration table follows it. */
  readonly at: bigint;
  /** 8 characters at most. */
  readonly oem: string;
  /** 12 characters at most. */
  readonly product: string;
  /** What the header says of the number of entries. */
  readonly entryCount: number;
}

/** Floating pointer structure and configuration table as they lie at `at`. */
export function mpStructures(
  { at, oem, product, entryCount }: MpHeader,
  entries: readonly MpEntry[],
): Uint8Array {
  const body = entries.flat();
  const bytes = new Uint8Array(POINTER_SIZE + HEADER_SIZE + body.length);
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
  table.set(characters(oem, 8), 8);
  table.set(characters(product, 12), 16);
  view.setUint16(POINTER_SIZE + 34, entryCount, true);
  view.setUint32(POINTER_SIZE + 36, LOCAL_APIC_BASE, true);
  table.set(body, HEADER_SIZE);
  table[7] = checksum(table);
  return bytes;
}

function dword(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

function characters(text: string, length: number): number[] {
  return [...text.padEnd(length)].map((character) => character.charCodeAt(0));
}

/** What makes the sum of all bytes 0 modulo 256. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
