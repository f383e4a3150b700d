/** Resets through a port that no prose has in these words. Bounded, so that the test is linear. */
export const PORT_WRITE_MARKERS: readonly RegExp[] = [
  /\bpio_write at 0x64 size 1 count 1 val 0xfe\b/,
  /\bpio_write at 0xcf9 size 1 count 1 val 0x[0-9a-f]?[67ef]\b/,
  /\bOUT 0x64, ?0x[fF][eE]\b/,
  /\bpio write:? port[ =]0x64,? (?:size[ =]1,? )?data[ =]\[?(?:0x)?fe\b/i,
  /\bIoOut\((?:100|0x64), \[(?:254|0xfe)\]/,
];
