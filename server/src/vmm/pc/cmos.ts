/** The CMOS memory of the plain PC, with the bytes that QEMU's machine pc sets for firmware and kernels. */
import { GIB, KIB, MIB } from '../../address/range';
import { pcMemory } from './layout';

/** CMOS as a PC's firmware leaves it: base memory, memory from 1 MiB in KiB, from 16 MiB and from 4 GiB in 64 KiB. */
export function cmos(memory: bigint, vcpus: number): Record<number, number> {
  const { lowEnd, highEnd } = pcMemory(memory);
  const kib = Number((lowEnd - MIB) / KIB);
  const extended = Math.min(kib, 65535);
  const above16 = lowEnd > 16n * MIB ? Math.min(Number((lowEnd - 16n * MIB) / (64n * KIB)), 65535) : 0;
  const high = Number((highEnd - 4n * GIB) / (64n * KIB));
  return {
    // The time base of 32.768 kHz, periodic events at 1024 Hz.
    0x0a: 0x26,
    // Equipment: a coprocessor and a mouse port, no floppy drive. Boot order: disk, floppy, CD.
    0x14: 0x06,
    0x38: 0x30,
    0x3d: 0x12,
    0x15: 640 & 0xff,
    0x16: 640 >> 8,
    0x17: extended & 0xff,
    0x18: extended >> 8,
    0x30: extended & 0xff,
    0x31: extended >> 8,
    0x34: above16 & 0xff,
    0x35: above16 >> 8,
    0x5b: high & 0xff,
    0x5c: (high >> 8) & 0xff,
    0x5d: (high >> 16) & 0xff,
    0x5f: vcpus - 1,
  };
}
