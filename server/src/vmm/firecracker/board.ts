/** A microVM of Firecracker with the power off: its memory, its devices and what Firecracker does with every exit. */
import type { Core } from '../../../emulator/face';
import { hex } from '../../address/format';
import type { StructureKind } from '../../machine/bootState';
import { PAGE } from '../../address/range';
import { MinimalI8042 } from '../../devices/minimalI8042';
import { Uart16550 } from '../../devices/uart16550';
import { KVM_DEFAULT_CPU, kvmCpuProfile } from '../kvm/cpuProfile';
import { kvmHypercall } from '../kvm/hypercalls';
import { ENTRY_MSRS } from '../kvm/kernelEntry';
import { kvmIrqchip, type KvmIrqchip } from '../kvm/irqchip';
import { KvmMsrs } from '../kvm/msrs';
import { KvmRunData } from '../kvm/runData';
import { ParavirtualClock } from '../kvm/paravirtualClock';
import { startKvmVcpus } from '../kvm/vcpus';
import { terminated } from '../loaders/commandLine';
import { joinedInitrd, MOST_MAP_ENTRIES, type Initrd } from '../loaders/linuxParameters';
import type { WriteMemory } from '../loaders/loader';
import { slotsOf } from '../backedMemory';
import type { Board, BoardInputs } from '../model';
import { writeParts } from '../placed';
import { EPOCH } from '../epoch';
import { pvhStartInfo, zeroPage } from './bootParameters';
import { bootTables, linuxState, pvhState } from './bootState';
import { firecrackerCommandLine } from './commandLine';
import { toldMap } from './e820';
import {
  I8042_RESET,
  notModelled,
  screenPort,
  SERIAL_PORTS,
  tripleFault,
  UNANSWERED,
  unansweredMmio,
} from './exits';
import { loadKernel } from './kernelLoad';
import { refusal } from './layout';
import { systemParts } from './systemParts';
import { firecrackerVersion, type FirecrackerFacts } from './versions';

const KEYBOARD_GSI = 1;
/** COM1 and COM3, COM2 and COM4. */
const SERIAL_GSIS = [4, 3, 4, 3] as const;
/** Without these Firecracker does not start; it does not look whether the others could be written. */
const NEEDED: ReadonlySet<StructureKind> = new Set<StructureKind>(['command-line', 'mp-table']);

