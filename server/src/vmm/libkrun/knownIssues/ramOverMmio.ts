/** RAM that reaches into the MMIO gap, because the mapped kernel comes on top of it. Found by reading the source. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { LIBKRUN_VERSIONS } from '../versions';

export const libkrunRamOverMmio: KnownIssue = {
  id: 'libkrun-ram-over-mmio',
  vmm: 'libkrun',
  title: 'RAM behind the mapped kernel covers the virtio devices',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/libkrun-ram-over-mmio.md',
  affected: LIBKRUN_VERSIONS.map(({ id }) => id),
  statements: [
    {
      text: 'Up to 3328 MiB the whole size is put behind the mapped kernel, without a look at where the MMIO gap begins; only larger guests are split there.',
      evidence: 'proven',
      citation:
        'containers/libkrun src/arch/src/x86_64/mod.rs, arch_memory_regions, case 1 (2026-06-12; alike since v1.8.0)',
    },
    {
      text: 'A memory slot of KVM answers before any device of the VMM, so virtio-mmio registers at 0xd0000000 are plain RAM then, which reads 0: Linux says "Wrong magic value" and has neither root file system nor console.',
      evidence: 'mechanism',
      citation:
        'containers/libkrun src/vmm/src/builder.rs, MMIODeviceManager::new at MMIO_MEM_START; libkrunfw’s Linux 6.12.76 under this model: with 3290 MiB each device is read by MMIO exits, with 3320 MiB there is none',
    },
    {
      text: 'The guest then panics for want of a root file system, and libkrun ends with status 0 and no output (libkrun-i8042-reset).',
      evidence: 'inferred',
      citation: 'the two above; not seen on a host',
    },
  ],
  hypotheses: [],
  fix: 'Nothing in libkrun up to 1.19.0. More than 3328 MiB, or some 35 MiB less (the kernel’s load address and size).',
};
