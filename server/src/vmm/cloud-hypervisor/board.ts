/** A VM of Cloud Hypervisor with the power off: its memory, its devices, and what is in place before the first instruction. */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { Core } from '../../../emulator/face';
import { isElf } from '../../machine/image/elf';
import { KVM_DEFAULT_CPU } from '../kvm/cpuProfile';
import { kvmHypercall } from '../kvm/hypercalls';
import { ENTRY_MSRS } from '../kvm/kernelEntry';
import { KvmMsrs } from '../kvm/msrs';
import { ParavirtualClock } from '../kvm/paravirtualClock';
import { startKvmVcpus } from '../kvm/vcpus';
import type { Initrd } from '../loaders/linuxParameters';
import type { WriteMemory } from '../loaders/loader';
import { writeParts } from '../placed';
import { EPOCH } from '../epoch';
import { slotsOf } from '../backedMemory';
import type { Board, BoardInputs, CpuChoice } from '../model';
import { COMMAND_LINE_MAX } from './addresses';
import { bootTables, linuxEntry32, linuxEntry64, pvhEntry } from './bootState';
import { chipsOf } from './chips';
import { cloudHypervisorCpu } from './cpuProfile';
import { notModelled, screenPort, tripleFault, unansweredMmio, unansweredPort } from './exits';
import { loadPayload, RAW_FIRMWARE_MAX, type LoadedPayload } from './kernelLoad';
import { lowRamEnd, ramOf, refusesMemory } from './memory';
import { guestMemoryMap } from './memoryMap';
import { bootParameters, startInfoParts } from './startInfo';
import { MP_VCPUS, systemParts } from './systemParts';
import { cloudHypervisorVersion, type CloudHypervisorVersion } from './versions';

const FOUR_GIB = 1n << 32n;
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
  const wrong = refusesSystem(inputs, version);
  if (wrong) return wrong;
  // Firmware gets no command line.
  const line = inputs.kernel ? commandLineOf(inputs) : null;
  writeParts(systemParts(machine, version, cpu.vendor, line), write);
  const initrd = placeInitrd(inputs, lowRamEnd(ram), write);
  if (typeof initrd === 'string') return initrd;
  const la57 = cpu.added.includes('LA57');
  const unwritten = writeBoot(inputs, loaded, initrd, la57, write);
  if (unwritten) return unwritten;
  startVcpus(core, loaded, la57);
  return null;
}

function commandLineOf({ machine, boot }: BoardInputs): string {
  return machine.commandLine?.value ?? boot?.commandLine ?? '';
}

/** What keeps the VM from being made. */
function refusesSystem(inputs: BoardInputs, { facts }: CloudHypervisorVersion): string | null {
  const { machine, kernel } = inputs;
  const length = kernel ? new TextEncoder().encode(commandLineOf(inputs)).length : 0;
  if (length >= COMMAND_LINE_MAX) {
    return `payload.cmdline has ${length} bytes, and at most ${COMMAND_LINE_MAX - 1} fit`;
  }
  const vcpus = machine.vcpus.value;
  return vcpus > MP_VCPUS && !facts.manyVcpus ? `${vcpus} vCPUs: at most ${MP_VCPUS} are supported` : null;
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
  const { protocol } = loaded;
  if (protocol === 'pvh' || protocol === 'raw') writeParts(startInfoParts(map, initrd), write);
  else {
    const parameters = bootParameters(loaded.image, loaded.load, map, initrd);
    if (typeof parameters === 'string') return parameters;
    writeParts([parameters], write);
  }
  if (protocol !== 'raw') writeParts(bootTables(protocol, la57), write);
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
