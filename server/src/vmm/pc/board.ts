/** The plain PC with the power off: its chips, their wires, and the loader that stands in for a firmware. */
import { hex } from '../../address/format';
import { KIB, MIB, GIB } from '../../address/range';
import { AcpiPm } from '../../devices/acpiPm';
import { DebugExit } from '../../devices/debugExit';
import type { Device } from '../../devices/device';
import { FW_CFG_ID, FW_CFG_NOGRAPHIC, FW_CFG_SIGNATURE, FwCfg } from '../../devices/fwCfg';
import { Hpet } from '../../devices/hpet';
import { I8042 } from '../../devices/i8042';
import { I8254 } from '../../devices/i8254';
import { I8259Pair } from '../../devices/i8259';
import { Ioapic82093aa } from '../../devices/ioapic82093aa';
import { Mc146818 } from '../../devices/mc146818';
import { PciConfig1, pciFunction } from '../../devices/pciConfig1';
import { PcTestdev } from '../../devices/pcTestdev';
import { ResetControlCf9 } from '../../devices/resetControlCf9';
import { SystemPort61 } from '../../devices/systemPort61';
import { SystemPort92 } from '../../devices/systemPort92';
import { Uart16550 } from '../../devices/uart16550';
import type { Core } from '../../../emulator/face';
import { checkPcRom } from '../../machine/image/rom';
import { e820Bytes } from '../e820';
import { protocolFor } from '../loaders/protocols';
import type { Board, BoardInputs, MmioAccess, PortAccess, Verdict } from '../model';
import { writeAcpiTables } from './acpiTables';
import { writeBiosCalls } from './biosCalls';
import { writeBiosDataArea } from './biosDataArea';
import { pcCpuProfile } from './cpuProfile';
import { loadRom, romRange } from './firmwareRom';
import {
  BIOS_SEGMENT,
  EBDA,
  HPET_BASE,
  IOAPIC_BASE,
  isRam,
  pcInstalled,
  pcMemory,
  pcMemoryMap,
  pcRam,
} from './layout';
import { PcMsrs } from './msrs';
import { PM } from './powerManagement';

/** 2026-01-01T00:00:00Z: when every run begins. */
const EPOCH = 1_767_225_600;
const DEBUG_EXIT_PORT = 0xf4;
/** fw_cfg items that hold numbers. */
const FW_CFG_RAM_SIZE = 0x0003;
const FW_CFG_NB_CPUS = 0x0005;
const FW_CFG_MAX_CPUS = 0x000f;
/** IRQ 0 of the timer reaches input 2 of the I/O APIC, since input 0 has the 8259 pair on a PC. */
const TIMER_INPUT = 2;
/** The 8259 pair's output, for ExtINT (MP specification 1.4, 3.6.2.2). */
const PIC_INPUT = 0;
/** I/O APIC inputs that HPET timers can be routed to, as on QEMU's machine pc. */
const HPET_ROUTES = 1 << TIMER_INPUT;

const HOST_BRIDGE = {
  vendor: 0x8086,
  device: 0x1237,
  classCode: 0x060000,
  subsystemVendor: 0x1af4,
  subsystem: 0x1100,
} as const;
const ISA_BRIDGE = { ...HOST_BRIDGE, device: 0x7000, classCode: 0x060100 } as const;

/** What a BIOS leaves in the 8042: translated scan codes with interrupts, the mouse off, the system flag set. */
const COMMAND_BYTE_AFTER_BIOS = 0x65;

const PLAIN_CPU = { vendor: 'intel', added: [], removed: [] } as const;

