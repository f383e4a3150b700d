/** Linux kernel images: the setup header of a bzImage (Linux, Documentation/arch/x86/boot.rst, "Details of Header Fields"). */
import { hex } from '../../address/format';
import type { ImageProblem } from './problem';

export interface LinuxImage {
  /** Protocol version: major in the high byte, `0x20f` is 2.15. */
  readonly version: number;
  /** Boot sector and setup code: what runs in real mode. */
  readonly setup: Uint8Array;
  /** The setup header, which begins at 0x1f1 of the file and of `boot_params`. */
  readonly header: Uint8Array;
  /** The protected-mode code. */
  readonly kernel: Uint8Array;
  /** The 32-bit entry, in bytes from the start of `kernel`; null where only the setup code knows it (iPXE's images). */
  readonly entryOffset: number | null;
  /** XLF_KERNEL_64: there is a 64-bit entry at 0x200 of `kernel`. */
  readonly entry64: boolean;
  /** xloadflags as written, 0 before 2.12. */
  readonly loadFlags64: number;
  readonly relocatable: boolean;
  /** Alignment that a relocatable kernel wants, in bytes, and the least that it bears. */
  readonly alignment: bigint;
  readonly leastAlignment: bigint;
  /** Preferred load address; 0 where there is none. */
  readonly preferred: bigint;
  /** Bytes needed from the start of the running kernel on, at least those of `kernel`. */
  readonly initSize: bigint;
  /** The last byte that an initrd may occupy. */
  readonly initrdMax: bigint;
  /** Bytes of a command line without its zero. */
  readonly commandLineMax: number;
  /** The packed kernel within `kernel`, or null where the header does not tell. */
  readonly payload: Uint8Array | null;
}

/** Offsets of the header's fields in the file. */
export const SETUP = {
  header: 0x1f1,
  setupSects: 0x1f1,
  syssize: 0x1f4,
  vidMode: 0x1fa,
  bootFlag: 0x1fe,
  jump: 0x200,
  magic: 0x202,
  version: 0x206,
  typeOfLoader: 0x210,
  loadflags: 0x211,
  code32Start: 0x214,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  heapEndPtr: 0x224,
  cmdLinePtr: 0x228,
  initrdAddrMax: 0x22c,
  kernelAlignment: 0x230,
  relocatableKernel: 0x234,
  minAlignment: 0x235,
  xloadflags: 0x236,
  cmdlineSize: 0x238,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
  setupData: 0x250,
  prefAddress: 0x258,
  initSize: 0x260,
} as const;

/** "HdrS". */
export const HEADER_MAGIC = 0x53726448;
export const BOOT_FLAG = 0xaa55;
/** Where the protected-mode code of a bzImage goes by default; `code32_start` is reckoned from it. */
export const HIGH_LOAD = 0x100000n;
/** LOADED_HIGH of loadflags, XLF_KERNEL_64 of xloadflags. */
const LOADED_HIGH = 0x01;
const KERNEL_64 = 0x01;
const SECTOR = 512;
/** The first version with `cmd_line_ptr`. */
const OLDEST = 0x202;
const DEFAULT_SETUP_SECTS = 4;
/** Before 2.03 and before 2.06. */
const OLD_INITRD_MAX = 0x37ffffffn;
const OLD_COMMAND_LINE_MAX = 255;

/** True where there is a setup header's magic number, whatever else the file says. */
export function isLinuxImage(bytes: Uint8Array): boolean {
  return bytes.length >= SETUP.version && viewOf(bytes).getUint32(SETUP.magic, true) === HEADER_MAGIC;
}

/** Reads an image. Every field that lies gives a problem that names it; nothing is thrown. */
export function parseLinuxImage(bytes: Uint8Array): LinuxImage | ImageProblem {
  if (!isLinuxImage(bytes)) return problem('there is no "HdrS" at 0x202: this is no Linux kernel image');
  const view = viewOf(bytes);
  if (view.getUint16(SETUP.bootFlag, true) !== BOOT_FLAG) {
    return problem(`boot_flag is ${hex(view.getUint16(SETUP.bootFlag, true))}, not 0xaa55`);
  }
  const sectors = (bytes[SETUP.setupSects]! || DEFAULT_SETUP_SECTS) + 1;
  const setupSize = sectors * SECTOR;
  if (setupSize >= bytes.length) {
    return problem(
      `setup_sects ${bytes[SETUP.setupSects]} puts the protected-mode code at ${hex(setupSize)}, the file has ${hex(bytes.length)} bytes`,
    );
  }
  const version = view.getUint16(SETUP.version, true);
  if (version < OLDEST) {
    return problem(`version ${versionText(version)} of the boot protocol is older than 2.02`);
  }
  const headerEnd = SETUP.magic + bytes[SETUP.jump + 1]!;
  if (bytes[SETUP.jump] !== 0xeb || headerEnd > SETUP.magic + 0x7f || headerEnd <= SETUP.cmdLinePtr) {
    return problem(
      `jump is ${hex(view.getUint16(SETUP.jump, true))}, no short jump over the rest of the header`,
    );
  }
  if ((bytes[SETUP.loadflags]! & LOADED_HIGH) === 0) {
    return problem(
      'loadflags bit 0 (LOADED_HIGH) is clear: this is a zImage, whose code belongs at 0x10000; only a bzImage is loaded',
    );
  }
  const fields = new Fields(view, version);
  const kernel = bytes.subarray(setupSize);
  const wrong = fields.problem(kernel.length);
  if (wrong !== null) return problem(wrong);
  const { payloadOffset, payloadLength } = fields;
  return {
    version,
    setup: bytes.subarray(0, setupSize),
    header: bytes.subarray(SETUP.header, headerEnd),
    kernel,
    entryOffset: fields.entry === 0n ? null : Number(fields.entry - HIGH_LOAD),
    entry64: (fields.xloadflags & KERNEL_64) !== 0,
    loadFlags64: fields.xloadflags,
    relocatable: fields.relocatable,
    alignment: BigInt(fields.alignment),
    leastAlignment: fields.minAlignment === 0 ? BigInt(fields.alignment) : 1n << BigInt(fields.minAlignment),
    preferred: fields.preferred,
    initSize: BigInt(fields.initSize ?? kernel.length),
    initrdMax: fields.initrdMax,
    commandLineMax: fields.commandLineMax,
    payload: payloadOffset === 0 ? null : kernel.subarray(payloadOffset, payloadOffset + payloadLength),
  };
}

