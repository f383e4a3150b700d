/**
 * The SMBIOS 2.6 tables that bhyve writes at 0xF1000 (smbiostbl.c, smbios_build: FreeBSD commit 04f55b5b0, illumos-gate commit
 * 9bdc2660b). The UUID is the config's; without one bhyve hashes the guest's and the host's name, and here it is zero.
 */
import type { Setting } from '../../machine/machine';
import type { Fact } from '../../machine/origin';
import { bhyveMemory, HIGHMEM_BASE } from './layout';
import type { BhyveFacts } from './versions';

export const SMBIOS_BASE = 0xf1000n;
/** Up to the ACPI tables; bhyve asserts that it is enough. */
export const SMBIOS_MAX_LENGTH = 0x1400;
const ENTRY_POINT = 0x1f;
const VERSION = '14.0';
const NONE = 'None';
const BLANK = ' ';
const MIB = 1n << 20n;

export interface SmbiosOptions {
  readonly facts: BhyveFacts;
  readonly memory: bigint;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  readonly settings: ReadonlyMap<string, Fact<Setting>> | undefined;
}

/** A field's size in bytes and its value. */
type Field = readonly [size: 1 | 2 | 4 | 8, value: number | bigint];
interface Structure {
  readonly type: number;
  readonly fields: readonly Field[];
  readonly strings: readonly string[];
}

const bytes = (...values: readonly number[]): Field[] => values.map((value) => [1, value]);

/** Entry point and structures as they lie at SMBIOS_BASE. */
export function smbiosTables(options: SmbiosOptions): Uint8Array {
  const structures = structuresOf(options).flatMap((structure, index) => encoded(structure, index + 1));
  const count = structuresOf(options).length;
  const table = new Uint8Array(ENTRY_POINT + structures.length);
  const view = new DataView(table.buffer);
  table.set(text('_SM_'), 0);
  table.set([ENTRY_POINT, 2, 6], 5);
  table.set(text('_DMI_'), 0x10);
  view.setUint16(0x16, structures.length, true);
  view.setUint32(0x18, Number(SMBIOS_BASE) + ENTRY_POINT, true);
  view.setUint16(0x1c, count, true);
  table[0x1e] = 0x26;
  table[0x15] = checksum(table.subarray(0x10, ENTRY_POINT));
  table[0x04] = checksum(table.subarray(0, ENTRY_POINT));
  table.set(structures, ENTRY_POINT);
  return table;
}

function structuresOf({ facts, memory, sockets, cores, threads, settings }: SmbiosOptions): Structure[] {
  const maker = facts.os === 'illumos' ? 'illumos' : 'FreeBSD';
  const date = facts.os === 'illumos' ? '10/10/2021' : '10/17/2021';
  // The strings have keys of their own in versions that have `bootrom` as one.
  const named = (key: string, otherwise: string): string => {
    const given = facts.bootromKey === 'bootrom' ? settings?.get(key)?.value : undefined;
    return given === undefined ? otherwise : String(given);
  };
  const { low, high } = bhyveMemory(memory);
  const above = high.end - high.start;
  const processors = Array.from({ length: sockets }, (_, index) => processor(index, cores, threads));
  // Three structures for firmware, machine and board, one for the chassis; the array's handle is told as one less.
  const array = 4 + processors.length;
  return [
    {
      type: 0,
      fields: [
        ...bytes(1, 2),
        [2, 0xf000],
        ...bytes(3, 0),
        // ISA, PCI, shadowing, boot from CD, EDD; ACPI; boot specification, virtual machine.
        [8, 0x89090],
        ...bytes(0x01, 0x11, 0, 0, 0xff, 0xff),
      ],
      strings: [
        named('bios.vendor', 'BHYVE'),
        named('bios.version', VERSION),
        named('bios.release_date', date),
      ],
    },
    {
      type: 1,
      fields: bytes(1, 2, 3, 4, ...uuidOf(settings), 6, 5, 6),
      strings: [
        named('system.manufacturer', maker),
        named('system.product_name', 'BHYVE'),
        named('system.version', '1.0'),
        named('system.serial_number', NONE),
        named('system.sku', NONE),
        named('system.family_name', 'Virtual Machine'),
      ],
    },
    {
      type: 2,
      fields: [...bytes(1, 2, 3, 4, 5, 1, 6), [2, 3], ...bytes(0x0a, 0)],
      strings: [
        named('board.manufacturer', maker),
        named('board.product_name', 'BHYVE'),
        named('board.version', '1.0'),
        named('board.serial_number', NONE),
        named('board.asset_tag', NONE),
        named('board.location', NONE),
      ],
    },
    {
      type: 3,
      fields: [...bytes(1, 2, 2, 3, 4, 3, 3, 3, 3), [4, 0], ...bytes(0, 0, 0, 0, 5)],
      strings: [
        named('chassis.manufacturer', maker),
        named('chassis.version', '1.0'),
        named('chassis.serial_number', NONE),
        named('chassis.asset_tag', NONE),
        named('chassis.sku', NONE),
      ],
    },
    ...processors,
    {
      type: 16,
      fields: [...bytes(3, 3, 3), [4, 0x80000000], [2, 0xffff], [2, above > 0n ? 2 : 1], [8, memory]],
      strings: [],
    },
    memoryDevice(memory, array),
    mapped(array, 0n, low.end),
    ...(above > 0n ? [mapped(array, HIGHMEM_BASE, HIGHMEM_BASE + above)] : []),
    { type: 32, fields: bytes(0, 0, 0, 0, 0, 0, 0), strings: [] },
    { type: 127, fields: [], strings: [] },
  ];
}

