/** A VM of libkrun on KVM with the power off: its memory, its legacy devices and what libkrun does with every exit. */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { Device } from '../../devices/device';
import { MinimalI8042 } from '../../devices/minimalI8042';
import { Uart16550 } from '../../devices/uart16550';
import type { Core } from '../../../emulator/face';
import { parseElf, isElf } from '../../machine/image/elf';
import { KVM_NOT_MODELLED } from '../kvm/exits';
import { kvmHypercall } from '../kvm/hypercalls';
import { ENTRY_MSRS } from '../kvm/kernelEntry';
import { kvmIrqchip, type KvmIrqchip } from '../kvm/irqchip';
import { KvmMsrs } from '../kvm/msrs';
import { KvmRunData } from '../kvm/runData';
import { ParavirtualClock } from '../kvm/paravirtualClock';
import { KVM_DEFAULT_CPU } from '../kvm/cpuProfile';
import { startKvmVcpus } from '../kvm/vcpus';
import { ramSlots } from '../backedMemory';
import type { WriteMemory } from '../loaders/loader';
import type { Board, BoardInputs } from '../model';
import { EPOCH } from '../epoch';
import { FOUR_GIB } from './addresses';
import { MemorySizeCmos } from './cmos';
import { libkrunCommandLine } from './commandLine';
import { libkrunCpuProfile } from './cpuProfile';
import { resetCommand, tripleFault, unansweredMmio, unansweredPort } from './exits';
import { libkrunGuest, type LibkrunGuest } from './guestFacts';

import { bootKernel, configureSystem, type SystemInputs } from './kernelBoot';
import { kernelHole } from './layout';
import { libkrunMemory } from './memory';
import { libkrunVersion, type LibkrunVersion } from './versions';

/** COM1 to COM4 and their interrupts (`register_devices`, `attach_legacy_devices`). */
const SERIAL_PORTS = [
  { base: 0x3f8, irq: 4 },
  { base: 0x2f8, irq: 3 },
  { base: 0x3e8, irq: 4 },
  { base: 0x2e8, irq: 3 },
] as const;
const KEYBOARD_IRQ = 1;

