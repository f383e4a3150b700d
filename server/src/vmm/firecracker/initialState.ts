/** What a guest of Firecracker finds before its first instruction, as far as its config decides it. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { terminated } from '../loaders/commandLine';
import { bootStateOf, withoutEntry, type BootMethod } from '../placed';
import { pvhStartInfo, zeroPage } from './bootParameters';
import { bootTables, linuxState, pvhState } from './bootState';
import { firecrackerCommandLine } from './commandLine';
import { toldMap } from './e820';
import { systemParts } from './systemParts';
import { firecrackerVersion } from './versions';

/** Null for a memory map, which has no guest, and where Firecracker refuses the guest. */
export function firecrackerInitialState(machine: Machine, version: string): BootState | null {
  if (machine.memory === null || machine.regions.length === 0) return null;
  const { id, facts, revision } = firecrackerVersion(version);
  const line = terminated(firecrackerCommandLine(machine.commandLine?.value ?? null, machine, facts));
  const system = systemParts(line, machine.vcpus.value, facts);
  const map = toldMap(machine, facts);
  const parameters = { map, initrd: null, commandLineSize: line.length, acpi: facts.acpi, header: null };
  const linux: BootMethod = {
    name: '64-bit Linux boot protocol',
    parts: [...system, ...bootTables('linux'), zeroPage(parameters)],
    state: withoutEntry(linuxState(0n)),
  };
  const pvh: BootMethod = {
    name: 'PVH, where the kernel has the note',
    parts: [...system, ...bootTables('pvh'), ...pvhStartInfo(map, null)],
    state: withoutEntry(pvhState(0n)),
  };
  return bootStateOf(facts.pvh ? [linux, pvh] : [linux], {
    kind: 'vmm',
    vmm: 'firecracker',
    version: id,
    citation: `${revision}, configure_system_for_boot`,
  });
}
