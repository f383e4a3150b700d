/** Which operating system an ELF kernel is, by the marks that its linker script leaves. */
import { parseElfHeader, PT_LOAD, type ElfHeader } from './elfHeader';
import { elfNotes } from './elfNotes';

/** OpenBSD's kernels have a segment for their random data (sys/arch/amd64/conf/ld.script and the i386 one). */
const PT_OPENBSD_RANDOMIZE = 0x65a3dbe6;
/** XEN_ELFNOTE_GUEST_OS. */
const GUEST_OS = 6;
/** Where Linux's x86-64 kernels are linked: __START_KERNEL_map. */
const LINUX_MAP_64 = 0xffffffff80000000n;

/** True for an OpenBSD kernel, amd64 or i386. */
export function isOpenBsdElf(bytes: Uint8Array): boolean {
  const header = parseElfHeader(bytes);
  return !('problem' in header) && header.programHeaders.some(({ type }) => type === PT_OPENBSD_RANDOMIZE);
}

/** True for a vmlinux of that class: by a note of Linux, else by how x86-64 kernels before 4.19 without one are linked. */
export function isLinuxElf(bytes: Uint8Array, bits: 32 | 64): boolean {
  const header = parseElfHeader(bytes);
  if ('problem' in header || header.bits !== bits || isOpenBsdElf(bytes)) return false;
  const notes = elfNotes(bytes);
  const named =
    !('problem' in notes) &&
    notes.some(
      ({ owner, type, descriptor }) =>
        owner === 'Linux' ||
        (owner === 'Xen' && type === GUEST_OS && String.fromCharCode(...descriptor) === 'linux\0'),
    );
  return named || (bits === 64 && linkedAsLinux(header));
}

/** The first segment is in the kernel's map, e_entry is its physical start. */
function linkedAsLinux({ entry, programHeaders }: ElfHeader): boolean {
  const first = programHeaders.find(({ type }) => type === PT_LOAD);
  return (
    first !== undefined &&
    first.virtual >= LINUX_MAP_64 &&
    first.virtual - LINUX_MAP_64 === first.physical &&
    entry === first.physical
  );
}
