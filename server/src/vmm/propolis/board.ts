/** A machine of propolis-standalone with the power off: memory, devices, the boot ROM and the vCPUs. */
import type { Core } from '../../../emulator/face';
import { formatSize, hex } from '../../address/format';
import { PAGE, sizeOf } from '../../address/range';
import { Uart16550 } from '../../devices/uart16550';
import type { GuestDescription } from '../../machine/machine';
import { bhyveCpuProfile } from '../bhyve/cpuProfile';
import { interprocessorInterrupt } from '../bhyve/interruptCommand';
import { BHYVE_VERSIONS } from '../bhyve/versions';
import { slotsOf } from '../backedMemory';
import type { Board, BoardInputs, CpuChoice, PortAccess, Verdict } from '../model';
import { allOnes } from '../../devices/openBus';
import { RESET_STATE } from './bootState';
import { propolisChips } from './chips';
import { memoryOf } from './e820';
import { rebooted, screenPort, unansweredMmio, unansweredPort, unhandled, type ExitCodes } from './exits';
import { memoryRefusal, ROM } from './layout';
import { propolisVersion, type PropolisVersion } from './versions';

/** Ports of the serial ports, where only the first byte of a wider access counts (hw/uart/lpc.rs, pio_rw). */
const SERIAL_SPANS = [0x3f8, 0x2f8, 0x3e8, 0x2e8].map((base) => ({ start: base, end: base + 8 }));
/** AMD's where nothing is asked for: the hosts that Propolis is made for are. */
const DEFAULT_CPU: CpuChoice = { vendor: 'amd', added: [], removed: [] };
/** The kernel below: legacy CPUID handling (Vcpu::set_cpuid without entries) and interrupt commands. */
const KERNEL = BHYVE_VERSIONS.filter(({ facts }) => facts.os === 'illumos').at(-1)!.facts;
/** VM_MAXCPU of bhyve-api; more on Oxide's own systems, which build Propolis with a limit of 254. */
const MOST_VCPUS = 32;

export function propolisBoard(inputs: BoardInputs): Board {
  const { machine } = inputs;
  const version = propolisVersion(inputs.version);
  const memory = memoryOf(machine);
  const codes = exitCodes(machine, version);
  const { pic, ioapic, console, devices } = propolisChips(inputs, version, memory, codes);
  const serial = devices.filter((device) => device instanceof Uart16550);
  return {
    // Each vCPU is a package of its own: Propolis sets no topology.
    profile: bhyveCpuProfile(inputs.cpu ?? DEFAULT_CPU, {
      facts: KERNEL,
      x2apic: false,
      cores: 1,
      threads: 1,
    }),
    slots: slotsOf(machine.regions.filter(({ kind }) => kind === 'ram' || kind === 'rom')),
    devices,
    consoleInput: console,
    screenPort: (access) => screenPort(access) ?? wideSerial(access),
    unansweredPort,
    unansweredMmio,
    acknowledge: () => pic.acknowledge(),
    endOfInterrupt: (vector) => ioapic.endOfInterrupt(vector),
    interprocessorInterrupt: (icr, vcpu, core) => refusedInterrupt(icr, vcpu, core, inputs),
    // "Unhandled rdmsr" and "Unhandled wrmsr" in the log: zero, and nothing.
    readMsr: () => 0n,
    writeMsr: () => true,
    tripleFault: () => rebooted('the kernel suspends the VM for the triple fault', codes),
    powerOn: (core) => powerOn(core, inputs, version),
    notModelled: NOT_MODELLED,
  };

  function wideSerial({ port, size, write, value }: PortAccess): Verdict | null {
    if (size === 1) return null;
    const span = SERIAL_SPANS.find(({ start, end }) => port >= start && port < end);
    const device = span && serial.find(({ ports }) => ports?.[0]?.start === span.start);
    if (!device) return null;
    if (write) device.writePort(port, 1, value & 0xff);
    const byte = write ? 0 : device.readPort(port);
    return { kind: 'answer', value: BigInt((0xffffff00 | byte) >>> 0) & allOnes(size) };
  }
}

