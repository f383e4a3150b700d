/** What a guest of vmd finds that starts the BIOS. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { bootStateOf, withoutEntry, type Placed } from '../placed';
import { acpiPlace, writeAcpiTables } from './acpiTables';
import { FLAT16 } from './bootState';
import { vmdBehaviour } from './exits';
import { NEWEST_VMD, vmdVersion, type VmdVersion } from './versions';

/** By version and number of vCPUs, which is all that it depends on: a vm.conf may have thousands of guests. */
const known = new Map<string, BootState>();

/** Null with a `boot` file: ELF64, ELF32 or another BIOS, each of which starts otherwise; and for a memory map. */
export function vmdInitialState(machine: Machine, id: string): BootState | null {
  if (machine.regions.length === 0 || machine.images.some(({ role }) => role === 'kernel')) return null;
  if (machine.memory === null && machine.producer !== undefined) return null;
  const version = vmdVersion(id) ?? NEWEST_VMD;
  const key = `${version.id} ${machine.vcpus.value}`;
  let state = known.get(key);
  if (!state) known.set(key, (state = biosState(version, machine.vcpus.value)));
  return state;
}

function biosState({ id: version, facts, layoutSource }: VmdVersion, vcpus: number): BootState {
  const parts: Placed[] = [];
  if (vmdBehaviour(version).apic) {
    writeAcpiTables(vcpus, acpiPlace(facts), (at, bytes) => {
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
