/** Lines of QEMU's test programs in which two right CPUs may differ. */
export interface Explained {
  readonly lines: RegExp;
  readonly reason: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    lines: /^sh[lr]dw .* C=[0-9a-f]*[13579bdf][1-9a-f] /,
    reason:
      'SHLD and SHRD of 16 bits by more than 16: result and flags are undefined (SDM vol. 2B), and vendors differ',
  },
];