export function firecrackerBoard(inputs: BoardInputs): Board {
  const { machine, clock } = inputs;
  const { facts } = firecrackerVersion(inputs.version);
  const cpu = inputs.cpu ?? KVM_DEFAULT_CPU;
  const irqchip = kvmIrqchip(inputs, { pit: true, speaker: true });
  const paravirtual = new ParavirtualClock(clock, {
    epoch: EPOCH,
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
  const msrs = new KvmMsrs(cpu.vendor, paravirtual, ENTRY_MSRS.board);
  const serial = serialPorts(inputs, facts, irqchip);
  const ports = SERIAL_PORTS.slice(0, serial.length);
  const runData = facts.zeroedReads ? null : new KvmRunData();
  return {
    profile: kvmCpuProfile(cpu, machine.vcpus.value),
    // Also where the memory map says nothing of it.
    slots: slotsOf(machine.regions.filter(({ kind }) => kind !== 'mmio' && kind !== 'hole')),
    devices: [
      ...irqchip.devices,
      ...serial,
      new MinimalI8042({
        interrupt: irqchip.line(KEYBOARD_GSI),
        reset: () => inputs.request(I8042_RESET),
      }),
      msrs,
      paravirtual,
      ...(runData ? [runData] : []),
    ],
    consoleInput: serial[0],
    screenPort: (access) => {
      if (!irqchip.answersPort(access.port)) runData?.portExit();
      return screenPort(access, ports);
    },
    unansweredPort: () => UNANSWERED,
    unansweredMmio: (access) => unansweredMmio(access, runData),
    hypercall: kvmHypercall,
    readMsr: (index, vcpu) => msrs.read(index, vcpu),
    writeMsr: (index, value, vcpu) => msrs.write(index, value, vcpu),
    virtualWire: true,
    acknowledge: () => irqchip.acknowledge(),
    endOfInterrupt: (vector) => irqchip.endOfInterrupt(vector),
    tripleFault: () => tripleFault(facts),
    powerOn: (core) => powerOn(core, inputs, facts),
    notModelled: notModelled(facts),
  };
}

/** COM1 is the console; COM2 to COM4, where they are, write nowhere. */
function serialPorts(inputs: BoardInputs, facts: FirecrackerFacts, irqchip: KvmIrqchip): Uart16550[] {
  const port = (index: number, transmit: (text: string) => void) =>
    new Uart16550(irqchip.line(SERIAL_GSIS[index]!), {
      base: SERIAL_PORTS[index]!,
      fifo: true,
      out2Gate: false,
      transmit,
    });
  const console = port(0, (text) => inputs.console(text));
  return facts.sinkPorts ? [console, ...[1, 2, 3].map((index) => port(index, () => undefined))] : [console];
}

function powerOn(core: Core, inputs: BoardInputs, facts: FirecrackerFacts): string | null {
  const { machine, kernel, boot } = inputs;
  const refused = machine.memory ? refusal(machine, inputs.version) : null;
  if (refused !== null) return refused;
  if (machine.regions.length === 0) return 'its config gives no memory size that Firecracker takes';
  if (!kernel) return 'Firecracker has no firmware: it starts a kernel, and was given none';
  const write: WriteMemory = (address, bytes) => bytes.length === 0 || core.write(address, bytes);
  const loaded = loadKernel(kernel, facts, write);
  if ('problem' in loaded) return `the kernel cannot be loaded: ${loaded.problem}`;
  const initrd = placeInitrd(inputs, write);
  if (initrd && 'problem' in initrd) return initrd.problem;
  const given = machine.commandLine?.value ?? (boot ? boot.commandLine : null);
  const line = terminated(firecrackerCommandLine(given, machine, facts));
  if (line.length > facts.commandLineMax) {
    return `the command line has ${line.length} bytes with its zero, and Firecracker takes ${facts.commandLineMax}`;
  }
  const map = toldMap(machine, facts);
  if (loaded.protocol === 'linux' && map.length > MOST_MAP_ENTRIES) {
    return `its memory map has ${map.length} entries, and the zero page has room for ${MOST_MAP_ENTRIES}`;
  }
  const parts = [
    ...systemParts(line, machine.vcpus.value, facts),
    ...bootTables(loaded.protocol),
    ...(loaded.protocol === 'pvh'
      ? pvhStartInfo(map, initrd)
      : [
          zeroPage({
            map,
            initrd,
            commandLineSize: line.length,
            acpi: facts.acpi,
            header: loaded.header,
          }),
        ]),
  ];
  const missing = writeParts(parts, write).find(({ kind }) => NEEDED.has(kind));
  if (missing) return `there is no RAM for the ${missing.name} at ${hex(missing.at)}`;
  const state = loaded.protocol === 'pvh' ? pvhState(loaded.entry) : linuxState(loaded.entry);
  startKvmVcpus(core, state, facts.mtrrs ? ENTRY_MSRS.core : new Map());
  return null;
}

/** At the end of the first range of RAM, its start rounded down to a page (initrd_load_addr). */
function placeInitrd(
  { machine, initrd, boot }: BoardInputs,
  write: WriteMemory,
): Initrd | { problem: string } | null {
  const bytes = initrd ?? (boot ? joinedInitrd(boot) : null);
  if (!bytes) return null;
  const low = machine.regions.filter(({ kind, range }) => kind === 'ram' && range.end <= 1n << 32n).at(-1);
  const end = low?.range.end ?? 0n;
  const size = BigInt(bytes.length);
  const start = ((end - size) / PAGE) * PAGE;
  return end < size || !write(start, bytes)
    ? { problem: `the initrd of ${bytes.length} bytes does not fit below ${hex(end)}` }
    : { start, size: bytes.length };
}
