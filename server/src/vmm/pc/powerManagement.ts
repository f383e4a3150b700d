/** ACPI PM ports of the PIIX4 where SeaBIOS puts them on QEMU's machine pc. */
export const PM = {
  event: 0x600,
  control: 0x604,
  timer: 0x608,
  s5: 0,
  /** Timer, global lock, power button, RTC. */
  enableMask: 0x0521,
  controlMask: 0x3c03,
  /** SCI_EN: there is no SMI that would have to set it. */
  controlReset: 1,
} as const;
