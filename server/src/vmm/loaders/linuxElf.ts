/** Starts a vmlinux, Linux without its boot wrapper, by the 64-bit or 32-bit boot protocol, as Firecracker does. */
import { hex } from '../../address/format';
import { parseElf, physicalEntry } from '../../machine/image/elf';
import { isLinuxElf } from '../../machine/image/elfSystem';
import type { ImageProblem } from '../../machine/image/problem';
import type { BootProtocol } from './loader';
import { loadSegments } from './elfSegments';
import { FreePages } from './freePages';
import { startLinux } from './linuxEntry';

const FOUR_GIB = 1n << 32n;
/** What 32-bit kernels map from the start, so an initrd above it would have to be moved (boot.rst, before 2.03). */
const INITRD_MAX = { 32: 0x37ffffffn, 64: FOUR_GIB - 1n } as const;

export const LINUX_ELF_64 = linuxElf(64, 'linux-elf64', 'Linux vmlinux, 64-bit boot protocol');
export const LINUX_ELF_32 = linuxElf(32, 'linux-elf32', 'Linux vmlinux, 32-bit boot protocol');

function linuxElf(bits: 32 | 64, name: string, title: string): BootProtocol {
  return {
    name,
    title,
    elfOnly: true,
    recognises: (bytes) => isLinuxElf(bytes, bits),
    load: (bytes, boot, target) => {
      const elf = parseElf(bytes);
      if ('problem' in elf) return elf;
      if (elf.bits !== bits) return wrong(`EI_CLASS says ELF${elf.bits}, ${name} wants ELF${bits}`);
      const entry = physicalEntry(elf);
      if (entry >= FOUR_GIB) return wrong(`e_entry ${hex(entry)} is above 4 GiB`);
      const occupied = loadSegments(elf.segments, target);
      if ('problem' in occupied) return occupied;
      const loaded = { image: null, bits, entry, entry32: entry, initrdMax: INITRD_MAX[bits] };
      return startLinux(loaded, boot, new FreePages(target, occupied), target);
    },
  };
}

function wrong(problem: string): ImageProblem {
  return { problem };
}
