/** Loads a kernel as libkrun does (containers/libkrun src/vmm/src/builder.rs, load_payload and load_external_kernel). */
import { hex } from '../../address/format';
import { isElf, parseElf, physicalEntry } from '../../machine/image/elf';
import { isPvh, parsePvh } from '../../machine/image/pvh';
import type { Machine } from '../../machine/machine';
import type { VcpuState } from '../../x86/state';
import type { E820Entry } from '../e820';
import { writeParts, type Placed } from '../placed';
import { terminated } from '../loaders/commandLine';
import type { WriteMemory } from '../loaders/loader';
import { mpTable } from '../kvm/mpTable';
import { COMMAND_LINE, COMMAND_LINE_SIZE, MP_TABLE, RAW_KERNEL } from './addresses';
import {
  descriptorTables,
  linux64State,
  pageTables,
  pvhStartInfo,
  pvhState,
  zeroPage,
  type BootParameters,
} from './bootState';
import { endOfRam, libkrunMemoryMap } from './e820';
import type { Payload } from './guestFacts';
import type { LibkrunFacts } from './versions';

/** What `MmioTransport`, `load_cmdline` and `configure_system` leave in memory, whatever is started. */
export interface SystemInputs {
  readonly machine: Machine;
  readonly payload: Payload;
  readonly facts: LibkrunFacts;
  readonly commandLine: string;
  readonly kernel: Uint8Array | null;
  readonly initrd: Uint8Array | null;
}

/** The ends of the RAM that is the guest's own, so without windows. */
export function ramEnd(machine: Machine): bigint {
  return endOfRam(machine.regions.filter(({ kind }) => kind === 'ram').map(({ range }) => range));
}

export function memoryMapOf(machine: Machine, pvh: boolean): E820Entry[] {
  return libkrunMemoryMap(ramEnd(machine), pvh);
}

/** Loads the kernel and gives the registers of every vCPU, or why libkrun does not start. */
export function bootKernel(inputs: SystemInputs, kernel: Uint8Array, write: WriteMemory): VcpuState | string {
  const entry = loadKernel(inputs, kernel, write);
  if (typeof entry === 'string') return entry;
  const wrong = configureSystem(inputs, entry.pvh, write);
  if (wrong) return wrong;
  for (const { at, bytes } of [...descriptorTables(entry.pvh), ...(entry.pvh ? [] : pageTables())]) {
    if (!write(at, bytes)) return `there is no RAM at ${hex(at)} for the boot structures`;
  }
  return entry.pvh ? pvhState(entry.at) : linux64State(entry.at);
}

interface Entry {
  readonly at: bigint;
  readonly pvh: boolean;
}

function loadKernel(
  { payload, facts }: SystemInputs,
  kernel: Uint8Array,
  write: WriteMemory,
): Entry | string {
  if (payload !== 'bundled' && payload !== 'raw' && !facts.externalKernel) {
    return 'krun_set_kernel takes no such kernel before libkrun 1.11.0';
  }
  if (payload === 'raw' && !isElf(kernel)) {
    return write(RAW_KERNEL, kernel)
      ? { at: RAW_KERNEL, pvh: false }
      : `a raw kernel goes to ${hex(RAW_KERNEL)}, and ${hex(kernel.length)} bytes do not fit there`;
  }
  if (!isElf(kernel)) {
    return 'the kernel is no ELF file: libkrun unpacks a compressed kernel to one itself, and this model takes the vmlinux in it';
  }
  const elf = parseElf(kernel);
  if ('problem' in elf) return `the kernel cannot be loaded: ${elf.problem}`;
  for (const { index, physical, bytes } of elf.segments) {
    if (bytes.length === 0 || write(physical, bytes)) continue;
    const end = physical + BigInt(bytes.length);
    return `program header ${index} of the kernel goes to ${hex(physical)} up to ${hex(end)}, which is not all RAM`;
  }
  // Only a kernel that is given as ELF is asked for a PVH entry.
  if (payload === 'elf' && facts.pvh && isPvh(kernel)) {
    const image = parsePvh(kernel);
    return 'problem' in image
      ? `the kernel cannot be loaded: ${image.problem}`
      : { at: image.entry, pvh: true };
  }
  return { at: physicalEntry(elf), pvh: false };
}

/** MP table, command line and boot parameters, which a firmware boot gets too. */
export function configureSystem(inputs: SystemInputs, pvh: boolean, write: WriteMemory): string | null {
  const { machine, commandLine } = inputs;
  const line = terminated(commandLine);
  if (line.length > COMMAND_LINE_SIZE) {
    return `the command line has ${line.length} bytes with its NUL, and libkrun takes ${COMMAND_LINE_SIZE}`;
  }
  const initrd = placeInitrd(inputs, write);
  if (typeof initrd === 'string') return initrd;
  const parameters: BootParameters = {
    memoryMap: memoryMapOf(machine, pvh),
    commandLineSize: line.length,
    initrd,
  };
  const [missing] = writeParts(systemParts(line, machine.vcpus.value, parameters, pvh), write);
  return missing ? `there is no RAM at ${hex(missing.at)} for the boot structures` : null;
}

/** What does not depend on the kernel's file but for its protocol; `line` with its NUL. */
export function systemParts(
  line: Uint8Array,
  vcpus: number,
  parameters: BootParameters,
  pvh: boolean,
): Placed[] {
  return [
    { at: COMMAND_LINE, bytes: line, kind: 'command-line', name: 'command line' },
    { at: MP_TABLE, bytes: libkrunMpTable(vcpus), kind: 'mp-table', name: 'MP table' },
    ...(pvh ? pvhStartInfo(parameters) : [zeroPage(parameters)]),
  ];
}

/** At the very end of RAM, not aligned (`initrd_addr`). */
function placeInitrd(
  { machine, initrd }: SystemInputs,
  write: WriteMemory,
): BootParameters['initrd'] | string {
  if (!initrd || initrd.length === 0) return null;
  const start = ramEnd(machine) - BigInt(initrd.length);
  if (start < 0n || !write(start, initrd)) {
    return `there is no room for an initrd of ${hex(initrd.length)} bytes at the end of RAM`;
  }
  return { start, size: initrd.length };
}

/** src/arch/src/x86_64/mptable.rs, setup_mptable. */
function libkrunMpTable(vcpus: number): Uint8Array {
  return mpTable({
    at: MP_TABLE,
    localApicIds: Array.from({ length: vcpus }, (_, id) => id),
    ioapicId: vcpus + 1,
    interrupts: 16,
    oem: 'FC',
    product: '000000000000',
    entryCount: 0,
  });
}
