/** Disks, network and the other virtio devices that Cloud Hypervisor has itself. */
import { BOOLEAN, I32, listOf, STRING, U16, U64 } from '../../text/shape/rustTypes';
import type { InVersion, ObjectShape, Shape } from '../../text/shape/shape';
import { pciMembers, PCI_SINCE_V52, queueMembers, RATE_LIMITER, VHOST_MEMBERS } from './shapePci';

/** net_util/src/mac.rs, MacAddr::parse_str. */
const MAC_ADDRESS: Shape = {
  kind: 'string',
  pattern: /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i,
  expected: 'a MAC address of six pairs of hexadecimal digits, as 06:00:ac:10:00:02',
};

const IP_ADDRESS: Shape = {
  kind: 'string',
  pattern: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}|[0-9a-f:]*:[0-9a-f:.]*)$/i,
  expected: 'an IP address',
};

const QUEUE_AFFINITY: Shape = listOf({
  kind: 'object',
  others: 'ignored',
  members: {
    queue_index: { shape: U16, text: 'The queue.', required: true },
    host_cpus: { shape: listOf(U64), text: 'The CPUs of the host for its thread.', required: true },
  },
});

export function disk(): ObjectShape {
  const source = 'vm_config.rs, DiskConfig';
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      path: { shape: STRING, text: 'The image. Either this or `vhost_socket`.', nullable: true, source },
      readonly: {
        shape: BOOLEAN,
        text: 'For reading only.',
        default: 'false',
        formerly: ['read_only'],
        source,
      },
      direct: { shape: BOOLEAN, text: 'O_DIRECT.', default: 'false', source },
      ...queueMembers('1', '128'),
      ...VHOST_MEMBERS,
      poll_queue: {
        shape: BOOLEAN,
        text: 'Polls the queue. Gone since v25.0.',
        default: 'true',
        until: 'v23.0',
        source,
      },
      rate_limit_group: {
        shape: STRING,
        text: 'The `id` of a group of `rate_limit_groups`, instead of a limit of its own.',
        nullable: true,
        since: 'v38.0',
        source,
      },
      rate_limiter_config: { shape: RATE_LIMITER, text: 'Its limit.', nullable: true, source },
      disable_io_uring: { shape: BOOLEAN, text: 'For tests.', default: 'false', source },
      disable_aio: { shape: BOOLEAN, text: 'For tests.', default: 'false', since: 'v38.0', source },
      serial: {
        shape: STRING,
        text: 'The serial number that the guest reads, 20 bytes at most.',
        nullable: true,
        since: 'v38.0',
        source,
      },
      queue_affinity: {
        shape: QUEUE_AFFINITY,
        text: 'CPUs of the queues’ threads.',
        nullable: true,
        since: 'v38.0',
        source,
      },
      backing_files: {
        shape: BOOLEAN,
        text: 'A QCOW2 image may have backing files.',
        default: 'false',
        since: 'v52.0',
        source,
      },
      sparse: { shape: BOOLEAN, text: 'The guest may punch holes.', default: 'true', since: 'v52.0', source },
      image_type: {
        shape: {
          kind: 'string',
          values: ['Raw', 'Qcow2', 'FixedVhd', 'Vhdx', 'FlatVmdk', 'Unknown'].map((value) => ({
            value,
            text: value === 'Unknown' ? 'Found out from the file.' : `${value} images.`,
          })),
        },
        text: 'The format of the image.',
        default: '"Unknown"',
        since: 'v52.0',
        source: 'block/src/lib.rs, ImageType',
      },
      lock_granularity: {
        shape: {
          kind: 'string',
          values: [
            { value: 'ByteRange', text: 'A lock on the image’s bytes.' },
            { value: 'Full', text: 'A lock on the whole file.' },
          ],
        },
        text: 'How the file is locked.',
        default: '"ByteRange"',
        since: 'v52.0',
        source,
      },
    },
  };
}

