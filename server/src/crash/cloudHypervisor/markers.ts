/** Lines that only Cloud Hypervisor's log has. Bounded, so that the test is linear. */
export const CLOUD_HYPERVISOR_MARKERS: readonly RegExp[] = [
  /\bGuest likely triple-faulted\b/,
  /-- VmExit::Reset\b/,
  /\bFailed moving device BAR: failed allocating new\b/,
];
