/**
 * The plain PC's own BIOS in memory. Its source stands beside this file (NASM); `test/scripts/assemble-probes.mjs` makes the
 * rest. Images that no BIOS starts find its services too: Xen and the setup code of Linux ask them.
 */
import { GIB, KIB, MIB } from '../../../address/range';
import { e820Bytes } from '../../e820';
import type { WriteMemory } from '../../loaders/loader';
import { BIOS_SEGMENT, EBDA, pcMemory, pcMemoryMap } from '../layout';
import image from './bios.bin';
import labels from './bios.labels.json';
import type { DiskGeometry } from './diskGeometry';

type Label = keyof typeof labels;

const VECTORS = 256;
const DATA_AREA = 0x400n;
const DATA_AREA_SIZE = 256;
/** Offsets in the data area: equipment word, number of hard disks. */
const EQUIPMENT = 0x10;
const HARD_DISKS = 0x75;
/** INT 15h 88h tells of no more than 64 MiB in all. */
const MOST_EXTENDED = 63 * 1024;

/** The disk that the BIOS boots, as the item `selector` of fw_cfg. */
export interface BiosDisk {
  readonly selector: number;
  readonly geometry: DiskGeometry;
}

/** Puts the BIOS into shadow RAM; what of it is set up by the power-on part is so too, but for the chips. */
export function writeBios(memory: bigint, disk: BiosDisk | null, write: WriteMemory): void {
  const bios = configuredBios(memory, disk);
  const { view, at } = bios;
  write(MIB - BigInt(bios.bytes.length), bios.bytes);
  const table = new DataView(new ArrayBuffer(4 * VECTORS));
  for (let vector = 0; vector < VECTORS; vector++) {
    table.setUint16(4 * vector, view.getUint16(at('vectors') + 2 * vector, true), true);
    table.setUint16(4 * vector + 2, Number(BIOS_SEGMENT.start >> 4n), true);
  }
  write(0n, new Uint8Array(table.buffer));
  const data = at('data_area');
  write(DATA_AREA, bios.bytes.subarray(data, data + DATA_AREA_SIZE));
  // The first byte of the extended area is its length in KiB.
  write(EBDA.start, Uint8Array.of(Number((EBDA.end - EBDA.start) / KIB)));
}

/** The image with its cells set. */
function configuredBios(memory: bigint, disk: BiosDisk | null) {
  const bytes = Uint8Array.from(image);
  const view = new DataView(bytes.buffer);
  /** Offset of a label, which is one in the 64 KiB segment that the image ends. */
  const at = (label: Label) => Number(labels[label]) - (0x10000 - bytes.length);
  const word = (label: Label, value: number) => view.setUint16(at(label), value, true);
  const { lowEnd } = pcMemory(memory);
  const above16 = lowEnd > 16n * MIB ? lowEnd - 16n * MIB : 0n;
  const belowEnd = lowEnd < 16n * MIB ? lowEnd : 16n * MIB;
  word('memory_from_1m', Math.min(Number((lowEnd - MIB) / KIB), MOST_EXTENDED));
  word('memory_below_16m', Number((belowEnd - MIB) / KIB));
  word('memory_above_16m', Number((above16 < 4n * GIB ? above16 : 4n * GIB - 1n) / (64n * KIB)));
  // Without a disk the power-on part has nothing to start: it stands done.
  view.setUint8(at('power_on_done'), disk ? 0 : 1);
  const map = pcMemoryMap(memory);
  word('memory_map_count', map.length);
  bytes.set(e820Bytes(map), at('memory_map'));
  if (disk) {
    const { geometry } = disk;
    word('disk_selector', disk.selector);
    view.setUint8(at('disk_drive'), geometry.drive);
    view.setUint8(at('disk_type'), geometry.floppyType);
    word('disk_cylinders', geometry.cylinders);
    word('disk_heads', geometry.heads);
    word('disk_sectors', geometry.sectorsPerTrack);
    view.setUint32(at('disk_total'), geometry.sectors, true);
    const data = at('data_area');
    if (geometry.drive === 0x80) view.setUint8(data + HARD_DISKS, 1);
    else view.setUint8(data + EQUIPMENT, view.getUint8(data + EQUIPMENT) | 1);
  }
  return { bytes, view, at };
}
