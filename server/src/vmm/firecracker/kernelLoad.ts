/** Puts a kernel where Firecracker's load_kernel and rust-vmm's linux-loader put it, and says how it is entered. */
import { hex } from '../../address/format';
import { isElf, parseElf } from '../../machine/image/elf';
import { isLinuxImage, parseLinuxImage, SETUP } from '../../machine/image/linuxImage';
import { isPvh, parsePvh } from '../../machine/image/pvh';
import type { ImageProblem } from '../../machine/image/problem';
import type { WriteMemory } from '../loaders/loader';
import { HIGH_MEMORY } from './layout';
import type { FirecrackerFacts } from './versions';

export interface LoadedKernel {
  readonly protocol: 'linux' | 'pvh';
  readonly entry: bigint;
  /** Of a bzImage, for the zero page. */
  readonly header: Uint8Array | null;
}

/** From the start of the protected-mode code (boot.rst, 64-bit boot protocol). */
const ENTRY_64 = 0x200n;
/** The first version with xloadflags. */
const VERSION_64 = 0x20c;
/** `struct setup_header` of the loader, in bytes. */
const HEADER_SIZE = 0x26c - 0x1f1;

/** A problem in words where Firecracker of that version refuses the image, or its memory has no room for it. */
export function loadKernel(
  bytes: Uint8Array,
  facts: FirecrackerFacts,
  write: WriteMemory,
): LoadedKernel | ImageProblem {
  if (isElf(bytes)) return loadElf(bytes, facts, write);
  if (isLinuxImage(bytes) && !facts.bzImage) {
    return {
      problem:
        'it is a bzImage, and this Firecracker takes an uncompressed ELF kernel only (vmlinux): "Invalid Elf magic number"',
    };
  }
  return facts.bzImage
    ? loadBzImage(bytes, write)
    : { problem: 'it is no ELF file: "Invalid Elf magic number"' };
}

function loadElf(
  bytes: Uint8Array,
  facts: FirecrackerFacts,
  write: WriteMemory,
): LoadedKernel | ImageProblem {
  const elf = parseElf(bytes);
  if ('problem' in elf) return elf;
  if (elf.bits !== 64) {
    return {
      problem: 'e_phentsize is that of ELF32: "Invalid ELF program header size", the loader takes ELF64 only',
    };
  }
  if (elf.entry < HIGH_MEMORY) {
    return { problem: `e_entry ${hex(elf.entry)} is below 1 MiB: "Invalid entry address"` };
  }
  for (const { index, physical, bytes: contents } of elf.segments) {
    if (contents.length > 0 && !write(physical, contents)) {
      return {
        problem: `program header ${index} goes to ${hex(physical)} up to ${hex(physical + BigInt(contents.length))}, which is not all RAM: "Unable to read kernel image"`,
      };
    }
  }
  if (facts.pvh && isPvh(bytes)) {
    const image = parsePvh(bytes);
    return 'problem' in image ? image : { protocol: 'pvh', entry: image.entry, header: null };
  }
  return { protocol: 'linux', entry: elf.entry, header: null };
}

function loadBzImage(bytes: Uint8Array, write: WriteMemory): LoadedKernel | ImageProblem {
  const image = parseLinuxImage(bytes);
  if ('problem' in image) return image;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const load = BigInt(view.getUint32(SETUP.code32Start, true));
  if (load < HIGH_MEMORY) {
    return { problem: `code32_start ${hex(load)} is below 1 MiB: "Invalid kernel start address"` };
  }
  if (image.version < VERSION_64 || !image.entry64) {
    return {
      problem: 'xloadflags lacks bit 0 (XLF_KERNEL_64): "bzImage does not provide a 64-bit entry point"',
    };
  }
  if (!write(load, image.kernel)) {
    return { problem: `its ${hex(image.kernel.length)} bytes from ${hex(load)} on are not all RAM` };
  }
  return {
    protocol: 'linux',
    entry: load + ENTRY_64,
    header: bytes.slice(SETUP.header, SETUP.header + HEADER_SIZE),
  };
}
