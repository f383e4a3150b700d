/** What a guest of vmd finds that starts the BIOS. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { bootStateOf, withoutEntry, type Placed } from '../placed';
import { acpiPlace, writeAcpiTables } from './acpiTables';
import { FLAT16 } from './bootState';
import { vmdBehaviour } from './exits';
import { NEWEST_VMD, vmdVersion } from './versions';

/** Null with a `boot` file: ELF64, ELF32 or another BIOS, each of which starts otherwise; and for a memory map. */
export function vmdInitialState(machine: Machine, id: string): BootState | null {
  if (machine.regions.length === 0 || machine.images.some(({ role }) => role === 'kernel')) return null;
  if (machine.memory === null && machine.producer !== undefined) return null;
  const { id: version, facts, layoutSource } = vmdVersion(id) ?? NEWEST_VMD;
  const parts: Placed[] = [];
  if (vmdBehaviour(version).apic) {
    writeAcpiTables(machine.vcpus.value, acpiPlace(facts), (at, bytes) => {
      parts.push({ at, bytes, kind: bytes.length === 2 ? 'ebda' : 'acpi', name: nameOf(bytes) });
      return true;
    });
  }
  return bootStateOf([{ name: 'BIOS', parts, state: { ...withoutEntry(FLAT16), rip: FLAT16.rip } }], {
    kind: 'vmm',
    vmm: 'vmd',
    version,
    citation: `${layoutSource}, vcpu_init_flat16`,
  });
}

/** Tables begin with their signature; the word at 0x40E leads to the RSDP. */
function nameOf(bytes: Uint8Array): string {
  if (bytes.length === 2) return 'EBDA pointer';
  const signature = String.fromCharCode(...bytes.subarray(0, 4));
  return signature === 'RSD ' ? 'RSDP' : signature;
}
