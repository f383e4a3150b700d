/**
 * LZ4 as kernels are packed with it: the frame format 1.6 and the legacy one (lz4, doc/lz4_Frame_format.md and
 * lz4_Block_format.md). Checksums are passed over.
 */
import { hex } from '../../address/format';
import type { ImageProblem } from './problem';

const LZ4_FRAME_MAGIC = 0x184d2204;
const LZ4_LEGACY_MAGIC = 0x184c2102;
const SKIPPABLE_MAGIC = 0x184d2a50;
const LEGACY_BLOCK = 8 * 1024 * 1024;
/** By bits 6 to 4 of the BD byte; fewer than 4 are not defined. */
const BLOCK_SIZES: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };
/** Highest bit of a frame's block size: the block is stored as it is. */
const STORED = 0x80000000;
const MIN_MATCH = 4;

/** True where the bytes begin with the magic number of either format. */
export function isLz4(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return magic === LZ4_FRAME_MAGIC || magic === LZ4_LEGACY_MAGIC;
}

/** The unpacked bytes, `limit` of them at most, or what is wrong; nothing is thrown. */
export function unpackLz4(bytes: Uint8Array, limit: number): Uint8Array | ImageProblem {
  if (!isLz4(bytes)) return { problem: 'LZ4: there is no magic number of a frame' };
  const unpacker = new Unpacker(bytes, limit);
  const problem = unpacker.run();
  return problem === null ? unpacker.output() : { problem: `LZ4: ${problem}` };
}

class Unpacker {
  private readonly view: DataView;
  private at = 0;
  private out: Uint8Array;
  private size = 0;

  constructor(
    private readonly input: Uint8Array,
    private readonly limit: number,
  ) {
    this.view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    this.out = new Uint8Array(Math.min(limit, input.length * 4));
  }

  output(): Uint8Array {
    return this.out.subarray(0, this.size);
  }