export function net(has: InVersion): ObjectShape {
  const source = 'vm_config.rs, NetConfig';
  const optional = has({ since: 'v52.0' });
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      tap: { shape: STRING, text: 'The tap; one is made where none is named.', nullable: true, source },
      ip: {
        shape: IP_ADDRESS,
        text: 'The tap’s address on the host, with `mask`. Up to v48.0 192.168.249.1 where none is given.',
        nullable: optional,
        source,
      },
      mask: { shape: IP_ADDRESS, text: 'The netmask that goes with `ip`.', nullable: optional, source },
      mac: {
        shape: MAC_ADDRESS,
        text: 'The guest’s MAC address; a random one where none is given.',
        nullable: has({ since: '2026-08' }),
        source,
      },
      host_mac: { shape: MAC_ADDRESS, text: 'The tap’s MAC address.', nullable: true, source },
      mtu: { shape: U16, text: 'The MTU, 1280 at least.', nullable: true, since: 'v28.0', source },
      ...queueMembers('2', '256'),
      ...VHOST_MEMBERS,
      vhost_mode: {
        shape: {
          kind: 'string',
          values: [
            { value: 'Client', text: 'Cloud Hypervisor connects.' },
            { value: 'Server', text: 'Cloud Hypervisor listens.' },
          ],
        },
        text: 'Which side of the vhost-user socket listens.',
        default: '"Client"',
        since: 'v16.0',
        source,
      },
      fds: {
        shape: listOf(I32),
        text: 'Open taps. Numbers in JSON are not those of the process: they come with the request on the socket.',
        nullable: true,
        source,
      },
      rate_limiter_config: { shape: RATE_LIMITER, text: 'Its limit.', nullable: true, source },
      ...Object.fromEntries(
        ['offload_tso', 'offload_ufo', 'offload_csum'].map((key) => [
          key,
          { shape: BOOLEAN, text: 'An offload of the guest.', default: 'true', since: 'v31.0', source },
        ]),
      ),
    },
  };
}

export function rng(has: InVersion): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...PCI_SINCE_V52,
      iommu: {
        ...PCI_SINCE_V52['iommu']!,
        ...(has({ until: 'v48.0' }) ? { since: 'v15.0' } : {}),
      },
      src: {
        shape: STRING,
        text: 'Where the host’s entropy comes from.',
        required: true,
        example: '"/dev/urandom"',
      },
    },
  };
}

export function rtc(): ObjectShape {
  return { kind: 'object', others: 'ignored', members: PCI_SINCE_V52 };
}

export function balloon(has: InVersion): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...(has({ since: 'v53.0' }) ? PCI_SINCE_V52 : {}),
      size: {
        shape: { ...U64, unit: 'bytes' },
        text: 'Bytes that the balloon takes; less than memory.',
        required: true,
      },
      deflate_on_oom: {
        shape: BOOLEAN,
        text: 'The guest takes memory back when it has none left.',
        default: 'false',
        since: 'v20.0',
      },
      free_page_reporting: {
        shape: BOOLEAN,
        text: 'The guest tells of free pages.',
        default: 'false',
        since: 'v23.0',
      },
    },
  };
}

export function pmem(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...pciMembers(),
      file: { shape: STRING, text: 'The file that is mapped.', required: true },
      size: {
        shape: { ...U64, unit: 'bytes' },
        text: 'Bytes; the file’s where none are given.',
        nullable: true,
      },
      mergeable: {
        shape: BOOLEAN,
        text: 'Has no effect. Gone since v25.0.',
        default: 'false',
        until: 'v23.0',
      },
      discard_writes: { shape: BOOLEAN, text: 'The file stays as it is.', default: 'false' },
    },
  };
}

export function rateLimitGroups(): Shape {
  return listOf({
    kind: 'object',
    others: 'ignored',
    members: {
      id: { shape: STRING, text: 'Its name, for `rate_limit_group` of disks.', default: '""' },
      rate_limiter_config: { shape: RATE_LIMITER, text: 'Its limit.' },
    },
  });
}
