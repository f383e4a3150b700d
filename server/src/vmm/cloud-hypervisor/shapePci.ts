/** What every PCI device of a Cloud Hypervisor config has: PciDeviceCommonConfig since v52.0, its fields one by one before. */
import { BOOLEAN, STRING, U16, U64, U8 } from '../../text/shape/rustTypes';
import { rateLimiterShape } from '../rateLimiter';
import type { Member } from '../../text/shape/shape';

const source = 'vm_config.rs, PciDeviceCommonConfig';

/** `since` of each is the first version of the list that reads the key in this device; undefined where all do. */
export function pciMembers(
  since: {
    readonly id?: string;
    readonly iommu?: string;
    readonly segment?: string;
  } = {},
): Readonly<Record<string, Member>> {
  const from = (version: string | undefined) => (version === undefined ? {} : { since: version });
  return {
    id: {
      shape: STRING,
      text: 'Its name, unlike that of every other device; `__` at the beginning is Cloud Hypervisor’s own.',
      nullable: true,
      source,
      ...from(since.id),
    },
    iommu: {
      shape: BOOLEAN,
      text: 'Puts the device behind the virtual IOMMU.',
      default: 'false',
      source,
      ...from(since.iommu),
    },
    pci_segment: {
      shape: U16,
      text: 'Its PCI segment, below `platform.num_pci_segments`.',
      default: '0',
      source,
      ...from(since.segment ?? 'v20.0'),
    },
    pci_device_id: {
      shape: { ...U8, most: 31n },
      text: 'Its device number on the bus, 0 to 31; 0 of segment 0 is the host bridge.',
      nullable: true,
      since: 'v52.0',
      source,
    },
  };
}

/** Not in builds before v52.0. */
export const PCI_SINCE_V52 = pciMembers({ id: 'v52.0', iommu: 'v52.0', segment: 'v52.0' });

export const RATE_LIMITER = rateLimiterShape('virtio-devices/src/lib.rs, TokenBucketConfig', 'ignored');

export function queueMembers(queues: string, size: string): Readonly<Record<string, Member>> {
  return {
    num_queues: { shape: U64, text: 'Number of queues.', default: queues },
    queue_size: { shape: U16, text: 'Entries of a queue: a power of two.', default: size },
  };
}

export const VHOST_MEMBERS: Readonly<Record<string, Member>> = {
  vhost_user: {
    shape: BOOLEAN,
    text: 'The device is another process; memory must be shared then.',
    default: 'false',
  },
  vhost_socket: { shape: STRING, text: 'The socket of that process.', nullable: true },
};
