/** Cylinders, heads and sectors that the BIOS gives a raw disk image, by its size alone. */

export const SECTOR = 512;

export interface DiskGeometry {
  /** As in DL: 0x00 the first floppy, 0x80 the first hard disk. */
  readonly drive: 0x00 | 0x80;
  /** Type of a floppy drive as INT 13h function 08h gives it in BL, 0 for a hard disk. */
  readonly floppyType: number;
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  /** Whole sectors; the last one may be filled up with zeroes. */
  readonly sectors: number;
}

/** Sizes of floppies in KiB, and their cylinders, heads, sectors of a track and drive type. */
const FLOPPIES: Readonly<Record<number, readonly [number, number, number, number]>> = {
  160: [40, 1, 8, 1],
  180: [40, 1, 9, 1],
  320: [40, 2, 8, 1],
  360: [40, 2, 9, 1],
  720: [80, 2, 9, 3],
  1200: [80, 2, 15, 2],
  1440: [80, 2, 18, 4],
  2880: [80, 2, 36, 6],
};

const HARD_DISK_SECTORS = 63;
/** Ten bits of a cylinder's number. */
const MOST_CYLINDERS = 1024;
const HEADS = [16, 32, 64, 128, 255] as const;

/** A floppy where the size is one's, else a hard disk of 63 sectors a track and as few heads as reach its end. */
export function diskGeometry(bytes: number): DiskGeometry {
  const sectors = Math.ceil(bytes / SECTOR);
  const floppy = FLOPPIES[bytes / 1024];
  if (floppy) {
    const [cylinders, heads, sectorsPerTrack, floppyType] = floppy;
    return { drive: 0x00, floppyType, cylinders, heads, sectorsPerTrack, sectors };
  }
  const reaching = HEADS.find((count) => sectors <= MOST_CYLINDERS * count * HARD_DISK_SECTORS);
  const heads = reaching ?? HEADS[HEADS.length - 1]!;
  const cylinders = Math.min(Math.ceil(sectors / (heads * HARD_DISK_SECTORS)), MOST_CYLINDERS);
  return { drive: 0x80, floppyType: 0, cylinders, heads, sectorsPerTrack: HARD_DISK_SECTORS, sectors };
}
