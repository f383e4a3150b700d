/** Registers in the layout of QEMU, or a list of them. Bounded, so that the test is linear. */
export const REGISTER_SET_MARKERS: readonly RegExp[] = [
  /\bCR0=[0-9a-f]{8} CR2=[0-9a-f]{8,16} CR3=[0-9a-f]{8,16} CR4=[0-9a-f]{8}\b/,
  /^[ \t]{0,8}cr0[ \t=]{1,16}0x[0-9a-f]{1,16}\b(?:[^\n]{0,200}\n){0,24}[^\n]{0,200}\b(?:cr4|efer)[ \t=]{1,16}0x[0-9a-f]{1,16}\b/im,
];
