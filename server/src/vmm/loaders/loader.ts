/** What every boot protocol is: it knows its images, and puts one into memory for the first instruction. */
import type { AddressRange } from '../../address/range';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import type { E820Entry } from '../e820';
import type { DirectBoot } from '../model';

/** Writes guest memory; false where a byte is outside RAM. Memory is zero until it is written. */
export type WriteMemory = (address: bigint, bytes: Uint8Array) => boolean;

/** The machine as a loader sees it. */
export interface LoadTarget {
  /** What the guest is told of its memory, in ascending order. */
  readonly memoryMap: readonly E820Entry[];
  /** End of RAM below 4 GiB (exclusive). */
  readonly lowEnd: bigint;
  /** Where conventional memory ends for the guest (exclusive): below it are free pages for a loader's structures. */
  readonly conventionalEnd: bigint;
  /** Physical address of the ACPI root pointer, or null where the VMM gives no tables. */
  readonly rsdp: bigint | null;
  isRam(range: AddressRange): boolean;
  write: WriteMemory;
  /** What lies in memory by now; null where a byte is outside RAM. */
  read(address: bigint, length: number): Uint8Array | null;
}

export interface BootProtocol {
  /** As `--protocol` takes it. */
  readonly name: string;
  readonly title: string;
  /** Only an ELF file can be booted so; of a bzImage it is the payload. */
  readonly elfOnly?: true;
  /** The image is a disk, which the BIOS reads: it starts at its power-on part. */
  readonly needsDisk?: true;
  /** True where the image has the marks of this protocol, whatever else it says. */
  recognises(image: Uint8Array): boolean;
  /** Loads everything; gives the state of the first vCPU, or which field keeps the image from being started. */
  load(image: Uint8Array, boot: DirectBoot, target: LoadTarget): VcpuState | ImageProblem;
}
