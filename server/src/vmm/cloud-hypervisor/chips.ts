/** The devices of a Cloud Hypervisor VM on KVM: a split irqchip, so no 8259 and no 8254 at all (vmm/src/device_manager.rs). */
import type { Device } from '../../devices/device';
import { Ioapic82093aa } from '../../devices/ioapic82093aa';
import { Uart16550 } from '../../devices/uart16550';
import { KvmRunData, ThroughRunData } from '../kvm/runData';
import type { BoardInputs } from '../model';
import { EPOCH } from '../epoch';
import { IOAPIC, RAM_64 } from './addresses';
import { CloudHypervisorCmos } from './cmos';
import { powerOff, RESETS, timerPanic } from './exits';
import { lowRamEnd, ramOf } from './memory';
import { numberOption, textOption } from './origin';
import { PciHost } from './pciHost';
import { DebugOutput, PmTimer, ResetController, SleepRegister } from './platformDevices';
import type { CloudHypervisorVersion } from './versions';

const COM1 = 0x3f8;
const COM1_IRQ = 4;
const DEBUG_CONSOLE_PORT = 0xe9;
/** The ports that v26.0 and v27.0 have beside the new ones. */
const OLD_PORTS = { sleep: 0x3c0, timer: 0xb008 } as const;

export interface Chips {
  readonly ioapic: Ioapic82093aa;
  readonly runData: KvmRunData;
  /** Null where the config turns the serial port off. */
  readonly serial: Uart16550 | null;
  /** In the order of a snapshot. */
  readonly devices: readonly Device[];
}

export function chipsOf(inputs: BoardInputs, version: CloudHypervisorVersion): Chips {
  const { clock, machine } = inputs;
  const { facts } = version;
  const ioapic = new Ioapic82093aa({
    base: IOAPIC.start,
    size: IOAPIC.end - IOAPIC.start,
    id: 0,
    deliver: (...message) => inputs.deliver(...message),
  });
  const serial =
    textOption(machine, 'serial.mode') === 'Off'
      ? null
      : new Uart16550(ioapic.line(COM1_IRQ), {
          base: COM1,
          fifo: true,
          out2Gate: false,
          transmit: (text) => inputs.console(text),
        });
  const runData = new KvmRunData();
  const ram = ramOf(machine);
  const cmos = new CloudHypervisorCmos(clock, {
    epoch: EPOCH,
    memoryBelow: lowRamEnd(ram),
    memoryAbove: ram.reduce((sum, { start, end }) => (start >= RAM_64 ? sum + end - start : sum), 0n),
    reset: facts.cmosReset ? () => inputs.request(RESETS.cmos) : null,
    power: facts.cmosPower,
  });
  const power = [facts.acpiPorts, ...(facts.oldAcpiPortsToo ? [OLD_PORTS] : [])];
  return {
    ioapic,
    runData,
    serial,
    devices: [
      new ThroughRunData(ioapic, runData, ioapicTakes),
      new ResetController(() => inputs.request(RESETS.i8042)),
      cmos,
      ...power.flatMap(({ sleep, timer }) => [
        new SleepRegister({
          first: sleep,
          bytesOnly: facts.checksAcpiSize,
          reset: () => inputs.request(RESETS.acpi(sleep)),
          powerOff: () => inputs.request(powerOff(sleep)),
        }),
        new PmTimer(clock, timer, facts.bearsWrongSizes ? null : () => inputs.request(timerPanic(timer))),
      ]),
      ...(serial ? [serial] : []),
      ...debugOutputs(inputs, version),
      new ThroughRunData(new PciHost(), runData),
      runData,
    ],
  };
}

/** Other sizes and other places are left alone, with a line in the log (devices/src/ioapic.rs, BusDevice). */
function ioapicTakes(address: bigint, size: number): boolean {
  const offset = address - IOAPIC.start;
  return size === 4 && (offset === 0x00n || offset === 0x10n);
}

/** Boot codes go to the log; what firmware writes to 0x402 goes to the VMM's own standard output. */
function debugOutputs(inputs: BoardInputs, { facts }: CloudHypervisorVersion): Device[] {
  const mode = textOption(inputs.machine, 'debug_console.mode') ?? 'Off';
  const outputs = [
    new DebugOutput(0x80, 0, () => undefined),
    new DebugOutput(0x402, 0xe9, (character) => inputs.debugLog(character)),
  ];
  if (facts.debugConsole && mode !== 'Off') {
    const port = numberOption(inputs.machine, 'debug_console.iobase') ?? DEBUG_CONSOLE_PORT;
    const show = mode === 'Null' ? () => undefined : (character: string) => inputs.debugLog(character);
    outputs.push(new DebugOutput(port, 0, show));
  }
  return outputs;
}
