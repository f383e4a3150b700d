/** Memory that ends beyond the address space of an older Propolis: the VM does not start. */
import type { KnownIssue } from '../../../machine/knownIssue';
import { PROPOLIS_VERSIONS } from '../versions';
import { GIB } from '../../../address/range';

const REPORT = 'oxidecomputer/propolis issue 903, 2025-05';
const FIXED_END = 16_384n * GIB;

/** No run shows it: there is no guest to run. */
export const propolisAddressSpace: KnownIssue = {
  id: 'propolis-address-space',
  vmm: 'propolis',
  title: 'Memory beyond the address space of Propolis: high memory cannot be added',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/propolis-address-space.md',
  affected: PROPOLIS_VERSIONS.filter(({ facts }) => facts.addressSpaceEnd < FIXED_END).map(({ id }) => id),
  statements: [
    {
      text: 'An instance with 1 TiB of memory failed at boot with an error from adding its high memory region.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'Memory above 3 GiB begins at 4 GiB, and the map of physical memory ends at MAX_PHYSMEM: 512 GiB until 2023-05, then 1 TiB, since 2025-05-05 16 TiB. The region for 64-bit MMIO between the two needs room too.',
      evidence: 'proven',
      citation:
        'lib/propolis/src/vmm/machine.rs, MAX_PHYSMEM, at commits fdc5e03f and 99a1a941; bin/propolis-standalone/src/main.rs, build_machine; lib/propolis/src/util/aspace.rs, register',
    },
    {
      text: 'Until 2023-05 the region for 64-bit MMIO began at 256 GiB whatever the memory, so 255 GiB were the most.',
      evidence: 'proven',
      citation: 'bin/propolis-standalone/src/main.rs, build_instance, before commit fdc5e03f',
    },
  ],
  hypotheses: [],
  fix: 'Propolis of 2025-05-05 or later (propolis@2025-05), or less memory.',
};
