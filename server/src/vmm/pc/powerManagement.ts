/** ACPI power management registers of the PIIX4 as QEMU's machine pc has them, by their offset from the programmed base. */
import type { AcpiPmPlace } from '../../devices/acpiPm';

/** Where SeaBIOS puts them, and what a machine without a firmware starts with. */
export const PM_BASE = 0x600;

export function pmPlace(base: number): AcpiPmPlace {
  return { event: base, control: base + 4, timer: base + 8 };
}

export const PM = {
  /** 82371AB data sheet, 7.1.3: the timer has 24 bits. */
  timerBits: 24,
  /** SLP_TYP of soft off. */
  s5: 0,
  /** Timer, global lock, power button, RTC. */
  enableMask: 0x0521,
  controlMask: 0x3c03,
  /** SCI_EN: there is no SMI that would have to set it. */
  controlReset: 1,
} as const;

/** IRQ of the system control interrupt. */
export const SCI = 9;
