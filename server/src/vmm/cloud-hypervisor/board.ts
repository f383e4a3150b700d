/** A VM of Cloud Hypervisor with the power off: its memory, its devices, and what is in place before the first instruction. */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { Core } from '../../../emulator/face';
import { isElf } from '../../machine/image/elf';
import { KVM_DEFAULT_CPU } from '../kvm/cpuProfile';
import { kvmHypercall } from '../kvm/hypercalls';
import { ENTRY_GDT, ENTRY_MSRS, firstGibTables, quadwords } from '../kvm/kernelEntry';
import { KvmMsrs } from '../kvm/msrs';
import { ParavirtualClock } from '../kvm/paravirtualClock';
import { startKvmVcpus } from '../kvm/vcpus';
import type { Initrd } from '../loaders/linuxParameters';
import type { WriteMemory } from '../loaders/loader';
import { mpTable, mpTableSize, type MpTableOptions } from '../kvm/mpTable';
import { EPOCH } from '../epoch';
import { slotsOf } from '../backedMemory';
import type { Board, BoardInputs, CpuChoice } from '../model';
import { acpiTables } from './acpiTables';
import {
  BOOT_GDT,
  BOOT_IDT,
  COMMAND_LINE,
  COMMAND_LINE_MAX,
  EBDA,
  EBDA_POINTER,
  HIGH_RAM,
  PAGE_DIRECTORY,
  PDPT,
  PML4,
  PML5,
  RSDP,
  SMBIOS,
} from './addresses';
import { linuxEntry32, linuxEntry64, pvhEntry } from './bootState';
import { chipsOf } from './chips';
import { cloudHypervisorCpu } from './cpuProfile';
import { notModelled, screenPort, tripleFault, unansweredMmio, unansweredPort } from './exits';
import { loadPayload, RAW_FIRMWARE_MAX, type LoadedPayload } from './kernelLoad';
import { lowRamEnd, ramOf, refusesMemory } from './memory';
import { guestMemoryMap } from './memoryMap';
import { smbiosTables } from './smbios';
import { writeBootParameters, writeStartInfo } from './startInfo';
import { cloudHypervisorVersion, type CloudHypervisorVersion } from './versions';

const FOUR_GIB = 1n << 32n;
const TABLES = { pml4: PML4, pdpt: PDPT, pageDirectory: PAGE_DIRECTORY } as const;
/** More vCPUs get no MP table from v48.0 on; before, the VM is refused (MAX_SUPPORTED_CPUS). */
const MP_VCPUS = 254;

