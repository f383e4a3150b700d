/** Devices of a Cloud Hypervisor config that live in other processes or on the host. */
import { BOOLEAN, I32, listOf, STRING, U16, U32, U64, U8 } from '../../text/shape/rustTypes';
import type { InVersion, ObjectShape } from '../../text/shape/shape';
import { pciMembers, queueMembers } from './shapePci';

export function device(has: InVersion): ObjectShape {
  const source = 'vm_config.rs, DeviceConfig';
  const optional = has({ since: 'v53.0' });
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      path: {
        shape: STRING,
        text: 'The device’s folder in sysfs.',
        required: !optional,
        nullable: optional,
        example: '"/sys/bus/pci/devices/0000:01:00.0/"',
        source,
      },
      fd: {
        shape: I32,
        text: 'An open VFIO device, instead of `path`.',
        nullable: true,
        since: 'v53.0',
        source,
      },
      x_nv_gpudirect_clique: {
        shape: U8,
        text: 'Its GPUDirect clique.',
        nullable: true,
        since: 'v39.0',
        source,
      },
      x_exclude_mmap_bars: {
        shape: listOf(U64),
        text: 'BARs, 0 to 5, that are not mapped.',
        default: '[]',
        since: 'v52.0',
        source,
      },
    },
  };
}

export function userDevice(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers({ iommu: 'v52.0' }),
      socket: { shape: STRING, text: 'The socket of the vfio-user server.', required: true },
    },
  };
}

export function vdpa(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      path: { shape: STRING, text: 'The device, as /dev/vhost-vdpa-0.', required: true },
      num_queues: { shape: U64, text: 'Number of queues.', default: '1' },
    },
  };
}

/** `cid` was a u64 up to v37.0. */
export function vsock(has: InVersion): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      cid: {
        shape: has({ since: 'v38.0' }) ? U32 : U64,
        text: 'The guest’s context ID: 3 or more.',
        required: true,
        formerly: ['guest_cid'],
        example: '3',
      },
      socket: { shape: STRING, text: 'The socket on the host.', required: true, formerly: ['uds_path'] },
    },
  };
}

export function fs(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers({ iommu: 'v52.0' }),
      tag: { shape: STRING, text: 'The name by which the guest mounts it.', required: true },
      socket: { shape: STRING, text: 'The socket of virtiofsd.', required: true },
      ...queueMembers('1', '1024'),
      dax: {
        shape: BOOLEAN,
        text: 'Maps files into the guest. Gone since v25.0.',
        default: 'true',
        until: 'v23.0',
      },
      cache_size: { shape: U64, text: 'Bytes of that window. Gone since v25.0.', until: 'v23.0' },
    },
  };
}

export function genericVhostUser(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      socket: { shape: STRING, text: 'The socket of the vhost-user server.', required: true },
      queue_sizes: { shape: listOf(U16), text: 'Entries of each queue: powers of two.', required: true },
      device_type: { shape: U32, text: 'The virtio device type.', required: true },
    },
  };
}

export function tpm(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: { socket: { shape: STRING, text: 'The socket of swtpm.', required: true } },
  };
}

export function ivshmem(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      path: { shape: STRING, text: 'The file that is shared.', required: true },
      size: { shape: U64, text: 'Bytes: a power of two.', required: true },
    },
  };
}
