/** A guest of bhyve with the power off: its memory, its devices and what bhyve does with every exit. */
import { hex } from '../../address/format';
import { contains, MIB, type AddressRange } from '../../address/range';
import type { Device } from '../../devices/device';
import { FW_CFG_ID, FW_CFG_SIGNATURE, FwCfg } from '../../devices/fwCfg';
import { I8042 } from '../../devices/i8042';
import { PciConfig1 } from '../../devices/pciConfig1';
import { Uart16550 } from '../../devices/uart16550';
import type { Core } from '../../../emulator/face';
import { e820Bytes } from '../e820';
import { slotsOf } from '../backedMemory';
import type { Board, BoardInputs } from '../model';
import { writeBhyveAcpi } from './acpiTables';
import { bootMethod, loadGuest, romRange } from './boot';
import { BHYVE_DEFAULT_CPU, bhyveCpuProfile } from './cpuProfile';
import { firmwareMap } from './e820';
import { EXIT, romWrite, screenPort, TRIPLE_FAULT, unansweredMmio, unansweredPort } from './exits';
import { Fwctl } from './fwctl';
import { notModelled } from './gaps';
import { illumosModule } from './illumosModule';
import { kernelDevices, type KernelDevices } from './kernelDevices';
import { bhyveMemory, memoryOf, memoryRefusal } from './layout';
import { bhyveMpTable } from './mpTable';
import { BhyveMsrs } from './msrs';
import { EnhancedConfiguration, pciFunctions } from './pciHost';
import { PostCodes } from './postCodes';
import { BhyvePm, SCI } from './powerManagement';
import { bhyveSettings, lpcOf, type BhyveSettings } from './settings';
import { SMBIOS_BASE, SMBIOS_MAX_LENGTH, smbiosTables } from './smbios';
import { bhyveVersion, NEWEST_BHYVE, type BhyveFacts } from './versions';

/** uart_lres of uart_emul.c: first port and IRQ of COM1 to COM4. */
const SERIAL = [
  { number: 1, port: 0x3f8, irq: 4 },
  { number: 2, port: 0x2f8, irq: 3 },
  { number: 3, port: 0x3e8, irq: 4 },
  { number: 4, port: 0x2e8, irq: 3 },
] as const;
/** ELCR of the second controller: the SCI is level triggered (sci_init). */
const ELCR2 = 0x4d1;
const RESET_COMMAND = 0xfe;

export function bhyveBoard(inputs: BoardInputs): Board {
  const { machine } = inputs;
  const { facts } = bhyveVersion(inputs.version) ?? NEWEST_BHYVE;
  const settings = bhyveSettings(machine, facts);
  const memory = memoryOf(machine);
  const lpc = lpcOf(settings);
  const cpu = inputs.cpu ?? BHYVE_DEFAULT_CPU;
  const chips = kernelDevices(inputs, { cmos: cmosMemory(memory) });
  const msrs = new BhyveMsrs(cpu.vendor, facts, settings.strictMsr);
  const serial = lpc ? serialPorts(inputs, chips, settings) : [];
  const rom = inputs.firmware ? romRange(inputs.firmware) : null;
  const screen = { facts, settings, lpc: lpc !== undefined };
  return {
    profile: bhyveCpuProfile(cpu, { facts, ...settings }),
    slots: memorySlots(inputs),
    devices: [...chips.devices, ...serial, ...userDevices(inputs, chips, facts, settings), msrs],
    consoleInput: serial[consoleNumber(settings) - 1],
    screenPort: (access) => screenPort(access, screen),
    unansweredPort: (access) => unansweredPort(access, settings),
    unansweredMmio: (access) =>
      access.write && rom && contains(rom, access.address)
        ? romWrite(access, facts)
        : unansweredMmio(access, facts, memory),
    virtualWire: true,
    acknowledge: () => chips.pic.acknowledge(),
    endOfInterrupt: (vector) => chips.ioapic.endOfInterrupt(vector),
    readMsr: (index) => msrs.read(index),
    writeMsr: (index, value) => msrs.write(index, value),
    tripleFault: () => TRIPLE_FAULT,
    ...illumosModule(inputs, facts, mappedRom(inputs)),
    powerOn: (core) => powerOn(core, inputs, chips, facts, settings),
    notModelled: notModelled(inputs, facts, settings, bootMethod(inputs)),
  };
}

/** RAM as the regions have it, in whole pages, and of the boot ROM's segment what the file fills. */
function memorySlots({ machine, firmware }: BoardInputs): Board['slots'] {
  const ram = slotsOf(
    machine.regions.filter(({ kind }) => kind === 'ram' || kind === 'acpi' || kind === 'nvs'),
  );
  const rom = firmware ? romRange(firmware) : null;
  return rom ? [...ram, { ...rom, kind: 'rom' as const }] : ram;
}

/** Where the boot ROM is mapped; null where a memory map says it. */
function mappedRom({ machine, firmware }: BoardInputs): AddressRange | null {
  const inMap = machine.memory === null && machine.regions.some(({ kind }) => kind === 'rom');
  return firmware && !inMap ? romRange(firmware) : null;
}

/** rtc_init: 64 KiB units above 16 MiB, and above 4 GiB. Less than 16 MiB wraps. */
function cmosMemory(memory: bigint): Record<number, number> {
  const { low, high } = bhyveMemory(memory);
  const units = Number(BigInt.asUintN(16, (low.end - 16n * MIB) / 0x10000n));
  const above = Number((high.end - high.start) / 0x10000n);
  return {
    0x34: units & 0xff,
    0x35: units >> 8,
    0x5b: above & 0xff,
    0x5c: (above >> 8) & 0xff,
    0x5d: (above >> 16) & 0xff,
  };
}

