/** The three ways into a guest of bhyve: a boot ROM, bhyveload's FreeBSD kernel, grub2-bhyve's Linux. */
import { hex } from '../../address/format';
import { contains, GIB, KIB, MIB } from '../../address/range';
import { isElf, parseElf, type ElfImage } from '../../machine/image/elf';
import { isLinuxElf } from '../../machine/image/elfSystem';
import { isLinuxImage } from '../../machine/image/linuxImage';
import type { VcpuState } from '../../x86/state';
import type { BoardInputs } from '../model';
import { loadSegments } from '../loaders/elfSegments';
import type { LoadTarget } from '../loaders/loader';
import { freebsd64, RESET, writeUserbootPages } from './bootState';
import { ramMap } from './e820';
import { bootGrubLinux, CONVENTIONAL_END } from './grubLinux';
import { BOOTROM_SEGMENT, bhyveMemory, HIGHMEM_BASE, memoryOf } from './layout';
import { EXIT } from './exits';

export type BootMethod = 'bootrom' | 'bhyveload' | 'grub';

/** Null where there is nothing to boot. */
export function bootMethod({
  kernel,
  firmware,
}: Pick<BoardInputs, 'kernel' | 'firmware'>): BootMethod | null {
  if (kernel) return isElf(kernel) ? 'bhyveload' : 'grub';
  return firmware ? 'bootrom' : null;
}

const LARGEST_ROM = BOOTROM_SEGMENT.end - BOOTROM_SEGMENT.start;

/** Where the ROM lies: its last byte is below 4 GiB. Null for a file that bootrom_loadrom refuses. */
export function romRange(firmware: Uint8Array): { start: bigint; end: bigint } | null {
  const size = BigInt(firmware.length);
  if (size === 0n || size > LARGEST_ROM || size % (4n * KIB) !== 0n) return null;
  return { start: HIGHMEM_BASE - size, end: HIGHMEM_BASE };
}

/** The first vCPU's state with memory filled, or a problem in words. */
export function loadGuest(
  inputs: BoardInputs,
  write: LoadTarget['write'],
  read: LoadTarget['read'],
): VcpuState | string {
  const { kernel, firmware, machine } = inputs;
  const method = bootMethod(inputs);
  if (method === null) {
    return `there is neither a boot ROM nor a kernel: bhyve says "virtual machine cannot be booted" and ends with status ${EXIT.error}`;
  }
  if (method === 'bootrom') return loadRom(firmware!, write);
  const memory = memoryOf(machine);
  if (method === 'bhyveload') return loadFreebsd(kernel!, memory, write);
  if (!isLinuxImage(kernel!)) {
    return 'the kernel is neither an ELF file for bhyveload nor a bzImage for grub2-bhyve';
  }
  const map = ramMap(memory);
  const booted = bootGrubLinux(
    kernel!,
    {
      protocol: null,
      imageName: imageName(inputs),
      commandLine: machine.commandLine?.value ?? inputs.boot?.commandLine ?? '',
      modules: inputs.initrd ? [{ bytes: inputs.initrd, commandLine: '' }] : (inputs.boot?.modules ?? []),
    },
    {
      memoryMap: map,
      lowEnd: bhyveMemory(memory).low.end,
      conventionalEnd: CONVENTIONAL_END,
      rsdp: null,
      isRam: ({ start, end }) =>
        map.some(({ range }) => contains(range, start) && end <= range.end && start <= end),
      write,
      read,
    },
  );
  return 'problem' in booted ? `the kernel cannot be loaded: ${booted.problem}` : booted;
}

/** The name in grub's `linux` command is the user's; the file's own stands for it. */
function imageName({ machine, boot }: BoardInputs): string {
  const path = boot?.imageName ?? machine.images.find(({ role }) => role === 'kernel')?.path ?? 'vmlinuz';
  return `/${path.slice(path.lastIndexOf('/') + 1)}`;
}

function loadRom(firmware: Uint8Array, write: LoadTarget['write']): VcpuState | string {
  const range = romRange(firmware);
  if (!range) {
    const size = `${hex(firmware.length)} bytes`;
    return `the boot ROM has ${size}: bootrom.c takes whole pages of 4 KiB, 16 MiB at most, and bhyve ends with status ${EXIT.error}`;
  }
  return write(range.start, firmware) ? RESET : `the boot ROM does not fit at ${hex(range.start)}`;
}

/** Bits of the entry point that FreeBSD's loader takes off every address (load_elf.c, loadimage). */
const KERNEL_BASE = 0xffffffffff000000n;

/** userboot's copyin fails beyond the end of low memory. */
function loadFreebsd(kernel: Uint8Array, memory: bigint, write: LoadTarget['write']): VcpuState | string {
  const elf = parseElf(kernel);
  if ('problem' in elf) return `the kernel cannot be loaded: ${elf.problem}`;
  if (isLinuxElf(kernel, 64) || isLinuxElf(kernel, 32)) {
    return 'bhyve has no loader for a vmlinux: grub2-bhyve takes a bzImage, with a setup header, and bhyveload FreeBSD kernels';
  }
  if (elf.bits !== 64) {
    return 'a 32-bit kernel: bhyveload would start it by vm_setup_freebsd_registers_i386, which is not modelled';
  }
  const moved = physicalSegments(elf);
  const { low } = bhyveMemory(memory);
  const occupied = loadSegments(moved, {
    isRam: ({ start, end }) => start >= 0n && end <= low.end,
    write,
  });
  if ('problem' in occupied) return `the kernel cannot be loaded: ${occupied.problem}`;
  const end = occupied.reduce((last, range) => (range.end > last ? range.end : last), 2n * MIB);
  const aligned = ((end + 0xfffn) / 0x1000n) * 0x1000n;
  if (aligned >= 4n * GIB) return 'the kernel ends beyond 4 GiB';
  writeUserbootPages(write, 0, Number(aligned));
  return freebsd64(elf.entry);
}

function physicalSegments({ entry, segments }: ElfImage): ElfImage['segments'] {
  const base = entry & KERNEL_BASE;
  return segments.map((segment) => ({
    ...segment,
    physical: BigInt.asUintN(64, segment.virtual - base),
  }));
}
