/** Loads a bzImage for its 16-bit, 32-bit or 64-bit entry (Linux, Documentation/arch/x86/boot.rst). */
import { hex } from '../../address/format';
import type { AddressRange } from '../../address/range';
import {
  HIGH_LOAD,
  isLinuxImage,
  parseLinuxImage,
  SETUP,
  type LinuxImage,
} from '../../machine/image/linuxImage';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import type { DirectBoot } from '../model';
import { terminated } from './commandLine';
import { realMode } from './entryState';
import { FreePages } from './freePages';
import { startLinux } from './linuxEntry';
import { fillHeader, placeInitrd, type HeaderValues } from './linuxParameters';
import type { BootProtocol, LoadTarget } from './loader';

/** The 64-bit entry, from the start of the protected-mode code. */
const ENTRY_64 = 0x200;
/** The real-mode code: at 64 KiB, its stack and heap up to 0xe000, the command line behind them. */
const SETUP_AT = 0x10000n;
const HEAP_END = 0xe000;
const REAL_MODE_CODE_MAX = 0x8000;
/** CAN_USE_HEAP of loadflags; the normal video mode. */
const CAN_USE_HEAP = 0x80;
const VIDEO_NORMAL = 0xffff;

export const LINUX_64: BootProtocol = {
  name: 'linux64',
  title: 'Linux bzImage, 64-bit entry',
  recognises: (bytes) => {
    const image = parseLinuxImage(bytes);
    return !('problem' in image) && image.entry64;
  },
  load: withImage((image, boot, target) => {
    if (!image.entry64) {
      return {
        problem: `xloadflags ${hex(image.loadFlags64)} lacks bit 0 (XLF_KERNEL_64): there is no 64-bit entry`,
      };
    }
    return loadHigh(image, boot, target, 64);
  }),
};

export const LINUX_32: BootProtocol = {
  name: 'linux32',
  title: 'Linux bzImage, 32-bit entry',
  recognises: (bytes) => {
    if (!isLinuxImage(bytes)) return false;
    const image = parseLinuxImage(bytes);
    return 'problem' in image || image.entryOffset !== null;
  },
  load: withImage((image, boot, target) => loadHigh(image, boot, target, 32)),
};

export const LINUX_16: BootProtocol = {
  name: 'linux16',
  title: 'Linux bzImage, real-mode setup code',
  recognises: isLinuxImage,
  load: withImage(loadReal),
};

type Load = (image: LinuxImage, boot: DirectBoot, target: LoadTarget) => VcpuState | ImageProblem;

function withImage(load: Load): BootProtocol['load'] {
  return (bytes, boot, target) => {
    const image = parseLinuxImage(bytes);
    if ('problem' in image) return image;
    const { length } = new TextEncoder().encode(boot.commandLine);
    if (length > image.commandLineMax) {
      return {
        problem: `the command line has ${length} bytes, cmdline_size allows ${image.commandLineMax}`,
      };
    }
    return load(image, boot, target);
  };
}

function loadHigh(
  image: LinuxImage,
  boot: DirectBoot,
  target: LoadTarget,
  bits: 32 | 64,
): VcpuState | ImageProblem {
  const { entryOffset } = image;
  if (entryOffset === null) return { problem: 'code32_start is 0: only the setup code can start the kernel' };
  const placed = placeKernel(image, target);
  if ('problem' in placed) return placed;
  const { load, occupied } = placed;
  const entry32 = load + BigInt(entryOffset);
  const entry = bits === 64 ? load + BigInt(ENTRY_64) : entry32;
  return startLinux(
    { image, bits, entry, entry32, initrdMax: image.initrdMax },
    boot,
    new FreePages(target, occupied),
    target,
  );
}

/** The real-mode code where boot loaders of protocol 2.02 and later put it, entered at its segment plus 0x20. */
function loadReal(image: LinuxImage, boot: DirectBoot, target: LoadTarget): VcpuState | ImageProblem {
  const { setup } = image;
  if (setup.length > REAL_MODE_CODE_MAX) {
    return {
      problem: `setup_sects makes ${hex(setup.length)} bytes of real-mode code, more than ${hex(REAL_MODE_CODE_MAX)}`,
    };
  }
  const placed = placeKernel(image, target);
  if ('problem' in placed) return placed;
  const commandLine = SETUP_AT + BigInt(HEAP_END);
  const line = terminated(boot.commandLine);
  const low = { start: SETUP_AT, end: commandLine + BigInt(line.length) };
  if (low.end > target.conventionalEnd || !target.isRam(low)) {
    return {
      problem: `setup code and command line go to ${hex(low.start)} up to ${hex(low.end)}, conventional memory ends at ${hex(target.conventionalEnd)}`,
    };
  }
  const initrd = placeInitrd(boot, new FreePages(target, [...placed.occupied, low]), image.initrdMax, target);
  if (initrd && 'problem' in initrd) return initrd;
  const code = setup.slice();
  const entry = image.entryOffset === null ? 0n : placed.load + BigInt(image.entryOffset);
  const values: HeaderValues = { commandLine, initrd, entry };
  fillHeader(code, values);
  const view = new DataView(code.buffer);
  view.setUint8(SETUP.loadflags, code[SETUP.loadflags]! | CAN_USE_HEAP);
  view.setUint16(SETUP.heapEndPtr, HEAP_END - 0x200, true);
  view.setUint16(SETUP.vidMode, VIDEO_NORMAL, true);
  target.write(SETUP_AT, code);
  target.write(commandLine, line);
  const segment = Number(SETUP_AT >> 4n);
  return realMode(segment + 0x20, segment, HEAP_END);
}

interface PlacedKernel {
  /** Physical address of the protected-mode code. */
  readonly load: bigint;
  /** The code, and what the kernel needs until it knows its memory. */
  readonly occupied: readonly AddressRange[];
}

/**
 * A relocatable kernel goes to pref_address, else as low as its alignment lets it. Any other one goes to 1 MiB, and moves
 * itself to pref_address.
 */
export function placeKernel(image: LinuxImage, target: LoadTarget): PlacedKernel | ImageProblem {
  const { kernel, preferred, initSize } = image;
  const length = BigInt(kernel.length);
  let refused: bigint | null = null;
  for (const load of loadAddresses(image)) {
    const start = !image.relocatable && preferred !== 0n ? preferred : load;
    const loaded = { start: load, end: load + length };
    const needed = { start, end: start + (initSize > length ? initSize : length) };
    if (target.isRam(loaded) && target.isRam(needed) && target.write(load, kernel)) {
      return { load, occupied: [loaded, needed] };
    }
    refused ??= start;
  }
  return {
    problem: `init_size ${hex(initSize)} from ${hex(refused ?? HIGH_LOAD)} on is not all RAM${image.relocatable ? ', nor from any lower address' : ''}`,
  };
}

function loadAddresses({ relocatable, preferred, alignment, leastAlignment }: LinuxImage): bigint[] {
  if (!relocatable) return [HIGH_LOAD];
  const addresses: bigint[] = preferred !== 0n && preferred % alignment === 0n ? [preferred] : [];
  for (let step = alignment; step >= leastAlignment && step > 0n; step >>= 1n) {
    addresses.push(((HIGH_LOAD + step - 1n) / step) * step);
  }
  return addresses;
}
