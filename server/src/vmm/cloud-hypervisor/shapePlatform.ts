/** The parts of a Cloud Hypervisor config on the platform: segments, SMBIOS strings, NUMA nodes, Landlock. */
import { BOOLEAN, bounded, I32, listOf, STRING, U16, U32, U8 } from '../../text/shape/rustTypes';
import type { InVersion, Member, ObjectShape } from '../../text/shape/shape';

/** The SMBIOS strings got their names in v53.0, which takes two of the older ones as well. */
export function platform(has: InVersion): ObjectShape {
  const source = 'vm_config.rs, PlatformConfig';
  const renamed = has({ since: 'v53.0' });
  const text = (what: string, more: Partial<Member> = {}): Member => ({
    shape: STRING,
    text: `${what} in SMBIOS.`,
    nullable: true,
    source,
    ...more,
  });
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      num_pci_segments: {
        shape: bounded(U16, { least: 1n, most: has({ since: 'v38.0' }) ? 96n : 16n }),
        text: 'PCI segments: up to 96, up to 16 in older releases.',
        default: '1',
        source,
      },
      iommu_segments: {
        shape: listOf(U16),
        text: 'Segments behind the virtual IOMMU.',
        nullable: true,
        since: 'v23.0',
        source,
      },
      iommu_address_width_bits: {
        shape: bounded(U8, { most: 64n }),
        text: 'Address bits of the virtual IOMMU.',
        default: '64',
        since: 'v48.0',
        source,
      },
      ...(renamed
        ? {
            system_serial_number: text('The serial number', { aliases: ['serial_number'] }),
            system_uuid: text('The UUID', { aliases: ['uuid'] }),
          }
        : {
            serial_number: text('The serial number', { since: 'v26.0' }),
            uuid: text('The UUID', { since: 'v26.0' }),
            system_serial_number: text('The serial number', { since: 'v53.0' }),
            system_uuid: text('The UUID', { since: 'v53.0' }),
          }),
      oem_strings: {
        shape: listOf(STRING),
        text: 'OEM strings in SMBIOS.',
        nullable: true,
        since: 'v26.0',
        source,
      },
      ...Object.fromEntries(
        [
          ['system_manufacturer', 'The manufacturer'],
          ['system_product_name', 'The product’s name'],
          ['system_version', 'The version'],
          ['system_family', 'The family'],
          ['system_sku_number', 'The SKU number'],
          ['chassis_asset_tag', 'The chassis’ asset tag'],
        ].map(([key, what]) => [key!, text(what!, { since: 'v53.0' })]),
      ),
      tdx: {
        shape: BOOLEAN,
        text: 'Only in builds with the feature `tdx`.',
        default: 'false',
        since: 'v28.0',
        source,
      },
      sev_snp: {
        shape: BOOLEAN,
        text: 'Only in builds with the feature `sev_snp`.',
        default: 'false',
        since: 'v38.0',
        source,
      },
      iommufd: { shape: BOOLEAN, text: 'VFIO by iommufd.', default: 'false', since: 'v52.0', source },
      iommufd_fd: { shape: I32, text: 'An open iommufd.', nullable: true, since: 'v53.0', source },
      vfio_p2p_dma: {
        shape: BOOLEAN,
        text: 'VFIO devices reach each other.',
        default: 'true',
        since: 'v52.0',
        source,
      },
    },
  };
}

export function numa(has: InVersion): ObjectShape {
  const source = 'vm_config.rs, NumaConfig';
  const cpu = has({ since: 'v48.0' }) ? U32 : U8;
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      guest_numa_id: {
        shape: U32,
        text: 'The node’s number.',
        required: has({ since: 'v52.0' }),
        default: '0',
        source,
      },
      cpus: { shape: listOf(cpu), text: 'Its vCPUs.', nullable: true, source },
      distances: {
        shape: listOf({
          kind: 'object',
          others: 'ignored',
          members: {
            destination: { shape: U32, text: 'The other node.', default: '0' },
            distance: { shape: U8, text: 'How far it is; 10 for the node itself.', default: '0' },
          },
        }),
        text: 'Distances to other nodes.',
        nullable: true,
        source,
      },
      memory_zones: {
        shape: listOf(STRING),
        text: 'Its parts of memory, by the `id` of `memory.zones`.',
        nullable: true,
        source,
      },
      sgx_epc_sections: {
        shape: listOf(STRING),
        text: 'Its SGX sections. Gone since v48.0.',
        nullable: true,
        since: 'v20.0',
        until: 'v39.0',
        source,
      },
      pci_segments: { shape: listOf(U16), text: 'Its PCI segments.', nullable: true, since: 'v38.0', source },
      device_id: {
        shape: STRING,
        text: 'A device that is a node without CPUs or memory.',
        nullable: true,
        since: 'v52.0',
        source,
      },
    },
  };
}

export function pciSegments(): ObjectShape {
  const weight: Member = {
    shape: bounded(U32, { least: 1n }),
    text: 'Its share of address space, against those of the others.',
    default: '1',
  };
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      pci_segment: { shape: U16, text: 'The segment.', default: '0' },
      mmio32_aperture_weight: weight,
      mmio64_aperture_weight: weight,
    },
  };
}

export function landlockRules(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      path: { shape: STRING, text: 'A file or folder, which must exist.', required: true },
      access: {
        shape: { kind: 'string', pattern: /^[rw]+$/, expected: 'r, w or rw' },
        text: 'What is allowed: `r`, `w` or `rw`.',
        required: true,
      },
    },
  };
}
