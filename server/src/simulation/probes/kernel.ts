/** From a probe that is a kernel to the executable that a VMM loads. */
import { parseElf } from '../../machine/image/elf';
import type { Probe } from './probe';
import type { ParameterValues } from './rom';

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