export function pcBoard(inputs: BoardInputs): Board {
  const pic = new I8259Pair((up) => {
    inputs.setInterruptLine(up);
    ioapic.setLine(PIC_INPUT, up);
  });
  const ioapic = new Ioapic82093aa({
    base: IOAPIC_BASE,
    size: 4n * KIB,
    id: 0,
    deliver: (...message) => inputs.deliver(...message),
  });
  const memory = inputs.machine.memory?.value ?? 0n;
  const cpu = inputs.boot?.cpu ?? PLAIN_CPU;
  const msrs = new PcMsrs(cpu.vendor);
  const devices = createDevices(inputs, memory, pic, ioapic);
  return {
    profile: pcCpuProfile(cpu, inputs.machine.vcpus.value),
    slots: slots(inputs, memory),
    devices: [...devices, msrs],
    consoleInput: devices.find((device) => device instanceof Uart16550),
    unansweredPort: ({ size }: PortAccess): Verdict => allOnes(size),
    unansweredMmio: ({ size }: MmioAccess): Verdict => allOnes(size),
    acknowledge: () => pic.acknowledge(),
    readMsr: (index, vcpu) => msrs.read(index, vcpu),
    writeMsr: (index, value, vcpu) => msrs.write(index, value, vcpu),
    endOfInterrupt: (vector) => ioapic.endOfInterrupt(vector),
    tripleFault: () => ({ kind: 'reset', reason: 'a triple fault resets a PC' }),
    powerOn: (core) => powerOn(core, inputs, memory),
    notModelled: [inputs.firmware ? FIRMWARE_GAPS : LOADER_GAPS, ...NOT_MODELLED],
  };
}

function slots({ firmware }: BoardInputs, memory: bigint): Board['slots'] {
  const ram = pcRam(memory).map((range) => ({ ...range, kind: 'ram' as const }));
  return firmware && !checkPcRom(firmware) ? [...ram, { ...romRange(firmware), kind: 'rom' as const }] : ram;
}

const LOADER_GAPS =
  'firmware: there is none; the loader writes ACPI tables, a BIOS data area and the Multiboot information, and every BIOS call is refused (CF=1, AH=0x86)';
const FIRMWARE_GAPS =
  'the PAM registers of the host bridge: 0xC0000 to 0xFFFFF is RAM from the start, with the end of the ROM in it; SMM; option ROMs; ACPI tables for the firmware to hand on';

const NOT_MODELLED = [
  'DMA controllers, IDE, floppy, VGA, a second serial port and every PCI device but the host and ISA bridges',
  'HPET interrupts as messages; a watchdog; waking from S3',
  'what IA32_MISC_ENABLE switches and AMD’s performance counters count: these MSRs only keep what is written',
];

function allOnes(size: number): Verdict {
  return { kind: 'answer', value: (1n << BigInt(8 * size)) - 1n };
}

function createDevices(inputs: BoardInputs, memory: bigint, pic: I8259Pair, ioapic: Ioapic82093aa): Device[] {
  const { clock } = inputs;
  /** Each line goes to both controllers. */
  const setLine = (irq: number, level: boolean) => {
    if (irq < 16) pic.setLine(irq, level);
    ioapic.setLine(irq === 0 ? TIMER_INPUT : irq, level);
  };
  const line = (irq: number) => (level: boolean) => setLine(irq, level);
  const hpet = new Hpet(clock, {
    base: HPET_BASE,
    legacy: [line(0), line(8)],
    routes: HPET_ROUTES,
    route: (input, level) => ioapic.setLine(input, level),
  });
  const timer = new I8254(clock, hpet.legacyInput(0));
  const reset = (reason: string) => inputs.request({ kind: 'reset', reason });
  // Port 0x92 and the keyboard controller both work the gate, and the last write counts, as on QEMU's machine pc.
  const setA20 = (on: boolean) => inputs.setA20(on);
  return [
    pic,
    hpet,
    timer,
    new SystemPort61(clock, timer, { writable: true }),
    new Mc146818(clock, hpet.legacyInput(1), {
      size: 128,
      beyond: 0,
      memory: cmos(memory, inputs.machine.vcpus.value),
      century: 0x32,
      epoch: EPOCH,
    }),
    new Uart16550(line(4), {
      base: 0x3f8,
      fifo: true,
      out2Gate: true,
      transmit: (text) => inputs.console(text),
    }),
    new PciConfig1([pciFunction(0, 0, 0, HOST_BRIDGE), pciFunction(0, 1, 0, ISA_BRIDGE)]),
    ioapic,
    new AcpiPm(clock, {
      ...PM,
      powerOff: () =>
        inputs.request({ kind: 'shutdown', reason: 'the guest entered S5 through the PM1 control register' }),
    }),
    new SystemPort92({
      setA20,
      reset: () => reset('a write to port 0x92 raised bit 0, which resets the machine'),
    }),
    new I8042(clock, line(1), line(12), {
      mouse: true,
      commandByte: inputs.firmware ? 0 : COMMAND_BYTE_AFTER_BIOS,
      setA20,
      reset: (command) => reset(`command ${hex(command)} to the keyboard controller pulled the reset line`),
    }),
    new ResetControlCf9((hard) =>
      reset(`a write to port 0xcf9 raised bit 2, a ${hard ? 'hard' : 'soft'} reset of the machine`),
    ),
    firmwareConfiguration(inputs, memory),
    new DebugExit(DEBUG_EXIT_PORT, (value, exitStatus) =>
      inputs.request({
        kind: 'shutdown',
        reason: `the guest wrote ${hex(value)} to the debug exit port ${hex(DEBUG_EXIT_PORT)}: exit status ${exitStatus}`,
        exitStatus,
      }),
    ),
    new PcTestdev((irq, level) => setLine(irq, level)),
  ];
}

