/**
 * A Linux kernel for a firmware to boot: the fw_cfg items that QEMU's `-kernel` fills, with the setup header as a boot loader
 * leaves it (QEMU: hw/i386/x86.c, x86_load_linux; Linux: Documentation/arch/x86/boot.rst).
 */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import { HIGH_LOAD, parseLinuxImage, SETUP, type LinuxImage } from '../../machine/image/linuxImage';
import type { ImageProblem } from '../../machine/image/problem';
import { terminated } from '../loaders/commandLine';
import { joinedInitrd } from '../loaders/linuxParameters';
import type { DirectBoot } from '../model';

/** Items that hold numbers of 32 bits, and those that hold bytes. */
const ITEM = {
  kernelAddress: 0x07,
  kernelSize: 0x08,
  initrdAddress: 0x0a,
  initrdSize: 0x0b,
  kernelData: 0x11,
  initrdData: 0x12,
  commandLineAddress: 0x13,
  commandLineSize: 0x14,
  commandLineData: 0x15,
  setupAddress: 0x16,
  setupSize: 0x17,
  setupData: 0x18,
} as const;

const SETUP_ADDRESS = 0x10000;
const COMMAND_LINE_ADDRESS = 0x20000;
/** QEMU's type_of_loader. */
const LOADER_TYPE = 0xb0;
const CAN_USE_HEAP = 0x80;
/** `heap_end_ptr` counts from the start of the setup code, less the size of the boot sector. */
const HEAP_END = COMMAND_LINE_ADDRESS - SETUP_ADDRESS - 0x200;

/** The items, or which field of the kernel keeps it from being handed over; `lowEnd` is the end of RAM below 4 GiB. */
export function firmwareKernel(
  bytes: Uint8Array,
  boot: DirectBoot,
  lowEnd: bigint,
): ReadonlyMap<number, Uint8Array> | ImageProblem {
  const image = parseLinuxImage(bytes);
  if ('problem' in image) return { problem: `a firmware is given Linux kernels only: ${image.problem}` };
  const initrd = joinedInitrd(boot) ?? new Uint8Array(0);
  const initrdAt = initrd.length === 0 ? 0 : initrdAddress(image, initrd.length, lowEnd);
  if (typeof initrdAt !== 'number') return initrdAt;
  const line = terminated(boot.commandLine);
  const setup = setupOf(image, initrdAt, initrd.length);
  return new Map([
    [ITEM.kernelAddress, number(Number(HIGH_LOAD))],
    [ITEM.kernelSize, number(image.kernel.length)],
    [ITEM.kernelData, image.kernel],
    [ITEM.initrdAddress, number(initrdAt)],
    [ITEM.initrdSize, number(initrd.length)],
    [ITEM.initrdData, initrd],
    [ITEM.commandLineAddress, number(COMMAND_LINE_ADDRESS)],
    [ITEM.commandLineSize, number(line.length)],
    [ITEM.commandLineData, line],
    [ITEM.setupAddress, number(SETUP_ADDRESS)],
    [ITEM.setupSize, number(setup.length)],
    [ITEM.setupData, setup],
  ]);
}

/** As high as the kernel bears it. */
function initrdAddress({ initrdMax }: LinuxImage, size: number, lowEnd: bigint): number | ImageProblem {
  const end = initrdMax + 1n < lowEnd ? initrdMax + 1n : lowEnd;
  const start = ((end - BigInt(size)) / PAGE) * PAGE;
  return start > HIGH_LOAD
    ? Number(start)
    : { problem: `the initrd has ${hex(size)} bytes, which do not fit below ${hex(end)}` };
}

function setupOf({ setup }: LinuxImage, initrdAt: number, initrdSize: number): Uint8Array {
  const bytes = setup.slice();
  const view = new DataView(bytes.buffer);
  view.setUint8(SETUP.typeOfLoader, LOADER_TYPE);
  view.setUint8(SETUP.loadflags, view.getUint8(SETUP.loadflags) | CAN_USE_HEAP);
  view.setUint16(SETUP.heapEndPtr, HEAP_END, true);
  view.setUint32(SETUP.cmdLinePtr, COMMAND_LINE_ADDRESS, true);
  view.setUint32(SETUP.ramdiskImage, initrdAt, true);
  view.setUint32(SETUP.ramdiskSize, initrdSize, true);
  return bytes;
}

function number(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}
