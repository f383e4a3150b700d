/** What only an illumos panic has. Bounded, so that the test is linear. */
export const ILLUMOS_PANIC_MARKERS: readonly RegExp[] = [
  /\bpanic\[cpu\d{1,5}\]\/thread=[0-9a-f]{1,16}: /,
  /\bassertion failed: [^\n]{1,400}, file: [^\s,]{1,300}, line: \d{1,7}/,
  /\bpanicst(?:r|ack) = /,
  /\bpanic message: (?:assertion failed: |BAD TRAP: |bad pending MMIO state)/,
  /^bad pending MMIO state\b/m,
];
