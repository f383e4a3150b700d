/**
 * The generations of libkrun that differ in what an x86-64 Linux guest sees, and the facts that differ. Read at the tags of
 * containers/libkrun; the main branch up to 2026-06-12 (6ed74fac) changes nothing of it after 1.19.0.
 */
import type { VmmVersion } from '../model';

export interface LibkrunFacts {
  /**
   * Memory that virtio-fs maps files into (DAX): one window of 8 GiB for all, or one as large as each device asks for
   * (`ShmManager`, commit 94b09f09).
   */
  readonly sharedMemory: 'fixed' | 'per-device';
  /** krun_set_kernel takes ELF and compressed kernels with an initrd and a command line (commits dabce23a, 4461e41c). */
  readonly externalKernel: boolean;
  /** krun_set_firmware, krun_add_serial_console_default and krun_set_kernel_console (commits 2ecba0f5, 0252ebcb). */
  readonly firmwareAndSerial: boolean;
  /** A CMOS at ports 0x70 to 0x77 that tells the size of memory (commit 61419780). */
  readonly cmos: boolean;
  /** An ELF kernel with a PVH note is entered there (commit dc2d320a). */
  readonly pvh: boolean;
  /** The `nomodule` of DEFAULT_KERNEL_CMDLINE, which was `nomodules` once: neither spelling is a parameter of Linux. */
  readonly noModule: 'nomodules' | 'nomodule';
}

export interface LibkrunVersion extends VmmVersion {
  readonly facts: LibkrunFacts;
}

const FIRST: LibkrunFacts = {
  sharedMemory: 'fixed',
  externalKernel: false,
  firmwareAndSerial: false,
  cmos: false,
  pvh: false,
  noModule: 'nomodules',
};
const V1_9_5: LibkrunFacts = { ...FIRST, sharedMemory: 'per-device', noModule: 'nomodule' };
const V1_11: LibkrunFacts = { ...V1_9_5, externalKernel: true };
const V1_16: LibkrunFacts = { ...V1_11, firmwareAndSerial: true };
const V1_17: LibkrunFacts = { ...V1_16, cmos: true };
const V1_19: LibkrunFacts = { ...V1_17, pvh: true };

const version = (id: string, date: string, what: string, facts: LibkrunFacts): LibkrunVersion => ({
  id,
  title: `libkrun ${id} (${date}): ${what}`,
  source: `containers/libkrun v${id}: src/arch/src/x86_64, src/vmm/src/{builder,lib}.rs, src/vmm/src/linux/vstate.rs, src/devices/src/legacy`,
  facts,
});

/** Oldest first. */
export const LIBKRUN_VERSIONS: readonly LibkrunVersion[] = [
  version('1.8.0', '2024-02-23', '8 GiB window for virtio-fs', FIRST),
  version('1.9.5', '2024-09-27', 'a window for each virtio-fs device', V1_9_5),
  version('1.11.0', '2025-04-04', 'external kernels with an initrd and a command line', V1_11),
  version('1.16.0', '2025-10-28', 'firmware and serial consoles', V1_16),
  version('1.17.0', '2026-01-09', 'CMOS with the memory size', V1_17),
  version('1.19.0', '2026-06-10', 'PVH entry', V1_19),
];

export const NEWEST_LIBKRUN = LIBKRUN_VERSIONS.at(-1)!;

/** The version with that id, else the newest. */
export function libkrunVersion(id: string): LibkrunVersion {
  return LIBKRUN_VERSIONS.find((one) => one.id === id) ?? NEWEST_LIBKRUN;
}

/** For the choice of a version by pragma, in every format of a libkrun guest. */
export const LIBKRUN_VERSION_LIST = {
  vmm: 'libkrun',
  versions: LIBKRUN_VERSIONS,
  code: 'config-pragma',
} as const;
