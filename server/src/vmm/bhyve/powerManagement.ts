/**
 * Power management as bhyve has it (pm.c of FreeBSD commit 3af9b944c): reset register, PM1 event and control, SMI command port
 * and general-purpose events, with the PM timer of the kernel (vpmtmr.c). No status bit is ever set: only SIGTERM and a change
 * of the generation ID would do that, so there is no SCI.
 */
import { PM_TIMER_HERTZ } from '../../devices/acpiPm';
import type { Clock, Device, DeviceState } from '../../devices/device';
import { Frequency } from '../../devices/frequency';

export const SCI = 9;
/** First ports of PM1a_EVT, PM1a_CNT, PM_TMR and GPE0. */
export const PM_PORTS = { event: 0x400, control: 0x404, timer: 0x408, gpe0: 0x40c } as const;
/** SMI_CMD and the values that set and clear SCI_EN. */
export const SMI_COMMAND = { port: 0xb2, enable: 0xa0, disable: 0xa1 } as const;
export const RESET_PORT = 0xcf9;
/** SLP_TYP of S5. */
export const S5 = 5;

const PM1_ENABLE = PM_PORTS.event + 2;
const GPE0_ENABLE = PM_PORTS.gpe0 + 1;
/** RTC_EN, PWRBTN_EN and GBL_EN. */
const ENABLE_MASK = 0x0520;
const SCI_EN = 1;
const SLP_EN = 0x2000;
/** SLP_EN reads as zero, and so do the top bits, BM_RLD and SCI_EN itself before it is put back. */
const CONTROL_KEPT = 0xffff & ~(SLP_EN | 0xc003);
const GENERATION_EVENT = 1;
const RESET_CPU = 4;

export interface BhyvePmOptions {
  readonly gpe0: boolean;
  reset(value: number): void;
  powerOff(): void;
}

interface State {
  enable: number;
  control: number;
  gpe0Enable: number;
  resetControl: number;
}

/** Each register is one port; widths that bhyve refuses never come here. */
export class BhyvePm implements Device {
  readonly name = 'ACPI PM and reset control';
  readonly ports: readonly { readonly start: number; readonly end: number }[];
  private readonly input = new Frequency(PM_TIMER_HERTZ);
  private state: State = powerOn();

  constructor(
    private readonly clock: Clock,
    private readonly options: BhyvePmOptions,
  ) {
    const { event, control, timer, gpe0 } = PM_PORTS;
    const single = [event, PM1_ENABLE, control, timer, SMI_COMMAND.port, RESET_PORT];
    if (options.gpe0) single.push(gpe0, GPE0_ENABLE);
    this.ports = single.map((port) => ({ start: port, end: port + 1 }));
  }

  readPort(port: number): number {
    const { enable, control, gpe0Enable, resetControl } = this.state;
    switch (port) {
      case PM1_ENABLE:
        return enable;
      case PM_PORTS.control:
        return control;
      case PM_PORTS.timer:
        return this.input.ticks(this.clock.now()) % 2 ** 32;
      case GPE0_ENABLE:
        return gpe0Enable;
      case RESET_PORT:
        return resetControl;
      default:
        return 0;
    }
  }

  writePort(port: number, _size: number, value: number): void {
    const { state } = this;
    if (port === PM1_ENABLE) state.enable = value & ENABLE_MASK;
    else if (port === GPE0_ENABLE) state.gpe0Enable = value & GENERATION_EVENT;
    else if (port === PM_PORTS.control) {
      state.control = (state.control & SCI_EN) | (value & CONTROL_KEPT);
      if ((value & SLP_EN) !== 0 && ((value >> 10) & 7) === S5) this.options.powerOff();
    } else if (port === SMI_COMMAND.port) {
      if (value === SMI_COMMAND.enable) state.control |= SCI_EN;
      if (value === SMI_COMMAND.disable) state.control &= ~SCI_EN;
    } else if (port === RESET_PORT) {
      state.resetControl = value & 0xff;
      if ((value & RESET_CPU) !== 0) this.options.reset(value & 0xff);
    }
  }

  reset(): void {
    this.state = powerOn();
  }

  save(): DeviceState {
    return { ...this.state };
  }

  restore(state: DeviceState): void {
    this.state = { ...(state as unknown as State) };
  }
}

function powerOn(): State {
  return { enable: 0, control: 0, gpe0Enable: 0, resetControl: 0 };
}
