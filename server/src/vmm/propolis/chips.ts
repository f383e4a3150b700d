/** The devices of a machine of propolis-standalone (setup_instance of main.rs) and the wires between them. */
import { AcpiPm } from '../../devices/acpiPm';
import type { Device } from '../../devices/device';
import { FW_CFG_ID, FW_CFG_SIGNATURE, FwCfg, type FwCfgFile } from '../../devices/fwCfg';
import { PciConfig1 } from '../../devices/pciConfig1';
import { Uart16550 } from '../../devices/uart16550';
import type { GuestDescription } from '../../machine/machine';
import { loaderFiles } from '../acpi/loaderScript';
import { kernelDevices, type KernelDevices } from '../bhyve/kernelDevices';
import { e820Bytes } from '../e820';
import type { BoardInputs } from '../model';
import { propolisAcpiTables } from './acpiTables';
import { bootOrderFile } from './bootOrder';
import { PM_PORTS, propolisFunctions } from './chipset';
import { cmosBytes, guestE820, regionsE820 } from './e820';
import { poweredOff, rebooted, type ExitCodes } from './exits';
import { DebugOut, IsaPvpanic, Piix3Ports } from './ports';
import { Ps2Controller } from './ps2Controller';
import type { PropolisVersion } from './versions';

/** IRQ_COM1 to IRQ_COM4 and their ports (hw/ibmpc.rs). COM1 is the socket ttya; what the others send is thrown away. */
const COM1 = { base: 0x3f8, irq: 4 } as const;
const SILENT_SERIAL = [
  { base: 0x2f8, irq: 3 },
  { base: 0x3e8, irq: 4 },
  { base: 0x2e8, irq: 3 },
] as const;

/** PMRegs: power button in status and enable, SCI_EN and the sleep type in control. Nothing raises the interrupt. */
const PM = {
  place: () => ({ event: PM_PORTS.start, control: PM_PORTS.start + 4, timer: PM_PORTS.start + 8 }),
  timerBits: 32,
  sci: null,
  s5: 0,
  enableMask: 0x0100,
  controlMask: 0x3c01,
  controlReset: 0,
} as const;

/** FW_CFG_VER_BASE and FW_CFG_VER_DMA. */
const FW_CFG_FEATURES = 3;
const FW_CFG_CPU_COUNT = 0x0005;

export interface PropolisChips extends Pick<KernelDevices, 'pic' | 'ioapic'> {
  readonly console: Uart16550;
  /** All of them, in the order of a snapshot. */
  readonly devices: readonly Device[];
}

export function propolisChips(
  inputs: BoardInputs,
  version: PropolisVersion,
  memory: bigint,
  codes: ExitCodes,
): PropolisChips {
  const { clock } = inputs;
  const kernel = kernelDevices(inputs, { cmos: cmosBytes(memory) });
  const serial = (base: number, irq: number, transmit: (text: string) => void) =>
    new Uart16550(kernel.line(irq), { base, fifo: false, out2Gate: false, transmit });
  const console = serial(COM1.base, COM1.irq, (text) => inputs.console(text));
  const keyboard = new Ps2Controller({
    keyboard: kernel.line(1),
    mouse: kernel.line(12),
    reset: () =>
      inputs.request(
        rebooted('command 0xfe to the keyboard controller (port 0x64) pulled the reset pin', codes),
      ),
    panic: (what) => inputs.request({ kind: 'vmm-exit', reason: `propolis-standalone panics: ${what}` }),
  });
  const devices: Device[] = [
    ...kernel.devices,
    console,
    ...SILENT_SERIAL.map(({ base, irq }) => serial(base, irq, () => undefined)),
    keyboard,
    new PciConfig1(propolisFunctions()),
    new AcpiPm(clock, {
      ...PM,
      powerOff: () =>
        inputs.request(poweredOff('the guest entered S5 through the PM1 control register', codes)),
    }),
    new Piix3Ports(),
    new DebugOut((text) => inputs.debugLog(text)),
    ...(hasPvpanic(inputs.machine) ? [new IsaPvpanic()] : []),
    firmwareConfiguration(inputs, version, memory),
  ];
  return { pic: kernel.pic, ioapic: kernel.ioapic, console, devices };
}

/** `dev.NAME` with driver qemu-pvpanic and enable_isa; without that key nothing is attached. */
function hasPvpanic({ settings }: GuestDescription): boolean {
  for (const [path, { value }] of settings ?? []) {
    const device = /^(dev\..+)\.driver$/.exec(path)?.[1];
    if (device && value === 'qemu-pvpanic' && settings?.get(`${device}.enable_isa`)?.value === true)
      return true;
  }
  return false;
}

function firmwareConfiguration(inputs: BoardInputs, version: PropolisVersion, memory: bigint): FwCfg {
  const { machine } = inputs;
  const vcpus = machine.vcpus.value;
  const order = version.facts.bootOrder ? bootOrderFile(machine) : null;
  const map =
    machine.memory === null && version.facts.e820 ? regionsE820(machine.regions) : guestE820(version, memory);
  const files: FwCfgFile[] = [
    ...(order ? [{ name: 'bootorder', bytes: order }] : []),
    ...(map ? [{ name: 'etc/e820', bytes: e820Bytes(map) }] : []),
    ...(version.facts.acpiTables ? loaderFiles(propolisAcpiTables(vcpus, memory)) : []),
  ];
  return new FwCfg({
    items: new Map([
      [FW_CFG_SIGNATURE, new TextEncoder().encode('QEMU')],
      [FW_CFG_ID, Uint8Array.of(FW_CFG_FEATURES, 0, 0, 0)],
      [FW_CFG_CPU_COUNT, Uint8Array.of(vcpus, 0, 0, 0)],
    ]),
    files,
    readMemory: (address, length) => inputs.readMemory(address, length),
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
}
