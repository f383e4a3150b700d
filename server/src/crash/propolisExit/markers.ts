/** What only such a text has. Bounded, so that the test is linear. */
export const PROPOLIS_EXIT_MARKERS: readonly RegExp[] = [
  /\bvCPU \d{1,4}: Unhandled VM exit: \w/,
  /\bUnhandled exit @rip:[0-9a-f]{1,16} \w/,
];
