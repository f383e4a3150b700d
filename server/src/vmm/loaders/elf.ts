/** Starts any ELF file at its entry point, with nothing told to it. */
import { hex } from '../../address/format';
import { isElf, parseElf, physicalEntry } from '../../machine/image/elf';
import { loadSegments } from './elfSegments';
import { flatProtected32 } from './entryState';
import type { BootProtocol } from './loader';

const FOUR_GIB = 1n << 32n;

export const ELF: BootProtocol = {
  name: 'elf',
  title: 'ELF, 32-bit protected mode at e_entry',
  elfOnly: true,
  recognises: isElf,
  load: (bytes, boot, target) => {
    const elf = parseElf(bytes);
    if ('problem' in elf) return elf;
    if (boot.modules.length > 0) {
      return { problem: 'a plain ELF file has no boot protocol that would tell it of a module' };
    }
    const entry = physicalEntry(elf);
    if (entry >= FOUR_GIB) return { problem: `e_entry ${hex(entry)} is above 4 GiB` };
    const occupied = loadSegments(elf.segments, target);
    return 'problem' in occupied ? occupied : flatProtected32(entry, {});
  },
};
