/** Keys of `GuestDescription.settings` under which a text says what CPU its guest runs on. */
export const CPU_SETTINGS = {
  /** `intel` or `amd`. */
  vendor: 'cpu.vendor',
  /** MAXPHYADDR in bits. */
  physicalWidth: 'cpu.physical-width',
} as const;
