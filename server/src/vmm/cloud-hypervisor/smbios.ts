/** The SMBIOS 3.2 table that Cloud Hypervisor writes at 0xF0000 (arch/src/x86_64/smbios.rs, setup_smbios), without options. */
import { SMBIOS } from './addresses';
import type { CloudHypervisorVersion } from './versions';

const ENTRY_POINT_SIZE = 0x18;
const BIOS_INFORMATION_SIZE = 0x14;
const SYSTEM_INFORMATION_SIZE = 0x1b;
const END_SIZE = 4;
const TYPE = { bios: 0, system: 1, end: 127 } as const;
/** SMBIOS 3.2.0, entry point of 3.0. */
const MAJOR = 3;
const MINOR = 2;
const REVISION = 1;
/** Bit 7 of the characteristics: PCI; bit 4 of the second extension byte: a virtual machine. */
const PCI_SUPPORTED = 0x80;
const IS_VIRTUAL_MACHINE = 0x10;
const WAKE_UP_UNKNOWN = 2;

export interface SmbiosTables {
  readonly bytes: Uint8Array;
  /** Bytes that the VMM takes them for, behind which the MP table goes: without the entry point's until v26.0. */
  readonly taken: number;
}

export function smbiosTables({ facts }: CloudHypervisorVersion): SmbiosTables {
  const bios = structure(TYPE.bios, BIOS_INFORMATION_SIZE, 1, {
    4: 1,
    5: 2,
    10: PCI_SUPPORTED,
    19: IS_VIRTUAL_MACHINE,
  });
  const wakeUp = facts.smbiosWakeUp ? WAKE_UP_UNKNOWN : 0;
  const system = structure(TYPE.system, SYSTEM_INFORMATION_SIZE, 2, { 4: 1, 5: 2, 24: wakeUp });
  const end = facts.smbiosEnds
    ? [...structure(TYPE.end, END_SIZE, 3, {}), 0, 0]
    : [...structure(TYPE.end, SYSTEM_INFORMATION_SIZE, 3, {}), 0];
  const table = [
    ...bios,
    ...strings('cloud-hypervisor', '0'),
    ...system,
    ...strings('Cloud Hypervisor', 'cloud-hypervisor'),
    ...end,
  ];
  const bytes = new Uint8Array(ENTRY_POINT_SIZE + table.length);
  const view = new DataView(bytes.buffer);
  bytes.set(characters('_SM3_'), 0);
  bytes.set([ENTRY_POINT_SIZE, MAJOR, MINOR, 0, REVISION], 6);
  view.setUint32(12, table.length, true);
  view.setBigUint64(16, SMBIOS + BigInt(ENTRY_POINT_SIZE), true);
  bytes[5] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  bytes.set(table, ENTRY_POINT_SIZE);
  return { bytes, taken: facts.smbiosEnds ? bytes.length : table.length };
}

/** A structure's formatted part: type, length and handle, and the bytes that are not zero by their offset. */
function structure(
  type: number,
  size: number,
  handle: number,
  fields: Readonly<Record<number, number>>,
): number[] {
  const bytes = new Array<number>(size).fill(0);
  bytes[0] = type;
  bytes[1] = size;
  bytes[2] = handle;
  for (const [at, value] of Object.entries(fields)) bytes[Number(at)] = value;
  return bytes;
}

/** The strings of a structure, each with its zero, and a zero behind the last. */
function strings(...texts: readonly string[]): number[] {
  return [...texts.flatMap((text) => [...characters(text), 0]), 0];
}

function characters(text: string): number[] {
  return [...text].map((character) => character.charCodeAt(0));
}
