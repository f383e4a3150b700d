/** What only such a text has. Bounded, so that the test is linear. */
export const KVM_SHUTDOWN_MARKERS: readonly RegExp[] = [
  /\bReceived KVM_EXIT_SHUTDOWN signal\b/,
  /\bUnexpected exit reason on vcpu run: "?Shutdown\b/,
];