/** The fields that a version has; what came later has its old meaning. */
class Fields {
  readonly syssize: number | null;
  readonly entry: bigint;
  readonly initrdMax: bigint;
  readonly relocatable: boolean;
  readonly alignment: number;
  readonly minAlignment: number;
  readonly xloadflags: number;
  readonly commandLineMax: number;
  readonly payloadOffset: number;
  readonly payloadLength: number;
  readonly preferred: bigint;
  readonly initSize: number | null;

  constructor(view: DataView, version: number) {
    const since = <T, E>(first: number, read: () => T, earlier: E) => (version >= first ? read() : earlier);
    const u32 = (at: number) => () => view.getUint32(at, true);
    const u8 = (at: number) => () => view.getUint8(at);
    this.entry = BigInt(view.getUint32(SETUP.code32Start, true));
    // Its upper half is not to be trusted before.
    this.syssize = since(0x204, u32(SETUP.syssize), null);
    this.initrdMax = since(0x203, () => BigInt(view.getUint32(SETUP.initrdAddrMax, true)), OLD_INITRD_MAX);
    this.alignment = since(0x205, u32(SETUP.kernelAlignment), 0);
    this.relocatable = since(0x205, u8(SETUP.relocatableKernel), 0) !== 0;
    this.commandLineMax = since(0x206, u32(SETUP.cmdlineSize), OLD_COMMAND_LINE_MAX);
    this.payloadOffset = since(0x208, u32(SETUP.payloadOffset), 0);
    this.payloadLength = since(0x208, u32(SETUP.payloadLength), 0);
    this.minAlignment = since(0x20a, u8(SETUP.minAlignment), 0);
    this.preferred = since(0x20a, () => view.getBigUint64(SETUP.prefAddress, true), 0n);
    this.initSize = since(0x20a, u32(SETUP.initSize), null);
    this.xloadflags = since(0x20c, () => view.getUint16(SETUP.xloadflags, true), 0);
  }

  /** The first field that lies, in a sentence, or null. `size` is that of the protected-mode code in bytes. */
  problem(size: number): string | null {
    const { syssize, entry, relocatable, alignment, minAlignment, initSize } = this;
    const { payloadOffset, payloadLength } = this;
    // The unit is 16 bytes: what is missing of the last one was never there.
    if (syssize !== null && syssize * 16 >= size + 16) {
      return `syssize is ${hex(syssize)} (${hex(syssize * 16)} bytes), the file has ${hex(size)} behind the setup code`;
    }
    if (entry !== 0n && (entry < HIGH_LOAD || entry >= HIGH_LOAD + BigInt(size))) {
      return `code32_start ${hex(entry)} is outside the code, which is loaded from ${hex(HIGH_LOAD)} to ${hex(HIGH_LOAD + BigInt(size))}`;
    }
    if (relocatable && (alignment === 0 || (alignment & (alignment - 1)) !== 0)) {
      return `kernel_alignment ${hex(alignment)} is no power of two`;
    }
    if (relocatable && 2 ** minAlignment > alignment) {
      return `min_alignment ${minAlignment} (${hex(2n ** BigInt(minAlignment))} bytes) is more than kernel_alignment ${hex(alignment)}`;
    }
    if (initSize !== null && initSize < Math.min(size, (syssize ?? 0) * 16)) {
      return `init_size ${hex(initSize)} is less than the code itself, ${hex(size)} bytes`;
    }
    if (payloadOffset !== 0 && payloadOffset + payloadLength > size) {
      return `payload_offset ${hex(payloadOffset)} with payload_length ${hex(payloadLength)} ends behind the code's ${hex(size)} bytes`;
    }
    return null;
  }
}

/** `2.15` of 0x20f. */
function versionText(version: number): string {
  return `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
