/**
 * The MP tables that bhyve writes below 1 MiB (mptbl.c, mptable_build; MultiProcessor Specification 1.4, chapter 4). Without PCI
 * functions that interrupt there are 16 interrupt entries.
 */
const POINTER_SIZE = 16;
const HEADER_SIZE = 44;
const PROCESSOR_SIZE = 20;
const ENTRY_SIZE = 8;
const ISA_INPUTS = 16;
const SCI = 9;

const SPECIFICATION = 4;
const LAPIC_VERSION = 16;
const IOAPIC_VERSION = 0x11;
const LOCAL_APIC = 0xfee00000;
const IOAPIC = 0xfec00000;
/** MPEP_SIG: family 6, model 26, stepping 5, shifted as mptbl.c does, whatever CPUID says. */
const SIGNATURE = (6 << 8) | (26 << 4) | 5;
const FEATURES = 0xbfebfbff;
const ENABLED = 1;
const BOOT_PROCESSOR = 2;
const ALL_LOCAL_APICS = 0xff;
const ACTIVE_LOW_LEVEL = 0x0f;
const TYPE = { processor: 0, bus: 1, ioapic: 2, interrupt: 3, localInterrupt: 4 } as const;
const INT = { vectored: 0, nmi: 1, extInt: 3 } as const;
const PCI_BUS = 0;
const ISA_BUS = 1;

/** Floating pointer structure and configuration table as they lie at `at`. */
export function bhyveMpTable(at: bigint, vcpus: number): Uint8Array {
  const entries = 2 + 1 + ISA_INPUTS + 2;
  const length = HEADER_SIZE + PROCESSOR_SIZE * vcpus + ENTRY_SIZE * entries;
  const bytes = new Uint8Array(POINTER_SIZE + length);
  const view = new DataView(bytes.buffer);
  const pointer = bytes.subarray(0, POINTER_SIZE);
  const table = bytes.subarray(POINTER_SIZE);

  pointer.set(text('_MP_'));
  view.setUint32(4, Number(at) + POINTER_SIZE, true);
  pointer[8] = 1;
  pointer[9] = SPECIFICATION;
  pointer[10] = checksum(pointer);

  table.set(text('PCMP'));
  view.setUint16(POINTER_SIZE + 4, length, true);
  table[6] = SPECIFICATION;
  table.set(text('BHyVe   '), 8);
  table.set(text('Hypervisor  '), 16);
  view.setUint16(POINTER_SIZE + 34, vcpus + entries, true);
  view.setUint32(POINTER_SIZE + 36, LOCAL_APIC, true);

  let next = POINTER_SIZE + HEADER_SIZE;
  for (let id = 0; id < vcpus; id++) {
    bytes.set([TYPE.processor, id, LAPIC_VERSION, ENABLED | (id === 0 ? BOOT_PROCESSOR : 0)], next);
    view.setUint32(next + 4, SIGNATURE, true);
    view.setUint32(next + 8, FEATURES, true);
    next += PROCESSOR_SIZE;
  }
  const add = (...entry: readonly number[]) => {
    bytes.set(entry, next);
    next += ENTRY_SIZE;
  };
  add(TYPE.bus, PCI_BUS, ...text('PCI   '));
  add(TYPE.bus, ISA_BUS, ...text('ISA   '));
  view.setUint32(next + 4, IOAPIC, true);
  add(TYPE.ioapic, 0, IOAPIC_VERSION, ENABLED);
  for (let input = 0; input < ISA_INPUTS; input++) add(...interrupt(input));
  add(TYPE.localInterrupt, INT.extInt, 0, 0, 0, 0, ALL_LOCAL_APICS, 0);
  add(TYPE.localInterrupt, INT.nmi, 0, 0, 0, 0, ALL_LOCAL_APICS, 1);
  table[7] = checksum(table);
  return bytes;
}

/** Input 0 is ExtINT and names no IRQ, IRQ 0 reaches input 2, the SCI is level triggered and active low. */
function interrupt(input: number): number[] {
  if (input === 0) return [TYPE.interrupt, INT.extInt, 0, 0, ISA_BUS, 0, 0, 0];
  if (input === 2) return [TYPE.interrupt, INT.vectored, 0, 0, ISA_BUS, 0, 0, 2];
  const flags = input === SCI ? ACTIVE_LOW_LEVEL : 0;
  return [TYPE.interrupt, INT.vectored, flags, 0, ISA_BUS, input, 0, input];
}

function text(characters: string): number[] {
  return [...characters].map((character) => character.charCodeAt(0));
}

function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
