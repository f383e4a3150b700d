/** What only a Linux oops or panic has. Bounded, so that the test is linear. */
export const LINUX_OOPS_MARKERS: readonly RegExp[] = [
  /\bPANIC: double fault\b/,
  /\bBUG: (?:unable to handle|kernel NULL pointer dereference)/,
  /\bKernel panic - not syncing\b/,
  /\bkernel BUG at [^\s!]{1,256}!/,
  /\[#\d{1,9}\] (?:PREEMPT|SMP|NOPTI|PTI|KASAN)/,
  /\bRIP: [0-9a-f]{4}:[^\n]{0,512}\n(?:[^\n]{0,2048}\n){0,4}[^\n]{0,512}\bRSP: [0-9a-f]{4}:/,
];
