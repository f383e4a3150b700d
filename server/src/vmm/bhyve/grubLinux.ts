/**
 * A bzImage as grub2-bhyve starts it (grehan-freebsd/grub2-bhyve commit 91f06e5, grub-core/loader/i386/linux.c and
 * grub-core/kern/emu/bhyve_hostif.c): the 32-bit boot protocol, `boot_params` and command line below 0x90000, and a GDT at 0x200.
 */
import { hex } from '../../address/format';
import { KIB, PAGE } from '../../address/range';
import { parseLinuxImage, SETUP } from '../../machine/image/linuxImage';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import type { DirectBoot } from '../model';
import { FreePages } from '../loaders/freePages';
import { placeKernel } from '../loaders/linux';
import { addMachine, fillHeader, placeInitrd } from '../loaders/linuxParameters';
import type { LoadTarget } from '../loaders/loader';
import { grub32, writeGrubGdt } from './bootState';

/** The memory map is not larger than 8 KiB, says find_mmap_size, and `boot_params` have 1 KiB. */
const COMMAND_LINE_OFFSET = 0x3000;
/** Everything below is between 64 KiB and 576 KiB, at the top of it. */
const REAL_MODE = { start: 0x10000n, end: 0x90000n } as const;
const SECTOR = 512;
const PARAMETERS_SIZE = 4096;
/** sizeof (struct linux_kernel_header) and of linux_kernel_params: bytes between are the setup code's. */
const HEADER_END = 0x268;
const PARAMETERS_END = 0x400;
const CONSOLE = 'console=ttyS0';
const LOADER_TYPE = 0x72;
const CAN_USE_HEAP = 0x80;
const HEAP_END = 0x9000 - 0x200;
/** GRUB_LINUX_INITRD_MAX_ADDRESS, and what is kept free of it for old kernels. */
const INITRD_LIMIT = 0x37ffffffn;
const INITRD_SLACK = 0x10000n;
/** 32 MiB in KiB, in two fields that Linux does not look at where there is a memory map. */
const EXTENDED_MEMORY = 0x8000;

/** The line as grub writes it: its console first where the user names none, then the image. */
function grubCommandLine(imageName: string, commandLine: string): string {
  const words = commandLine.split(' ').filter((word) => word !== '');
  const console = words.some((word) => word.startsWith(CONSOLE)) ? [] : [CONSOLE];
  return [...console, `BOOT_IMAGE=${imageName}`, ...words].join(' ');
}

export function bootGrubLinux(
  bytes: Uint8Array,
  boot: DirectBoot,
  target: LoadTarget,
): VcpuState | ImageProblem {
  const image = parseLinuxImage(bytes);
  if ('problem' in image) return image;
  if (image.entryOffset === null)
    return { problem: 'code32_start is 0: only the setup code can start the kernel' };
  const line = new TextEncoder().encode(grubCommandLine(boot.imageName, boot.commandLine));
  if (line.length > image.commandLineMax) {
    return {
      problem: `the command line has ${line.length} bytes, cmdline_size allows ${image.commandLineMax}`,
    };
  }
  const placed = placeKernel(image, target);
  if ('problem' in placed) return placed;
  const setupSize = image.setup.length - SECTOR;
  const offset = up(Math.max(COMMAND_LINE_OFFSET, setupSize));
  const size = up(offset + Math.max(128, image.commandLineMax + 1));
  const parameters = REAL_MODE.end - BigInt(size);
  const low = { start: parameters, end: REAL_MODE.end };
  if (parameters < REAL_MODE.start || !target.isRam(low)) {
    return { problem: `setup data of ${hex(size)} bytes does not fit between 64 KiB and 576 KiB` };
  }
  const limit = image.initrdMax < INITRD_LIMIT ? image.initrdMax : INITRD_LIMIT;
  const pages = new FreePages(target, [...placed.occupied, low]);
  const initrd = placeInitrd(boot, pages, limit - INITRD_SLACK - 1n, target);
  if (initrd && 'problem' in initrd) return initrd;
  const entry = placed.load + BigInt(image.entryOffset);
  const page = new Uint8Array(PARAMETERS_SIZE);
  page.set(image.setup.subarray(SETUP.header, PARAMETERS_END), SETUP.header);
  page.fill(0, SETUP.header + image.header.length, HEADER_END);
  fillHeader(page, { commandLine: parameters + BigInt(offset), initrd, entry });
  page[SETUP.typeOfLoader] = LOADER_TYPE;
  page[SETUP.loadflags] = page[SETUP.loadflags]! | CAN_USE_HEAP;
  const view = new DataView(page.buffer);
  view.setUint16(SETUP.heapEndPtr, HEAP_END, true);
  view.setUint16(0x02, EXTENDED_MEMORY, true);
  view.setUint32(0x1e0, EXTENDED_MEMORY, true);
  // A text screen's size, for kernels that divide by it; there is no screen.
  page[0x07] = 80;
  page[0x0e] = 25;
  view.setUint16(0x10, 16, true);
  // The old way to tell the command line.
  view.setUint16(0x20, 0xa33f, true);
  view.setUint16(0x22, 0x1000, true);
  const wrong = addMachine(page, { ...target, rsdp: null });
  if (wrong) return wrong;
  const text = new Uint8Array(line.length + 1);
  text.set(line);
  if (!target.write(parameters, page) || !target.write(parameters + BigInt(offset), text)) {
    return { problem: `there is no RAM at ${hex(parameters)} for boot_params` };
  }
  writeGrubGdt(target.write);
  return grub32(entry, parameters);
}

/** To whole pages. */
function up(size: number): number {
  return Math.ceil(size / Number(PAGE)) * Number(PAGE);
}

/** What is there of RAM for grub's map: conventional memory ends at 640 KiB. */
export const CONVENTIONAL_END = 640n * KIB;
