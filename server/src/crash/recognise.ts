/** Whether a text is a crash dump, by its content. The client asks this before it starts the server, so it loads nothing else. */
import { PROPOLIS_EXIT_MARKERS } from './propolisExit/markers';
import { KVM_SHUTDOWN_MARKERS } from './kvmShutdown/markers';
import { CLOUD_HYPERVISOR_MARKERS } from './cloudHypervisor/markers';
import { ILLUMOS_PANIC_MARKERS } from './illumos/markers';
import { LINUX_OOPS_MARKERS } from './linux/markers';
import { PORT_WRITE_MARKERS } from './portWrite/markers';
import { REGISTER_SET_MARKERS } from './registerSet/markers';

/** As much of a text as is looked at to recognise it. */
const SNIFFED = 65536;

const MARKERS: readonly RegExp[] = [
  ...PROPOLIS_EXIT_MARKERS,
  ...KVM_SHUTDOWN_MARKERS,
  ...CLOUD_HYPERVISOR_MARKERS,
  ...ILLUMOS_PANIC_MARKERS,
  ...LINUX_OOPS_MARKERS,
  ...REGISTER_SET_MARKERS,
  ...PORT_WRITE_MARKERS,
];

export function recogniseCrashDump(text: string): boolean {
  const head = text.slice(0, SNIFFED);
  return MARKERS.some((marker) => marker.test(head));
}
