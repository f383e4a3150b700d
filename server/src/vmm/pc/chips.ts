/** The chips of the plain PC and the wires between them. */
import { hex } from '../../address/format';
import { KIB } from '../../address/range';
import { AcpiPm } from '../../devices/acpiPm';
import { DebugExit } from '../../devices/debugExit';
import type { Device, InterruptLine } from '../../devices/device';
import { Hpet, PC_HPET } from '../../devices/hpet';
import { I8042 } from '../../devices/i8042';
import { I8254 } from '../../devices/i8254';
import { I8259Pair } from '../../devices/i8259';
import {
  i440fxFunctions,
  powerManagementBase,
  programAsFirmware,
  type I440fxFunctions,
} from '../../devices/i440fx';
import { Ioapic82093aa } from '../../devices/ioapic82093aa';
import { Mc146818 } from '../../devices/mc146818';
import { PciConfig1 } from '../../devices/pciConfig1';
import { PcTestdev } from '../../devices/pcTestdev';
import { ResetControlCf9 } from '../../devices/resetControlCf9';
import { SystemPort61 } from '../../devices/systemPort61';
import { SystemPort92 } from '../../devices/systemPort92';
import { Uart16550 } from '../../devices/uart16550';
import type { BoardInputs } from '../model';
import { EPOCH } from '../epoch';
import { cmos } from './cmos';
import { firmwareConfiguration } from './firmwareConfiguration';
import { HPET_BASE, IOAPIC_BASE } from './layout';
import { PM, PM_BASE, pmPlace, SCI } from './powerManagement';

const DEBUG_EXIT_PORT = 0xf4;
/** IRQ 0 of the timer reaches input 2 of the I/O APIC, since input 0 has the 8259 pair on a PC. */
const TIMER_INPUT = 2;
/** The 8259 pair's output, for ExtINT (MP specification 1.4, 3.6.2.2). */
const PIC_INPUT = 0;
/** I/O APIC inputs that HPET timers can be routed to, as on QEMU's machine pc. */
const HPET_ROUTES = 1 << TIMER_INPUT;
/** What a BIOS leaves in the 8042: translated scan codes with interrupts, the mouse off, the system flag set. */
const COMMAND_BYTE_AFTER_BIOS = 0x65;
/** QEMU's subsystem ID of the chip set. */
const SUBSYSTEM = [0x1af4, 0x1100] as const;

export interface PcChips {
  readonly pic: I8259Pair;
  readonly ioapic: Ioapic82093aa;
  readonly console: Uart16550;
  /** All of them, in the order of a snapshot. */
  readonly devices: readonly Device[];
}

export function pcChips(inputs: BoardInputs, memory: bigint): PcChips {
  const { clock } = inputs;
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
  /** Each line goes to both controllers. */
  const setLine = (irq: number, level: boolean) => {
    if (irq < 16) pic.setLine(irq, level);
    ioapic.setLine(irq === 0 ? TIMER_INPUT : irq, level);
  };
  const line = (irq: number) => (level: boolean) => setLine(irq, level);
  const hpet = new Hpet(clock, {
    base: HPET_BASE,
    shape: PC_HPET,
    legacy: [line(0), line(8)],
    routes: HPET_ROUTES,
    route: (input, level) => ioapic.setLine(input, level),
  });
  const timer = new I8254(clock, hpet.legacyInput(0), { restartsOnCount: false });
  const console = new Uart16550(line(4), {
    base: 0x3f8,
    fifo: true,
    out2Gate: true,
    transmit: (text) => inputs.console(text),
  });
  const functions = i440fxFunctions(...SUBSYSTEM);
  // Without a firmware the registers are as SeaBIOS would leave them.
  if (!inputs.firmware) programAsFirmware(functions, PM_BASE);
  const devices: Device[] = [
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
      indexReads: false,
    }),
    console,
    ioapic,
    ...chipSet(inputs, functions, line(SCI)),
    ...resets(inputs, line(1), line(12)),
    firmwareConfiguration(inputs, memory, () => powerManagementBase(functions.powerManagement)),
    new PcTestdev((irq, level) => setLine(irq, level)),
  ];
  return { pic, ioapic, console, devices };
}

function chipSet(inputs: BoardInputs, functions: I440fxFunctions, sci: InterruptLine): Device[] {
  const { powerManagement } = functions;
  return [
    new PciConfig1(Object.values(functions), (fn) => {
      if (fn === powerManagement) inputs.portsMoved();
    }),
    new AcpiPm(inputs.clock, {
      ...PM,
      place: () => {
        const base = powerManagementBase(powerManagement);
        return base === null ? null : pmPlace(base);
      },
      sci,
      powerOff: () =>
        inputs.request({ kind: 'shutdown', reason: 'the guest entered S5 through the PM1 control register' }),
    }),
  ];
}

/** What ends a run, or resets the machine; the keyboard controller is among it. */
function resets(inputs: BoardInputs, irq1: InterruptLine, irq12: InterruptLine): Device[] {
  const reset = (reason: string) => inputs.request({ kind: 'reset', reason });
  // Port 0x92 and the keyboard controller both work the gate, and the last write counts, as on QEMU's machine pc.
  const setA20 = (on: boolean) => inputs.setA20(on);
  return [
    new SystemPort92({
      setA20,
      reset: () => reset('a write to port 0x92 raised bit 0, which resets the machine'),
    }),
    new I8042(inputs.clock, irq1, irq12, {
      mouse: true,
      commandByte: inputs.firmware ? 0 : COMMAND_BYTE_AFTER_BIOS,
      setA20,
      reset: (command) => reset(`command ${hex(command)} to the keyboard controller pulled the reset line`),
    }),
    new ResetControlCf9((hard) =>
      reset(`a write to port 0xcf9 raised bit 2, a ${hard ? 'hard' : 'soft'} reset of the machine`),
    ),
    new DebugExit(DEBUG_EXIT_PORT, (value, exitStatus) =>
      inputs.request({
        kind: 'shutdown',
        reason: `the guest wrote ${hex(value)} to the debug exit port ${hex(DEBUG_EXIT_PORT)}: exit status ${exitStatus}`,
        exitStatus,
      }),
    ),
  ];
}
