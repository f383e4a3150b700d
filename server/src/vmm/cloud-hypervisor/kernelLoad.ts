/** How Cloud Hypervisor loads its payload, kernel or firmware alike, and at which entry it starts (vmm/src/vm.rs, load_kernel). */
import { hex } from '../../address/format';
import { isElf, parseElf } from '../../machine/image/elf';
import { isLinuxImage, parseLinuxImage, type LinuxImage } from '../../machine/image/linuxImage';
import type { ImageProblem } from '../../machine/image/problem';
import { isPvh, parsePvh } from '../../machine/image/pvh';
import { loadSegments } from '../loaders/elfSegments';
import type { LoadTarget } from '../loaders/loader';
import { HIGH_RAM } from './addresses';
import type { CloudHypervisorVersion } from './versions';

/** The 64-bit entry, from the start of a bzImage's protected-mode code. */
const ENTRY_64 = 0x200n;
const CODE32_START = 0x214;
/** Firmware that is no ELF file may have that many bytes (v20.0 to v27.0). */
export const RAW_FIRMWARE_MAX = 4 << 20;

export type LoadedPayload =
  | { readonly protocol: 'pvh'; readonly entry: bigint }
  /** `image` null for an ELF kernel, which only the 64-bit protocol starts so. */
  | {
      readonly protocol: 'linux32' | 'linux64';
      readonly entry: bigint;
      readonly load: bigint;
      readonly image: { readonly linux: LinuxImage; readonly file: Uint8Array } | null;
    }
  /** At the reset vector, below 4 GiB. */
  | { readonly protocol: 'raw' };

/** A problem in words where that version refuses the image, or its memory has no room for it. */
export function loadPayload(
  file: Uint8Array,
  { id, facts }: CloudHypervisorVersion,
  target: Pick<LoadTarget, 'isRam' | 'write'>,
): LoadedPayload | ImageProblem {
  if (isElf(file)) return loadElf(file, facts.linuxBoot64, target);
  if (facts.rawFirmware) return loadRaw(file, target);
  if (!facts.linuxBoot64 && !facts.linuxBoot32) {
    return {
      problem: `Cloud Hypervisor ${id} loads ELF files alone, and this is none (InvalidElfMagicNumber)`,
    };
  }
  return isLinuxImage(file)
    ? loadImage(file, facts.linuxBoot64 ? 'linux64' : 'linux32', target)
    : {
        problem:
          'it is neither an ELF file nor a bzImage; firmware, too, must be an ELF file with a PVH entry',
      };
}

function loadElf(
  file: Uint8Array,
  linuxBoot: boolean,
  target: Pick<LoadTarget, 'isRam' | 'write'>,
): LoadedPayload | ImageProblem {
  const elf = parseElf(file);
  if ('problem' in elf) return elf;
  if (elf.bits !== 64) {
    return {
      problem: 'it is a 32-bit ELF file, whose program headers the loader refuses (InvalidProgramHeaderSize)',
    };
  }
  if (elf.entry < HIGH_RAM) {
    return { problem: `e_entry ${hex(elf.entry)} is below 1 MiB (InvalidEntryAddress)` };
  }
  const pvh = isPvh(file);
  if (!pvh && !linuxBoot) {
    return {
      problem:
        'the ELF file has no PVH entry (KernelMissingPvhHeader): it needs CONFIG_PVH=y, or PVH note 18 of Xen',
    };
  }
  const occupied = loadSegments(elf.segments, target);
  if ('problem' in occupied) return occupied;
  if (!pvh) return { protocol: 'linux64', entry: elf.entry, load: elf.entry, image: null };
  const image = parsePvh(file);
  return 'problem' in image ? image : { protocol: 'pvh', entry: image.entry };
}

/** BzImage::load of linux-loader: to `code32_start`, whatever the kernel would like better. */
function loadImage(
  file: Uint8Array,
  protocol: 'linux32' | 'linux64',
  target: Pick<LoadTarget, 'isRam' | 'write'>,
): LoadedPayload | ImageProblem {
  const linux = parseLinuxImage(file);
  if ('problem' in linux) return linux;
  const load = BigInt(new DataView(file.buffer, file.byteOffset).getUint32(CODE32_START, true));
  if (load < HIGH_RAM)
    return { problem: `code32_start ${hex(load)} is below 1 MiB (InvalidKernelStartAddress)` };
  const range = { start: load, end: load + BigInt(linux.kernel.length) };
  if (!target.isRam(range) || !target.write(load, linux.kernel)) {
    return { problem: `its code goes to ${hex(range.start)} up to ${hex(range.end)}, which is not all RAM` };
  }
  return { protocol, entry: protocol === 'linux64' ? load + ENTRY_64 : load, load, image: { linux, file } };
}

/** load_legacy_firmware: whatever is no ELF file, a bzImage too. */
function loadRaw(file: Uint8Array, target: Pick<LoadTarget, 'write'>): LoadedPayload | ImageProblem {
  if (file.length > RAW_FIRMWARE_MAX) {
    return {
      problem: `it is no ELF file, so it is taken for firmware, and ${hex(file.length)} bytes are more than 4 MiB (FirmwareTooLarge)`,
    };
  }
  return target.write((1n << 32n) - BigInt(file.length), file)
    ? { protocol: 'raw' }
    : { problem: 'there is no memory below 4 GiB to put it into' };
}
