/** Starts an OpenBSD kernel with its boot loader's arguments, in 32-bit protected mode with paging off, as boot(8) does. */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import { isElf, parseElf } from '../../machine/image/elf';
import { isOpenBsdElf } from '../../machine/image/elfSystem';
import { loadSegments } from './elfSegments';
import { flatProtected32 } from './entryState';
import { FreePages } from './freePages';
import type { BootProtocol } from './loader';
import { NEWEST_ARGUMENTS, OPENBSD_STACK_SIZE, openbsdArguments, openbsdStack } from './openbsdArguments';

/** Loaders of OpenBSD keep the low 28 bits of the entry point and of the end (LOADADDR). */
const LOADADDR_MASK = 0xfffffffn;

export const OPENBSD: BootProtocol = {
  name: 'openbsd',
  title: 'OpenBSD kernel with boot arguments',
  elfOnly: true,
  recognises: (bytes) => isElf(bytes) && isOpenBsdElf(bytes),
  load: (bytes, boot, target) => {
    const elf = parseElf(bytes);
    if ('problem' in elf) return elf;
    if (boot.modules.length > 0) {
      return { problem: 'OpenBSD’s boot arguments have no place for a module' };
    }
    if (boot.commandLine !== '') {
      return {
        problem: `OpenBSD’s boot arguments have no place for a command line (${JSON.stringify(boot.commandLine)})`,
      };
    }
    const occupied = loadSegments(elf.segments, target);
    if ('problem' in occupied) return occupied;
    const pages = new FreePages(target, occupied);
    const list = openbsdArguments(target.memoryMap, NEWEST_ARGUMENTS);
    const argumentsAt = pages.place(list.bytes);
    const stack = pages.low(Number(PAGE));
    if (argumentsAt === null || stack === null) {
      return { problem: 'there is no RAM left for boot arguments and stack' };
    }
    const end = occupied.reduce((last, range) => (range.end > last ? range.end : last), 0n);
    const top = stack + PAGE - BigInt(OPENBSD_STACK_SIZE);
    const values = { end: end & LOADADDR_MASK, argumentsSize: list.size, argumentsAt };
    target.write(top, openbsdStack(values));
    const entry = elf.entry & LOADADDR_MASK;
    if (!occupied.some(({ start, end: last }) => entry >= start && entry < last)) {
      return { problem: `e_entry ${hex(elf.entry)} is ${hex(entry)} for OpenBSD, which is in no segment` };
    }
    return flatProtected32(entry, { rsp: top - 4n });
  },
};