/** CMOS as a PC's firmware leaves it: base memory, memory from 1 MiB in KiB, from 16 MiB and from 4 GiB in 64 KiB. */
function cmos(memory: bigint, vcpus: number): Record<number, number> {
  const { lowEnd, highEnd } = pcMemory(memory);
  const kib = Number((lowEnd - MIB) / KIB);
  const extended = Math.min(kib, 65535);
  const above16 = lowEnd > 16n * MIB ? Math.min(Number((lowEnd - 16n * MIB) / (64n * KIB)), 65535) : 0;
  const high = Number((highEnd - 4n * GIB) / (64n * KIB));
  return {
    0x15: 640 & 0xff,
    0x16: 640 >> 8,
    0x17: extended & 0xff,
    0x18: extended >> 8,
    0x30: extended & 0xff,
    0x31: extended >> 8,
    0x34: above16 & 0xff,
    0x35: above16 >> 8,
    0x5b: high & 0xff,
    0x5c: (high >> 8) & 0xff,
    0x5d: (high >> 16) & 0xff,
    0x5f: vcpus - 1,
  };
}

function firmwareConfiguration(inputs: BoardInputs, memory: bigint): FwCfg {
  const vcpus = inputs.machine.vcpus.value;
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, memory, true);
  return new FwCfg({
    items: new Map([
      [FW_CFG_SIGNATURE, new TextEncoder().encode('QEMU')],
      [FW_CFG_ID, Uint8Array.of(3, 0, 0, 0)],
      [FW_CFG_RAM_SIZE, size],
      [FW_CFG_NOGRAPHIC, Uint8Array.of(1, 0)],
      [FW_CFG_NB_CPUS, Uint8Array.of(vcpus, 0)],
      [FW_CFG_MAX_CPUS, Uint8Array.of(vcpus, 0)],
    ]),
    files: [
      { name: 'etc/e820', bytes: e820Bytes(inputs.firmware ? pcInstalled(memory) : pcMemoryMap(memory)) },
      // Milliseconds until a reset where nothing boots; all ones: never.
      { name: 'etc/boot-fail-wait', bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) },
    ],
    readMemory: (address, length) => inputs.readMemory(address, length),
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
}

function powerOn(core: Core, inputs: BoardInputs, memory: bigint): string | null {
  const { kernel, boot, firmware } = inputs;
  const write = (address: bigint, bytes: Uint8Array) => bytes.length === 0 || core.write(address, bytes);
  // The vCPU is as RESET leaves it, at the ROM's reset vector.
  if (firmware) return loadRom(firmware, write);
  if (!kernel || !boot) return 'the plain PC has no firmware of its own and was given no image';
  const protocol = protocolFor(kernel, boot.protocol);
  if (!protocol) {
    const what = boot.protocol === null ? 'no known kind' : `no kind for the boot protocol ${boot.protocol}`;
    return `the image cannot be loaded: it is of ${what}`;
  }
  writeBiosCalls(write);
  writeBiosDataArea(write);
  writeAcpiTables(inputs.machine.vcpus.value, write);
  const state = protocol.load(kernel, boot, {
    memoryMap: pcMemoryMap(memory),
    lowEnd: pcMemory(memory).lowEnd,
    conventionalEnd: EBDA.start,
    rsdp: BIOS_SEGMENT.start,
    isRam: (range) => isRam(range, memory),
    write,
  });
  if ('problem' in state) return `the image cannot be loaded: ${state.problem}`;
  core.setState(0, state);
  core.enterVirtualWireMode();
  return null;
}
