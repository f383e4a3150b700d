/** An initrd that lies above 4 GiB, where neither boot protocol can tell Linux of it. Found by reading the source. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { LIBKRUN_VERSIONS } from '../versions';

export const libkrunInitrdAbove4g: KnownIssue = {
  id: 'libkrun-initrd-above-4g',
  vmm: 'libkrun',
  title: 'The initrd of a guest with more than 3328 MiB is looked for at the wrong address',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/libkrun-initrd-above-4g.md',
  affected: LIBKRUN_VERSIONS.filter(({ facts }) => facts.externalKernel).map(({ id }) => id),
  statements: [
    {
      text: 'The initrd is put at the very end of RAM, which is above 4 GiB for more than 3328 MiB.',
      evidence: 'proven',
      citation:
        'containers/libkrun src/arch/src/x86_64/mod.rs, arch_memory_regions (initrd_addr); src/vmm/src/builder.rs, load_external_kernel (2026-06-12)',
    },
    {
      text: 'The 64-bit boot protocol gets the low 32 bits of that address: ramdisk_image is set, ext_ramdisk_image is not.',
      evidence: 'proven',
      citation: 'containers/libkrun src/arch/src/x86_64/mod.rs, configure_64bit_boot',
    },
    {
      text: 'By PVH the whole address is told, and Linux itself keeps 32 bits of it.',
      evidence: 'mechanism',
      citation:
        'containers/libkrun src/arch/src/x86_64/mod.rs, configure_pvh; Debian’s Linux 6.1.192 under this model prints RAMDISK: [mem 0x2fff0000-0x2fffffff] for an initrd at 0x12fff0000',
    },
  ],
  hypotheses: [],
  fix: 'Nothing in libkrun up to 1.19.0. At most 3328 MiB of memory, or a root file system without an initrd.',
};
