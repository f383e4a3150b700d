/** Makes small bzImages, right or wrong. */
import { SETUP } from '../../../server/src/machine/image/linuxImage';

/** A field of the setup header: where, how many bytes, what. */
export type SetupField = readonly [at: number, size: 1 | 2 | 4 | 8, value: number | bigint];

export interface LinuxFileOptions {
  /** The protected-mode code, as it stands in the file. */
  readonly kernel?: Uint8Array;
  readonly version?: number;
  readonly fields?: readonly SetupField[];
}

/** Two sectors: boot sector and setup code. */
const SETUP_SIZE = 1024;

/** A kernel of protocol 2.15 that is not relocatable, with both entries, but for the fields that are given. */
export function linuxFile({ kernel, version = 0x20f, fields = [] }: LinuxFileOptions = {}): Uint8Array {
  const code = kernel ?? new Uint8Array(0x400).fill(0x90);
  const file = new Uint8Array(SETUP_SIZE + code.length);
  file.set(code, SETUP_SIZE);
  const view = new DataView(file.buffer);
  const right: readonly SetupField[] = [
    [SETUP.setupSects, 1, SETUP_SIZE / 512 - 1],
    [SETUP.syssize, 4, Math.ceil(code.length / 16)],
    [SETUP.bootFlag, 2, 0xaa55],
    [SETUP.jump, 2, 0x6aeb],
    [SETUP.magic, 4, 0x53726448],
    [SETUP.version, 2, version],
    [SETUP.loadflags, 1, 1],
    [SETUP.code32Start, 4, 0x100000],
    [SETUP.initrdAddrMax, 4, 0x7fffffff],
    [SETUP.kernelAlignment, 4, 0x200000],
    [SETUP.minAlignment, 1, 21],
    [SETUP.xloadflags, 2, 3],
    [SETUP.cmdlineSize, 4, 2047],
    [SETUP.initSize, 4, 0x10000],
  ];
  for (const [at, size, value] of [...right, ...fields]) {
    if (size === 8) view.setBigUint64(at, BigInt(value), true);
    else if (size === 4) view.setUint32(at, Number(value), true);
    else if (size === 2) view.setUint16(at, Number(value), true);
    else view.setUint8(at, Number(value));
  }
  return file;
}
