/** The devices of a Firecracker config. */
import { BOOLEAN, bounded, STRING, U16, U32 } from '../../text/shape/rustTypes';
import { rateLimiterShape } from '../rateLimiter';
import type { InVersion, Member, ObjectShape, Shape } from '../../text/shape/shape';

/** `u8::from_str_radix` for six parts of two digits (utils/net/mac.rs). */
export const MAC_ADDRESS: Shape = {
  kind: 'string',
  pattern: /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i,
  expected: 'a MAC address of six pairs of hexadecimal digits, as 06:00:ac:10:00:02',
};

/** A bucket, unlike the structs around it, lets unknown keys pass. */
const RATE_LIMITER = rateLimiterShape('vmm_config/mod.rs, TokenBucketConfig', 'refused');

/** A member of that name that limits `what`. */
function rateLimiter(what: string, since?: string): Member {
  return {
    shape: RATE_LIMITER,
    text: `Limits ${what}.`,
    nullable: true,
    source: 'vmm_config/mod.rs, RateLimiterConfig',
    ...(since === undefined ? {} : { since }),
  };
}

/** Since 1.6 a drive may be a vhost-user backend, and what only the other kind has became optional. */
export function drive(has: InVersion): ObjectShape {
  const source = 'vmm_config/drive.rs, BlockDeviceConfig';
  const optional = has({ since: '1.6' });
  return {
    kind: 'object',
    others: 'refused',
    members: {
      drive_id: {
        shape: STRING,
        text: 'Its name; a second drive of a name takes the place of the first.',
        required: true,
        example: '"rootfs"',
        source,
      },
      path_on_host: {
        shape: STRING,
        text: 'The file or block device. Either this or `socket`.',
        required: !optional,
        nullable: optional,
        example: '"rootfs.ext4"',
        source,
      },
      is_root_device: {
        shape: BOOLEAN,
        text: 'Puts the drive first, and `root=/dev/vda` (or `root=PARTUUID=`) with `ro` or `rw` on the command line. One device at most.',
        required: true,
        source,
      },
      partuuid: {
        shape: STRING,
        text: 'Of the root partition, for `root=PARTUUID=`. Only with `is_root_device`.',
        nullable: true,
        source,
      },
      is_read_only: {
        shape: BOOLEAN,
        text: 'Opens the file for reading only.',
        required: !optional,
        nullable: optional,
        default: 'false',
        source,
      },
      cache_type: {
        shape: {
          kind: 'string',
          values: [
            { value: 'Unsafe', text: 'Flushes of the guest do nothing.' },
            { value: 'Writeback', text: 'Flushes of the guest are done.' },
          ],
        },
        text: 'What a flush does.',
        default: '"Unsafe"',
        source,
      },
      rate_limiter: rateLimiter('the drive'),
      io_engine: {
        shape: {
          kind: 'string',
          values: [
            { value: 'Sync', text: 'Reads and writes in the device’s thread.' },
            { value: 'Async', text: 'io_uring.' },
          ],
        },
        text: 'How the file is read.',
        nullable: optional,
        default: '"Sync"',
        source,
      },
      socket: {
        shape: STRING,
        text: 'Socket of a vhost-user backend, with no `path_on_host`, `is_read_only`, `rate_limiter` or `io_engine`.',
        nullable: true,
        since: '1.6',
        source,
      },
    },
  };
}

export function networkInterface(): ObjectShape {
  const source = 'vmm_config/net.rs, NetworkInterfaceConfig';
  return {
    kind: 'object',
    others: 'refused',
    members: {
      iface_id: {
        shape: STRING,
        text: 'Its name; a second interface of a name takes the place of the first.',
        required: true,
        example: '"eth0"',
        source,
      },
      host_dev_name: {
        shape: STRING,
        text: 'The tap on the host, 15 bytes at most.',
        required: true,
        example: '"tap0"',
        source,
      },
      guest_mac: {
        shape: MAC_ADDRESS,
        text: 'The guest’s MAC address. Without it the guest makes one up.',
        nullable: true,
        source,
      },
      mtu: {
        shape: bounded(U16, { least: 68n, most: 65535n, unit: 'bytes' }),
        text: 'The MTU that the guest is told.',
        nullable: true,
        since: '1.16',
        source,
      },
      rx_rate_limiter: rateLimiter('what the guest receives'),
      tx_rate_limiter: rateLimiter('what the guest sends'),
    },
  };
}

export function vsock(): ObjectShape {
  const source = 'vmm_config/vsock.rs, VsockDeviceConfig';
  return {
    kind: 'object',
    others: 'refused',
    members: {
      guest_cid: {
        shape: U32,
        text: 'The guest’s context ID: 3 or more.',
        required: true,
        example: '3',
        source,
      },
      uds_path: {
        shape: STRING,
        text: 'The socket on the host, which must not exist yet.',
        required: true,
        example: '"v.sock"',
        source,
      },
      vsock_id: {
        shape: STRING,
        text: 'Has no effect. Deprecated since 1.0.',
        nullable: true,
        source,
      },
    },
  };
}

export function entropy(): ObjectShape {
  return { kind: 'object', others: 'refused', members: { rate_limiter: rateLimiter('the entropy device') } };
}

export function pmem(): ObjectShape {
  const source = 'vmm_config/pmem.rs, PmemConfig';
  return {
    kind: 'object',
    others: 'refused',
    members: {
      id: {
        shape: STRING,
        text: 'Its name; a second device of a name takes the place of the first.',
        required: true,
        example: '"pmem0"',
        source,
      },
      path_on_host: { shape: STRING, text: 'The file that is mapped.', required: true, source },
      root_device: {
        shape: BOOLEAN,
        text: 'Puts `root=/dev/pmemN` with `ro` or `rw` on the command line. One device at most, drives counted.',
        default: 'false',
        source,
      },
      read_only: { shape: BOOLEAN, text: 'Maps the file for reading only.', default: 'false', source },
      rate_limiter: rateLimiter('flushes', '1.16'),
    },
  };
}
