/** What of a guest's description libkrun looks at, under the names of its own calls (include/libkrun.h). */
import type { GuestDescription, Setting } from '../../machine/machine';

/** Keys of `GuestDescription.settings` that this model reads: the call and its argument. */
export const SETTING = {
  kernelFormat: 'krun_set_kernel.kernel_format',
  /** The command line is given, and no literal says it. */
  computedCommandLine: 'krun_set_kernel.cmdline (computed)',
  kernelConsole: 'krun_set_kernel_console',
  serialConsole: 'krun_add_serial_console_default',
  noImplicitConsole: 'krun_disable_implicit_console',
  root: 'krun_set_root',
  sharedMemory: 'krun_add_virtiofs.shm_size',
} as const;

/** `kernel_format`: KRUN_KERNEL_FORMAT_* by number. */
export const KERNEL_FORMATS = ['raw', 'elf', 'pe-gz', 'image-bz2', 'image-gz', 'image-zstd'] as const;
export type KernelFormat = (typeof KERNEL_FORMATS)[number];

/** What is started: libkrunfw's kernel, a kernel of the config's, or a firmware. */
export type Payload = 'bundled' | KernelFormat | 'firmware';

export interface LibkrunGuest {
  readonly payload: Payload;
  /** Serial ports that the caller asked for: the first is COM1. */
  readonly serialConsoles: number;
  /** libkrun's own console, hvc0. */
  readonly implicitConsole: boolean;
  /** Takes the place of the first console= of the command line. */
  readonly kernelConsole: string | null;
  /** Its command line is given, but not by a literal. */
  readonly computedCommandLine: boolean;
  /** Sizes of the virtio-fs windows in bytes, in the order of the devices. */
  readonly windows: readonly bigint[];
  /** The root is a directory of the host, or a dummy one before a disk: both are the device /dev/root. */
  readonly rootFileSystem: boolean;
}

/** The window of /dev/root (krun_set_root, krun_set_root_disk_remount): 512 MiB. */
const ROOT_WINDOW = 1n << 29n;

/** Of any guest, also one that another VMM's config describes: then it has libkrunfw's kernel, or the one that is named. */
export function libkrunGuest(guest: GuestDescription): LibkrunGuest {
  const value = (key: string): Setting | undefined => guest.settings?.get(key)?.value;
  const named = (role: string) => guest.images.some((image) => image.role === role);
  const serial = value(SETTING.serialConsole);
  const shared = value(SETTING.sharedMemory);
  const rootFileSystem = value(SETTING.root) !== undefined;
  return {
    payload: payloadOf(value(SETTING.kernelFormat), named),
    serialConsoles: typeof serial === 'bigint' ? Number(serial) : serial === true ? 1 : 0,
    implicitConsole: value(SETTING.noImplicitConsole) !== true,
    kernelConsole: textOf(value(SETTING.kernelConsole)),
    computedCommandLine: value(SETTING.computedCommandLine) === true,
    windows: [
      ...(rootFileSystem ? [ROOT_WINDOW] : []),
      ...(typeof shared === 'bigint' && shared > 0n ? [shared] : []),
    ],
    rootFileSystem,
  };
}

/** A kernel bundle comes before an external kernel, and that before a firmware (`choose_payload`). */
function payloadOf(format: Setting | undefined, named: (role: string) => boolean): Payload {
  const known = KERNEL_FORMATS.find((one) => one === format);
  if (known) return known;
  if (named('kernel')) return 'elf';
  return named('firmware') ? 'firmware' : 'bundled';
}

function textOf(value: Setting | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
