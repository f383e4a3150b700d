/** RAM over the addresses that AMD keeps for HyperTransport cannot be given to a passed-through device. */
import type { AddressRange } from '../../../address/range';
import { GIB } from '../../../address/range';
import type { KnownIssue } from '../../../machine/knownIssue';
import { NAME } from '../origin';
import { CLOUD_HYPERVISOR_VERSIONS } from '../versions';

/** AMD I/O Virtualization Technology (IOMMU) Specification, 2.1.2; Linux drivers/iommu/amd/iommu.c, HT_RANGE_START and _END. */
export const HYPER_TRANSPORT: AddressRange = { start: 0xfd00000000n, end: 0x10000000000n };
/** RAM with 1 GiB more than 1012 GiB less the hole below 4 GiB reaches into it. */
export const LARGEST_BELOW = 1011n * GIB;

export const chvHyperTransportHole: KnownIssue = {
  id: 'chv-hypertransport-hole',
  vmm: NAME,
  title: 'RAM above 1011 GiB covers AMD’s HyperTransport range, and passed-through devices cannot reach it',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/chv-hypertransport-hole.md',
  affected: CLOUD_HYPERVISOR_VERSIONS.map(({ id }) => id),
  statements: [
    {
      text: 'RAM goes on from 4 GiB without a gap: with more than 1011 GiB it covers [0xfd00000000, 0x10000000000).',
      evidence: 'proven',
      citation:
        'arch/src/x86_64/mod.rs, arch_memory_regions, in every version that was read up to commit ae44c2971 (2026-08-22)',
    },
    {
      text: 'Linux reserves that range in the IOMMU of AMD hosts, and VFIO_IOMMU_MAP_DMA and IOMMU_IOAS_MAP refuse a mapping that crosses it: the VM with a passed-through device does not start (EINVAL).',
      evidence: 'proven',
      citation:
        'cloud-hypervisor pull requests 6094 (2024-01) and 8902 (2026-09); Linux drivers/iommu/amd/iommu.c, amd_iommu_get_resv_regions',
    },
    {
      text: 'A change that keeps RAM out of the range was proposed twice and is in no version that was read.',
      evidence: 'proven',
      citation: 'pull requests 6094 (closed) and 8902 (open, of 2026-09-19)',
    },
    {
      text: 'Issue 5942, a guest of 992 GiB with OVMF that has no window for devices, is another matter: it has no passed-through device.',
      evidence: 'inferred',
      citation: 'issue 5942, whose log ends in an assertion of PciHostBridgeDxe',
    },
  ],
  hypotheses: [],
  fix: 'On AMD hosts at most 1011 GiB of memory together with devices of VFIO, until RAM leaves the range out. Intel hosts are not concerned.',
};