export function cloudHypervisorBoard(inputs: BoardInputs): Board {
  const version = cloudHypervisorVersion(inputs.version);
  const { facts } = version;
  const cpu = inputs.cpu ?? KVM_DEFAULT_CPU;
  const chips = chipsOf(inputs, version);
  const clock = new ParavirtualClock(inputs.clock, {
    epoch: EPOCH,
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
  const msrs = new KvmMsrs(cpu.vendor, clock, ENTRY_MSRS.board);
  return {
    profile: cloudHypervisorCpu(version, inputs.machine, cpu),
    slots: slots(inputs, version),
    devices: [...chips.devices, clock, msrs],
    consoleInput: chips.serial ?? undefined,
    screenPort: (access) => screenPort(access, chips.runData),
    unansweredPort: (access) => unansweredPort(facts, access),
    unansweredMmio: (access) => unansweredMmio(facts, access, chips.runData),
    hypercall: kvmHypercall,
    readMsr: (index, vcpu) => msrs.read(index, vcpu),
    writeMsr: (index, value, vcpu) => msrs.write(index, value, vcpu),
    // Nobody raises INTR: there are no 8259s.
    virtualWire: true,
    acknowledge: () => 0xff,
    endOfInterrupt: (vector) => chips.ioapic.endOfInterrupt(vector),
    tripleFault: () => tripleFault(facts),
    powerOn: (core) => powerOn(core, inputs, version, cpu),
    notModelled: notModelled(version, inputs),
  };
}

/** The reserved regions below 1 MiB and of KVM are memory too. Raw firmware brings its own. */
function slots(
  { machine, kernel, firmware }: BoardInputs,
  { facts }: CloudHypervisorVersion,
): Board['slots'] {
  const backed = slotsOf(
    machine.regions.filter(({ kind }) => kind !== 'mmio' && kind !== 'hole' && kind !== 'unusable'),
  );
  const image = kernel ?? firmware;
  const raw = image && facts.rawFirmware && !isElf(image) && image.length <= RAW_FIRMWARE_MAX;
  const start = raw ? ((FOUR_GIB - BigInt(image.length)) / PAGE) * PAGE : FOUR_GIB;
  return [...backed, { start, end: FOUR_GIB, kind: 'ram' as const }].filter((slot) => slot.start < slot.end);
}

function powerOn(
  core: Core,
  inputs: BoardInputs,
  version: CloudHypervisorVersion,
  cpu: CpuChoice,
): string | null {
  const { machine } = inputs;
  // A memory map says where RAM is, not how much was asked for.
  const refused = machine.memory ? refusesMemory(version, machine, cpu.vendor) : null;
  if (refused) return refused;
  const image = inputs.kernel ?? inputs.firmware;
  if (!image) return 'the config names neither payload.kernel nor payload.firmware, and no image was given';
  const ram = ramOf(machine);
  if (ram.length === 0) return 'its config gives no memory size that Cloud Hypervisor takes';
  const write: WriteMemory = (address, bytes) => bytes.length === 0 || core.write(address, bytes);
  const loaded = loadPayload(image, version, {
    isRam: ({ start, end }) => ram.some((range) => range.start <= start && end <= range.end),
    write,
  });
  if ('problem' in loaded) return `the payload cannot be loaded: ${loaded.problem}`;
  const wrong = writeCommandLine(inputs, write) ?? writeSystem(inputs, version, cpu, write);
  if (wrong) return wrong;
  const initrd = placeInitrd(inputs, lowRamEnd(ram), write);
  if (typeof initrd === 'string') return initrd;
  const la57 = cpu.added.includes('LA57');
  const unwritten = writeBoot(inputs, loaded, initrd, la57, write);
  if (unwritten) return unwritten;
  startVcpus(core, loaded, la57);
  return null;
}

/** Firmware gets none. */
function writeCommandLine({ machine, kernel, boot }: BoardInputs, write: WriteMemory): string | null {
  if (!kernel) return null;
  const bytes = new TextEncoder().encode(machine.commandLine?.value ?? boot?.commandLine ?? '');
  if (bytes.length >= COMMAND_LINE_MAX) {
    return `payload.cmdline has ${bytes.length} bytes, and at most ${COMMAND_LINE_MAX - 1} fit`;
  }
  write(COMMAND_LINE, Uint8Array.of(...bytes, 0));
  return null;
}

/** arch::configure_system: what does not depend on the way of booting. */
function writeSystem(
  { machine }: BoardInputs,
  version: CloudHypervisorVersion,
  cpu: CpuChoice,
  write: WriteMemory,
): string | null {
  const { facts } = version;
  const vcpus = machine.vcpus.value;
  if (vcpus > MP_VCPUS && !facts.manyVcpus) return `${vcpus} vCPUs: at most ${MP_VCPUS} are supported`;
  write(RSDP, acpiTables(version, machine, cpu.vendor).bytes);
  if (facts.ebdaPointer) {
    const segment = Number(EBDA >> 4n);
    write(EBDA_POINTER, Uint8Array.of(segment & 0xff, segment >> 8));
  }
  const smbios = smbiosTables(version);
  write(SMBIOS, smbios.bytes);
  const options = mpTableOptions(version, vcpus, SMBIOS + BigInt(smbios.taken));
  // Too large a table is left out with a warning.
  const fits = options.at + BigInt(mpTableSize(options)) < HIGH_RAM;
  if (vcpus <= MP_VCPUS && fits) write(options.at, mpTable(options));
  return null;
}

/** setup_mptable, behind the SMBIOS table: (end + 16) & ~15. */
function mpTableOptions({ facts }: CloudHypervisorVersion, vcpus: number, smbiosEnd: bigint): MpTableOptions {
  return {
    at: ((smbiosEnd + 16n) / 16n) * 16n,
    localApicIds: Array.from({ length: vcpus }, (_, id) => id),
    ioapicId: facts.mpIoapicId === 255 ? 255 : (vcpus + 1) & 0xff,
    interrupts: 16,
    oem: 'FC',
    product: '0'.repeat(12),
    entryCount: 0,
  };
}

/** initramfs_load_addr: as high in the first region of RAM as it fits, on a page. */
function placeInitrd(
  { initrd, boot }: BoardInputs,
  lowEnd: bigint,
  write: WriteMemory,
): Initrd | null | string {
  const bytes = initrd ?? boot?.modules[0]?.bytes ?? null;
  if (!bytes) return null;
  const start = ((lowEnd - BigInt(bytes.length)) / PAGE) * PAGE;
  if (start < 0n || !write(start, bytes)) {
    return `the initramfs of ${hex(bytes.length)} bytes does not fit below ${hex(lowEnd)}`;
  }
  return { start, size: bytes.length };
}

function writeBoot(
  { machine }: BoardInputs,
  loaded: LoadedPayload,
  initrd: Initrd | null,
  la57: boolean,
  write: WriteMemory,
): string | null {
  const map = guestMemoryMap(machine);
  if (loaded.protocol === 'pvh' || loaded.protocol === 'raw') writeStartInfo(map, initrd, write);
  else {
    const problem = writeBootParameters(loaded.image, loaded.load, map, initrd, write);
    if (problem) return problem;
  }
  if (loaded.protocol === 'raw') return null;
  const long = loaded.protocol === 'linux64';
  write(BOOT_GDT, quadwords(long ? ENTRY_GDT.long : ENTRY_GDT.protected));
  write(BOOT_IDT, quadwords([0n]));
  if (!long) return null;
  if (la57) write(PML5, quadwords([PML4 | 3n]));
  for (const { at, bytes } of firstGibTables(TABLES)) write(at, bytes);
  return null;
}

/** configure_vcpu gives every vCPU the registers of the entry. Raw firmware starts as KVM leaves a vCPU. */
function startVcpus(core: Core, loaded: LoadedPayload, la57: boolean): void {
  const state =
    loaded.protocol === 'raw'
      ? core.state(0)
      : loaded.protocol === 'pvh'
        ? pvhEntry(loaded.entry)
        : loaded.protocol === 'linux32'
          ? linuxEntry32(loaded.entry)
          : linuxEntry64(loaded.entry, la57);
  startKvmVcpus(core, state, ENTRY_MSRS.core);
}