function processor(index: number, cores: number, threads: number): Structure {
  const small = (count: number) => (count > 254 ? 0 : count);
  return {
    type: 4,
    fields: [
      // The socket's name is a seventh string.
      ...bytes(7, 3, 1, 2),
      [8, 0],
      ...bytes(3, 0),
      [2, 0],
      [2, 0],
      [2, 0],
      ...bytes(0x41, 6),
      [2, 0xffff],
      [2, 0xffff],
      [2, 0xffff],
      ...bytes(4, 5, 6, small(cores), 0, small(cores * threads)),
      [2, 4],
      [2, 1],
    ],
    strings: [BLANK, BLANK, BLANK, NONE, NONE, NONE, `CPU #${index}`],
  };
}

/** KiB with the top bit set up to 32767, then MiB, then MiB in the extended field. */
function memoryDevice(memory: bigint, array: number): Structure {
  const kib = memory / 1024n;
  const mib = memory / MIB > 0x7fffffffn ? 0x7fffffffn : memory / MIB;
  const large = mib >= 0x7fffn;
  const size = kib <= 0x7fffn ? Number(kib) | 0x8000 : large ? 0x7fff : Number(mib);
  return {
    type: 17,
    fields: [
      [2, array],
      [2, 0xffff],
      [2, 64],
      [2, 64],
      [2, size],
      ...bytes(2, 0, 1, 2, 2),
      [2, 4],
      [2, 0],
      ...bytes(3, 4, 5, 6, 0),
      [4, large && kib > 0x7fffn ? Number(mib) : 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
    ],
    strings: [BLANK, BLANK, BLANK, NONE, NONE, NONE],
  };
}

function mapped(array: number, start: bigint, end: bigint): Structure {
  return {
    type: 19,
    fields: [
      [4, 0xffffffff],
      [4, 0xffffffff],
      [2, array],
      [1, 1],
      [8, start],
      [8, end],
    ],
    strings: [],
  };
}

function encoded({ type, fields, strings }: Structure, handle: number): number[] {
  const body = fields.flatMap(([size, value]) => little(BigInt(value), size));
  const names = strings.flatMap((string) => [...text(string), 0]);
  return [
    type,
    4 + body.length,
    ...little(BigInt(handle), 2),
    ...body,
    ...(names.length > 0 ? names : [0]),
    0,
  ];
}

/** uuid_enc_le: the first three groups little endian. */
function uuidOf(settings: SmbiosOptions['settings']): number[] {
  const hex = String(settings?.get('uuid')?.value ?? '').replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) return new Array<number>(16).fill(0);
  const raw = Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
  return [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((from) => raw[from]!);
}

function little(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function text(characters: string): number[] {
  return [...new TextEncoder().encode(characters.replaceAll('\0', ''))];
}

function checksum(span: Uint8Array): number {
  return -span.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