  /** Frames one after the other. A sentence where one is wrong, or null. */
  run(): string | null {
    while (this.at < this.input.length) {
      const magic = this.u32();
      if (magic === null) return `the file ends within a magic number, at ${hex(this.at)}`;
      let problem: string | null;
      if (magic === LZ4_LEGACY_MAGIC) problem = this.legacyFrame();
      else if (magic === LZ4_FRAME_MAGIC) problem = this.frame();
      else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) problem = this.skip();
      else problem = `there is no magic number at ${hex(this.at - 4)}, but ${hex(magic)}`;
      if (problem !== null) return problem;
    }
    return null;
  }

  private u32(): number | null {
    if (this.at + 4 > this.input.length) return null;
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  private skip(): string | null {
    const size = this.u32();
    if (size === null || this.at + size > this.input.length) return 'a skippable frame ends behind the file';
    this.at += size;
    return null;
  }

  /** Blocks up to the end, or up to the next frame, or up to the unpacked size that Linux's build puts behind. */
  private legacyFrame(): string | null {
    const start = this.size;
    while (this.at < this.input.length) {
      const where = this.at;
      const size = this.u32();
      if (size === null) return `the file ends within a block size, at ${hex(where)}`;
      if (size === LZ4_LEGACY_MAGIC || size === LZ4_FRAME_MAGIC) {
        this.at = where;
        return null;
      }
      if (this.at === this.input.length && size === this.size - start) return null;
      const problem = this.block(where, size, LEGACY_BLOCK, this.size);
      if (problem !== null) return problem;
    }
    return null;
  }

  private frame(): string | null {
    const { input, at } = this;
    if (at + 3 > input.length) return 'the file ends within the frame descriptor';
    const flags = input[at]!;
    const sizes = input[at + 1]!;
    if (flags >> 6 !== 1) return `the version in FLG ${hex(flags)} is ${flags >> 6}, not 1`;
    const blockSize = BLOCK_SIZES[(sizes >> 4) & 7];
    if (blockSize === undefined || (sizes & 0x8f) !== 0) return `BD ${hex(sizes)} gives no block size`;
    if ((flags & 1) !== 0) return `FLG ${hex(flags)} asks for a dictionary, and there is none`;
    const independent = (flags & 0x20) !== 0;
    const contentSize = (flags & 8) !== 0;
    const start = this.size;
    this.at = at + 2 + (contentSize ? 8 : 0) + 1;
    if (this.at > input.length) return 'the file ends within the frame descriptor';
    const told = contentSize ? this.view.getBigUint64(at + 2, true) : null;
    for (;;) {
      const where = this.at;
      const word = this.u32();
      if (word === null) return `the file ends within a block size, at ${hex(where)}`;
      if (word === 0) break;
      const size = (word & ~STORED) >>> 0;
      const problem =
        word >= STORED
          ? this.store(where, size, blockSize)
          : this.block(where, size, blockSize, independent ? this.size : start);
      if (problem !== null) return problem;
      if ((flags & 0x10) !== 0) this.at += 4;
    }
    if ((flags & 4) !== 0) this.at += 4;
    if (this.at > input.length) return 'the file ends within a checksum';
    const size = BigInt(this.size - start);
    return told === null || told === size
      ? null
      : `the content size is ${hex(told)}, the blocks have ${hex(size)} bytes`;
  }

  private store(where: number, size: number, largest: number): string | null {
    if (size > largest) return `the block at ${hex(where)} has ${hex(size)} bytes, more than ${hex(largest)}`;
    if (this.at + size > this.input.length) return `the block at ${hex(where)} ends behind the file`;
    if (!this.reserve(size)) return this.tooLarge();
    this.out.set(this.input.subarray(this.at, this.at + size), this.size);
    this.size += size;
    this.at += size;
    return null;
  }

  /**
   * One compressed block: sequences of literals and a match.
   * @param oldest the first byte of the output that a match may reach
   */
  private block(where: number, size: number, largest: number, oldest: number): string | null {
    const end = this.at + size;
    const { input } = this;
    if (end > input.length) {
      return `the block at ${hex(where)} has ${hex(size)} bytes, ${hex(end - input.length)} more than the file`;
    }
    const last = this.size + largest;
    let at = this.at;
    /** A length of 15 goes on in the bytes that follow, up to one that is not 255. */
    const long = (length: number): number => {
      if (length !== 15) return length;
      let byte = 255;
      while (byte === 255 && at < end) {
        byte = input[at++]!;
        length += byte;
      }
      return byte === 255 ? Infinity : length;
    };
    while (at < end) {
      const token = input[at++]!;
      const literals = long(token >> 4);
      if (at + literals > end) return `the block at ${hex(where)} ends within the literals`;
      if (this.size + literals > last) return blockTooLong(where, largest);
      if (!this.reserve(literals)) return this.tooLarge();
      this.copyLiterals(at, literals);
      at += literals;
      if (at === end) break;
      if (at + 2 > end) return `the block at ${hex(where)} ends within a match`;
      const offset = input[at]! | (input[at + 1]! << 8);
      at += 2;
      const length = long(token & 15) + MIN_MATCH;
      if (offset === 0 || offset > this.size - oldest) {
        return `a match in the block at ${hex(where)} has the offset ${hex(offset)} after ${hex(this.size - oldest)} bytes`;
      }
      if (this.size + length > last) return blockTooLong(where, largest);
      if (!this.reserve(length)) return this.tooLarge();
      this.copyMatch(offset, length);
    }
    this.at = end;
    return null;
  }

  private copyLiterals(from: number, length: number): void {
    const { out, input, size } = this;
    if (length > 32) out.set(input.subarray(from, from + length), size);
    else for (let i = 0; i < length; i++) out[size + i] = input[from + i]!;
    this.size = size + length;
  }

  /** A match may overlap what it makes. */
  private copyMatch(offset: number, length: number): void {
    const { out, size } = this;
    if (offset >= length && length > 32) out.copyWithin(size, size - offset, size - offset + length);
    else for (let i = 0; i < length; i++) out[size + i] = out[size - offset + i]!;
    this.size = size + length;
  }

  /** Room for so many bytes more; false beyond the limit. */
  private reserve(more: number): boolean {
    const needed = this.size + more;
    if (needed > this.limit) return false;
    if (needed > this.out.length) {
      const grown = new Uint8Array(Math.min(this.limit, Math.max(needed, this.out.length * 2)));
      grown.set(this.out);
      this.out = grown;
    }
    return true;
  }

  private tooLarge(): string {
    return `the unpacked image has more than ${hex(this.limit)} bytes`;
  }
}

function blockTooLong(where: number, largest: number): string {
  return `the block at ${hex(where)} unpacks to more than ${hex(largest)} bytes`;
}
