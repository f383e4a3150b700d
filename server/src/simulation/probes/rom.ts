/** From a probe to the firmware image that a VMM loads, and from an address in it back to the source's label. */
import type { Probe } from './probe';

/** The smallest firmware that all VMMs with a BIOS take: QEMU wants multiples of 64 KiB. */
const ROM_SIZE = 0x10000;
const ONE_MIB = 0x100000;

export type ParameterValues = Readonly<Record<string, number>>;

/**
 * The firmware image of a probe: 64 KiB or `size` bytes, the code at its end, parameters set. Values of unknown parameters are ignored;
 * those not given keep their initial value.
 */
export function probeRom(probe: Probe, values: ParameterValues = {}, size = ROM_SIZE): Uint8Array {
  const padded = new Uint8Array(size);
  const rom = padded.subarray(size - ROM_SIZE);
  rom.set(probe.image, ROM_SIZE - probe.image.length);
  const view = new DataView(rom.buffer, rom.byteOffset);
  for (const parameter of probe.parameters) {
    const address = Number(probe.labels[parameter.label]);
    const value = values[parameter.name] ?? parameter.initial;
    const offset = address - (ONE_MIB - ROM_SIZE);
    if (parameter.size === 1) view.setUint8(offset, value);
    else view.setUint32(offset, value, true);
  }
  return padded;
}

/**
 * The nearest label at or before a guest-physical address, for a ROM in either place (below 1 MiB or below 4 GiB), as
 * `name` or `name+0x12`; null outside a ROM's image and before a kernel's.
 */
export function probeLabel(probe: Probe, address: bigint): string | null {
  if (probe.load === 'elf') return nearestLabel(probe, address);
  const low = address >= 0xfff00000n && address < 0x100000000n ? address - 0xfff00000n : address;
  if (low < BigInt(ONE_MIB - probe.image.length) || low >= BigInt(ONE_MIB)) return null;
  return nearestLabel(probe, low);
}

function nearestLabel(probe: Probe, address: bigint): string | null {
  let best: { name: string; at: bigint } | null = null;
  for (const [name, text] of Object.entries(probe.labels)) {
    const at = BigInt(text);
    if (at <= address && (best === null || at >= best.at)) best = { name, at };
  }
  if (best === null) return null;
  return best.at === address ? best.name : `${best.name}+0x${(address - best.at).toString(16)}`;
}