/** The in-kernel local APIC leaves INIT and SIPI with two of the shorthands to userland, which has no answer. */
function refusedInterrupt(icr: bigint, vcpu: number, core: Core, inputs: BoardInputs): Verdict | null {
  const waitsForStart = (other: number) => other < core.vcpus && core.activity(other) === 'wait-for-sipi';
  const deliver: BoardInputs['deliver'] = (...message) => inputs.deliver(...message);
  const verdict = interprocessorInterrupt(KERNEL.ipiShorthand, { deliver, waitsForStart }, icr, vcpu);
  return verdict?.kind === 'vmm-exit'
    ? unhandled(`InstEmul, since the local APIC in the kernel refuses ICR ${hex(icr)}`)
    : verdict;
}

function exitCodes({ settings }: GuestDescription, { facts }: PropolisVersion): ExitCodes {
  const code = (key: string): number | null => {
    const value = facts.exitCodes ? settings?.get(key)?.value : undefined;
    return typeof value === 'bigint' && value >= 0n && value <= 255n ? Number(value) : null;
  };
  return { onHalt: code('main.exit_on_halt') ?? 0, onReboot: code('main.exit_on_reboot') };
}

const NOT_MODELLED = [
  'virtio, NVMe and every other PCI device of the config: bus 0 has the host bridge and the functions of the PIIX alone, so nothing can be booted from',
  'etc/ramfb, SMBIOS tables, the legacy items in the directory of fw_cfg and the read-back of its DMA address; the methods and the interrupt routing of the DSDT',
  'the host’s CPUID and MSRs, and cpuid profiles of the config: the CPU is a plain model of what vmm lets through',
  'HLT with interrupts off on every vCPU, which suspends the VM and ends propolis-standalone with exit_on_halt: here the run ends as halted',
  'instructions that the kernel’s emulation of MMIO lacks, instruction fetches outside memory, and hosts without decode assists (issue 1168)',
  'the wait for somebody to connect to the socket ttya before the first instruction, snapshots, migration, and the time that exits take',
];

/** open_bootrom and populate_rom. */
function romProblem(rom: Uint8Array): string | null {
  if (rom.length === 0) return 'the boot ROM’s file is empty';
  if (rom.length % Number(PAGE) !== 0) {
    return `the boot ROM has ${hex(rom.length)} bytes, which is no multiple of 0x1000: Propolis ends with "length … not aligned"`;
  }
  const most = sizeOf(ROM);
  return BigInt(rom.length) > most
    ? `the boot ROM has ${formatSize(BigInt(rom.length))}, its segment ${formatSize(most)}: Propolis ends with "rom too long"`
    : null;
}

function powerOn(core: Core, inputs: BoardInputs, version: PropolisVersion): string | null {
  const { machine, firmware, kernel } = inputs;
  const memory = machine.memory?.value;
  const vcpus = machine.vcpus.value;
  // A memory map under this model brings its own regions.
  if (memory === undefined && machine.regions.length === 0) return 'its config gives no memory size';
  const refusal = memory === undefined ? null : memoryRefusal(version, memory);
  if (refusal) return refusal;
  if (vcpus < 1 || vcpus > MOST_VCPUS) {
    return `it has ${vcpus} vCPUs, and propolis-standalone takes 1 to ${MOST_VCPUS}: it ends with "maxcpu out of range"`;
  }
  if (!firmware) {
    return kernel
      ? 'Propolis starts no kernel of its own accord: it runs a boot ROM (main.bootrom), and none was given'
      : 'Propolis starts a boot ROM (main.bootrom), and none was given';
  }
  const wrong = romProblem(firmware);
  if (wrong) return wrong;
  if (!core.write(ROM.end - BigInt(firmware.length), firmware)) {
    return `the memory map has no room for the boot ROM below 4 GiB`;
  }
  for (let vcpu = 0; vcpu < core.vcpus; vcpu++) {
    core.setState(vcpu, RESET_STATE);
    core.setActivity(vcpu, vcpu === 0 ? 'running' : 'wait-for-sipi');
  }
  return null;
}