function consoleNumber({ serial }: BhyveSettings): number {
  return serial.length > 0 ? Math.min(...serial) : 1;
}

function serialPorts(inputs: BoardInputs, chips: KernelDevices, settings: BhyveSettings): Uart16550[] {
  const console = consoleNumber(settings);
  return SERIAL.map(
    ({ number, port, irq }) =>
      new Uart16550(chips.line(irq), {
        base: port,
        fifo: true,
        out2Gate: false,
        transmit: (text) => {
          if (number === console) inputs.console(text);
        },
      }),
  );
}

function userDevices(
  inputs: BoardInputs,
  chips: KernelDevices,
  facts: BhyveFacts,
  settings: BhyveSettings,
): Device[] {
  const { clock } = inputs;
  const reset = (cause: string) =>
    inputs.request({
      kind: 'reset',
      reason: `${cause}: vmm suspends the guest (VM_SUSPEND_RESET) and bhyve ends with status ${EXIT.reset}, at which who started it starts it again`,
    });
  const functions = pciFunctions(settings.pci);
  const devices: Device[] = [
    new I8042(clock, chips.line(1), chips.line(12), {
      mouse: true,
      commandByte: 0,
      // vmm has no A20 gate, and atkbdc.c resets on this command alone.
      setA20: () => undefined,
      reset: (command) => {
        if (command === RESET_COMMAND) reset(`command ${hex(command)} to the keyboard controller`);
      },
    }),
    new PciConfig1(functions),
    new EnhancedConfiguration(functions),
    new PostCodes(),
    new BhyvePm(clock, {
      gpe0: facts.gpe0,
      reset: (value) => reset(`OUT 0xcf9, ${hex(value)}`),
      powerOff: () =>
        inputs.request({
          kind: 'shutdown',
          exitStatus: EXIT.powerOff,
          reason: `PM1 control got SLP_EN with the sleep type of S5: vmm suspends the guest (VM_SUSPEND_POWEROFF) and bhyve ends with status ${EXIT.powerOff}`,
        }),
    }),
  ];
  if (lpcOf(settings)) devices.push(firmwareInterface(inputs, settings));
  return devices;
}

function firmwareInterface(inputs: BoardInputs, settings: BhyveSettings): Device {
  const vcpus = inputs.machine.vcpus.value;
  if (settings.fwcfg === 'bhyve') {
    return new Fwctl(vcpus, (size) =>
      inputs.request({
        kind: 'vmm-exit',
        exitStatus: EXIT.error,
        reason: `a request of ${size} bytes at port 0x510 is shorter than its header: bhyve prints "msg size error" and ends with status ${EXIT.error}`,
      }),
    );
  }
  const version = bhyveVersion(inputs.version) ?? NEWEST_BHYVE;
  const map = firmwareMap(version, memoryOf(inputs.machine));
  return new FwCfg({
    items: new Map([
      [FW_CFG_SIGNATURE, new TextEncoder().encode('QEMU')],
      // No DMA.
      [FW_CFG_ID, Uint8Array.of(1, 0, 0, 0)],
    ]),
    files: [
      { name: 'opt/bhyve/hw.ncpu', bytes: new Uint8Array(Uint32Array.of(vcpus).buffer) },
      ...(map ? [{ name: 'etc/e820', bytes: e820Bytes(map) }] : []),
    ],
    readMemory: (address, length) => inputs.readMemory(address, length),
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
}

/** MP table, ACPI, then what boots (bhyverun.c, main; bhyverun_machdep.c, bhyve_init_platform_late). */
function powerOn(
  core: Core,
  inputs: BoardInputs,
  chips: KernelDevices,
  facts: BhyveFacts,
  settings: BhyveSettings,
): string | null {
  const { machine } = inputs;
  const inMap = machine.memory === null && machine.regions.length > 0;
  const refusal = inMap ? null : memoryRefusal(machine.memory?.value ?? null);
  if (refusal) return refusal;
  const write = (address: bigint, bytes: Uint8Array) => bytes.length === 0 || core.write(address, bytes);
  const lpc = lpcOf(settings);
  if (settings.mpTable && !write(facts.mpTable, bhyveMpTable(facts.mpTable, machine.vcpus.value))) {
    return `there is no memory at ${hex(facts.mpTable)}: bhyve says "mptable requires mapped mem" and ends with status ${EXIT.error}`;
  }
  if (facts.smbios) {
    const { cores, threads } = settings;
    const sockets = Math.max(1, Math.floor(machine.vcpus.value / (cores * threads)));
    const tables = smbiosTables({
      facts,
      memory: memoryOf(machine),
      sockets,
      cores,
      threads,
      settings: machine.settings,
    });
    if (tables.length >= SMBIOS_MAX_LENGTH) {
      return `SMBIOS tables of ${sockets} sockets have ${tables.length} bytes, ${SMBIOS_MAX_LENGTH} is the end: an assertion of smbios_build fails and bhyve aborts`;
    }
    if (!write(SMBIOS_BASE, tables)) return 'bhyve says "smbios table requires mapped mem" and ends';
  }
  if (settings.acpiTables) {
    const tables = { facts, vcpus: machine.vcpus.value, lpc: lpc?.slot ?? null, serial: lpc ? SERIAL : [] };
    if (!writeBhyveAcpi(tables, write)) {
      return `the ACPI tables do not fit below the end of memory: acpi_build fails and bhyve ends with status ${EXIT.error}`;
    }
  }
  const state = loadGuest(inputs, write, (address, length) => core.read(address, length));
  if (typeof state === 'string') return state;
  chips.pic.writePort(ELCR2, 1, 1 << (SCI - 8));
  core.setState(0, state);
  core.setActivity(0, 'running');
  core.enterVirtualWireMode();
  return null;
}