export function libkrunBoard(inputs: BoardInputs): Board {
  const version = libkrunVersion(inputs.version);
  const guest = libkrunGuest(inputs.machine);
  const cpu = inputs.cpu ?? KVM_DEFAULT_CPU;
  const firmwareBoot = startsFirmware(inputs, guest);
  // KVM_PIT_SPEAKER_DUMMY is set (src/devices/src/legacy/kvmioapic.rs).
  const irqchip = kvmIrqchip(inputs, { pit: true, speaker: true });
  const clock = new ParavirtualClock(inputs.clock, {
    epoch: EPOCH,
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
  const msrs = new KvmMsrs(cpu.vendor, clock, firmwareBoot ? new Map() : ENTRY_MSRS.board);
  const serial = serialPorts(inputs, version, guest, irqchip, firmwareBoot);
  const runData = new KvmRunData();
  return {
    profile: libkrunCpuProfile(cpu, inputs.machine.vcpus.value),
    slots: memorySlots(inputs),
    devices: [
      ...irqchip.devices,
      ...serial,
      ...legacyDevices(inputs, version, irqchip),
      clock,
      msrs,
      runData,
    ],
    ...(guest.serialConsoles > 0
      ? { consoleInput: serial[firmwareBoot && guest.implicitConsole ? 1 : 0] }
      : {}),
    // No access is vetoed; this is where all of them pass.
    screenPort: ({ port }) => {
      if (!irqchip.answersPort(port)) runData.portExit();
      return null;
    },
    unansweredPort,
    unansweredMmio: (access) => unansweredMmio(access, runData),
    virtualWire: true,
    acknowledge: () => irqchip.acknowledge(),
    endOfInterrupt: (vector) => irqchip.endOfInterrupt(vector),
    hypercall: kvmHypercall,
    readMsr: (index, vcpu) => msrs.read(index, vcpu),
    writeMsr: (index, value, vcpu) => msrs.write(index, value, vcpu),
    tripleFault,
    powerOn: (core) => powerOn(core, inputs, version, guest, firmwareBoot),
    notModelled: notModelled(inputs, guest),
  };
}

/** With krun_set_firmware alone, or an image in the place of the firmware: a kernel comes before it (`choose_payload`). */
function startsFirmware({ firmware, kernel }: BoardInputs, { payload }: LibkrunGuest): boolean {
  return kernel === null && (payload === 'firmware' || firmware !== null);
}

/** RAM behind all that libkrun allocates, in whole pages; a firmware is in RAM too and ends at 4 GiB. */
function memorySlots({ machine, firmware }: BoardInputs): Board['slots'] {
  const size = firmware ? ((BigInt(firmware.length) + PAGE - 1n) / PAGE) * PAGE : 0n;
  const backed = machine.regions
    .filter(({ kind }) => kind !== 'mmio' && kind !== 'hole')
    .map(({ range }) => range)
    .concat(size > 0n ? [{ start: FOUR_GIB - size, end: FOUR_GIB }] : []);
  return ramSlots(backed);
}

/**
 * COM1 is there only where somebody asked for it; the other three always are, and swallow what nobody listens to. A firmware
 * boot puts a silent COM1 before those of the caller, which so become COM2 and the next.
 */
function serialPorts(
  inputs: BoardInputs,
  { facts }: LibkrunVersion,
  guest: LibkrunGuest,
  irqchip: KvmIrqchip,
  firmwareBoot: boolean,
): Uart16550[] {
  const implicit = firmwareBoot && guest.implicitConsole ? 1 : 0;
  const asked = facts.firmwareAndSerial ? guest.serialConsoles : 0;
  return SERIAL_PORTS.filter((_, index) => index > 0 || implicit + asked > 0).map(({ base, irq }) => {
    const index = SERIAL_PORTS.findIndex((port) => port.base === base);
    const heard = index === implicit && asked > 0;
    return new Uart16550(irqchip.line(irq), {
      base,
      fifo: true,
      out2Gate: false,
      transmit: heard ? (text) => inputs.console(text) : () => undefined,
    });
  });
}

function legacyDevices(inputs: BoardInputs, { facts }: LibkrunVersion, irqchip: KvmIrqchip): Device[] {
  const devices: Device[] = [
    new MinimalI8042({
      interrupt: irqchip.line(KEYBOARD_IRQ),
      reset: () => inputs.request(resetCommand()),
    }),
  ];
  const { machine } = inputs;
  const memory = machine.memory && libkrunMemory(machine.memory.value, kernelHole(libkrunGuest(machine)));
  if (facts.cmos && memory) devices.push(new MemorySizeCmos(memory.belowGap, memory.aboveGap));
  return devices;
}

function powerOn(
  core: Core,
  inputs: BoardInputs,
  version: LibkrunVersion,
  guest: LibkrunGuest,
  firmwareBoot: boolean,
): string | null {
  const { machine, kernel, firmware } = inputs;
  const problem = refusal(inputs, version, guest);
  if (problem) return problem;
  const write: WriteMemory = (address, bytes) => bytes.length === 0 || core.write(address, bytes);
  const system: SystemInputs = {
    machine,
    payload: guest.payload,
    facts: version.facts,
    commandLine: libkrunCommandLine(machine.commandLine?.value ?? null, guest, version.facts),
    kernel,
    initrd: inputs.initrd,
  };
  if (firmwareBoot) {
    if (!firmware) return 'the firmware image is not at hand';
    if (!write(FOUR_GIB - BigInt(firmware.length), firmware))
      return 'the firmware is larger than the space below 4 GiB';
    // The vCPUs are as KVM makes them, at the reset vector.
    return configureSystem(system, false, write);
  }
  if (!kernel) return 'there is no kernel to start: libkrunfw’s is not at hand';
  const state = bootKernel(system, kernel, write);
  if (typeof state === 'string') return state;
  startKvmVcpus(core, state, ENTRY_MSRS.core);
  return null;
}

/** What libkrun refuses before it makes a VM. */
function refusal(
  { machine }: BoardInputs,
  { facts, id }: LibkrunVersion,
  guest: LibkrunGuest,
): string | null {
  const { payload } = guest;
  const memory = machine.memory?.value ?? null;
  if (machine.vcpus.value < 1) return 'krun_set_vm_config refuses 0 vCPUs with EINVAL';
  if (memory === 0n) return 'krun_set_vm_config refuses 0 MiB of memory with EINVAL';
  if (payload === 'pe-gz')
    return 'KRUN_KERNEL_FORMAT_PE_GZ is for other processors: libkrun says KernelFormatUnsupported';
  if (payload === 'firmware' && !facts.firmwareAndSerial) return `krun_set_firmware is not in libkrun ${id}`;
  const hole = kernelHole(guest);
  if (memory !== null && hole && !libkrunMemory(memory, hole)) {
    return `the kernel ends at ${hex(hole.end)}, beyond the guest's memory: libkrun panics with "Kernel doesn't fit in RAM"`;
  }
  if (
    guest.kernelConsole !== null &&
    machine.commandLine &&
    !/console=[^ ]* /.test(machine.commandLine.value)
  ) {
    return 'krun_set_kernel_console replaces the first console= of the command line up to a space, and panics where there is none';
  }
  return machine.regions.length === 0 ? 'its description gives no memory that libkrun could lay out' : null;
}

function notModelled(inputs: BoardInputs, guest: LibkrunGuest): string[] {
  const list = [
    ...KVM_NOT_MODELLED,
    'virtio devices (balloon, entropy, console hvc0, file systems, disks, network, vsock): nobody answers at their pages from 0xd0000000 on, so the guest’s drivers find none, and nothing that is written to hvc0 is seen',
    'KVM’s buffer for MMIO, whose bytes a read that nobody answers gives, is one a vCPU; here all vCPUs share one',
    'what libkrun adds to the command line for its init (KRUN_INIT, KRUN_ENV and the like), for TSI and for further devices',
    'the time between the guest’s 0xfe and the end of the process, in which its vCPUs still run',
    'the exit status that libkrun’s init stores over virtio-fs when it ends, which comes before the others',
  ];
  if (guest.computedCommandLine) {
    list.push('the command line, which the program works out: libkrun’s own is taken');
  }
  const { kernel } = inputs;
  if (kernel && guest.payload === 'bundled' && isElf(kernel)) {
    const elf = parseElf(kernel);
    const at = 'problem' in elf ? undefined : elf.segments[0]?.physical;
    const hole = kernelHole(guest)!;
    if (at !== undefined && at !== hole.start) {
      list.push(
        `the kernel’s own memory slot: this image starts at ${hex(at)}, and the layout has the hole of libkrunfw’s kernel at ${hex(hole.start)}`,
      );
    }
    list.push(
      'the size of the mapped kernel: the layout is that of one libkrunfw build, whatever image is given',
    );
  }
  return list;
}
