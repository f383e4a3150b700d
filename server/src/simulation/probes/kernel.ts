/** From a probe to the executable that a VMM loads as its kernel. */
import { parseElf } from '../../machine/image/elf';
import type { Probe } from './probe';
import romAsKernel from './kernels/rom-as-kernel.bin';
import romAsKernelLabels from './kernels/rom-as-kernel.labels.json';
import { probeRom, type ParameterValues } from './rom';

/** Byte 0 of the file is at this address (kernels/elf.mac). */
const KERNEL_BASE = 0x200000;

/**
 * A probe that is a firmware image, for VMMs that start kernels alone: an executable that hands the memory map over, puts the
 * image at the top of the first MiB and jumps to its reset vector in real mode.
 */
export function romAsProbeKernel(probe: Probe, values: ParameterValues = {}): Uint8Array {
  const file = romAsKernel.slice();
  const at = Number(romAsKernelLabels.rom_image) - KERNEL_BASE;
  const rom = probeRom(probe, values);
  file.set(rom.subarray(rom.length - (file.length - at)), at);
  return file;
}

/**
 * The ELF file of a probe with its parameters set. Values of unknown parameters are ignored; those not given keep their
 * initial value.
 */
export function probeKernel(probe: Probe, values: ParameterValues = {}): Uint8Array {
  const file = probe.image.slice();
  const elf = parseElf(file);
  if ('problem' in elf) throw new Error(`The probe ${probe.name} is no executable: ${elf.problem}.`);
  for (const { name, label, size, initial } of probe.parameters) {
    const address = BigInt(probe.labels[label]!);
    const segment = elf.segments.find(
      ({ physical, bytes }) => address >= physical && address < physical + BigInt(bytes.length),
    )!;
    // The segment's bytes are a view of the file.
    const { buffer, byteOffset, byteLength } = segment.bytes;
    const view = new DataView(buffer, byteOffset, byteLength);
    const offset = Number(address - segment.physical);
    const value = values[name] ?? initial;
    if (size === 1) view.setUint8(offset, value);
    else view.setUint32(offset, value, true);
  }
  return file;
}
