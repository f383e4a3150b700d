/** What a guest of libkrun finds before its first instruction, as far as its description decides it. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { terminated } from '../loaders/commandLine';
import { bootStateOf, withoutEntry, type BootMethod } from '../placed';
import { RAW_KERNEL } from './addresses';
import { descriptorTables, linux64State, pageTables, pvhState } from './bootState';
import { libkrunCommandLine } from './commandLine';
import { libkrunGuest } from './guestFacts';
import { memoryMapOf, systemParts } from './kernelBoot';
import { libkrunOrigin } from './layout';
import { libkrunVersion } from './versions';

/** Null for a firmware, which starts as KVM leaves a vCPU, for a memory map, and where libkrun makes no VM. */
export function libkrunInitialState(machine: Machine, id: string): BootState | null {
  const guest = libkrunGuest(machine);
  if (machine.memory === null || machine.regions.length === 0) return null;
  if (guest.payload === 'firmware' || guest.payload === 'pe-gz') return null;
  const { facts, id: version } = libkrunVersion(id);
  const line = terminated(libkrunCommandLine(machine.commandLine?.value ?? null, guest, facts));
  const system = (pvh: boolean) => {
    const memoryMap = memoryMapOf(machine, pvh);
    const parameters = { memoryMap, commandLineSize: line.length, initrd: null };
    return systemParts(line, machine.vcpus.value, parameters, pvh);
  };
  // A raw kernel is mapped where it is and entered at its first byte, whatever its file has (map_kernel).
  const raw = guest.payload === 'raw' ? { rip: RAW_KERNEL } : {};
  const linux: BootMethod = {
    name: '64-bit Linux boot protocol',
    parts: [...system(false), ...descriptorTables(false), ...pageTables()],
    state: { ...withoutEntry(linux64State(0n)), ...raw },
  };
  const pvh: BootMethod = {
    name: 'PVH, where the kernel has the note',
    parts: [...system(true), ...descriptorTables(true)],
    state: withoutEntry(pvhState(0n)),
  };
  const mayBePvh = guest.payload === 'elf' && facts.pvh;
  return bootStateOf(
    mayBePvh ? [linux, pvh] : [linux],
    libkrunOrigin(version, 'src/arch/src/x86_64/mod.rs, configure_system; linux/regs.rs, setup_sregs'),
  );
}
