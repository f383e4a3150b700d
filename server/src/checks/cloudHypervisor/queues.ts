/** Numbers and sizes of queues (DiskConfig::validate and its like, since v16.0). */
import type { ObjectNode } from '../../text/shape/node';
import { integerOf, itemsOf, type IntegerNode } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const queues = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-queues', severity: 'error', title: 'More queues than vCPUs' },
  function* (rules) {
    const vcpus = rules.bootVcpus;
    const boot = integerOf(rules.section('cpus'), 'boot_vcpus');
    const related = boot ? [rules.related(boot, 'vCPUs at the start')] : [];
    const asked = (node: ObjectNode) => integerOf(node, 'num_queues');
    for (const net of rules.devices('net')) {
      const count = asked(net);
      if (!count) continue;
      if (count.value < 2n) {
        yield {
          at: rules.at(count),
          message: `A network device has a queue for each direction, so 2 at least: ${REFUSED} (VnetQueueLowerThan2).`,
        };
      } else if (vcpus !== null && count.value / 2n > vcpus && rules.has({ since: 'v16.0' })) {
        yield {
          at: rules.at(count),
          message: `${count.value / 2n} pairs of queues are more than the ${vcpus} vCPUs at the start: ${REFUSED} (TooManyQueues).`,
          related,
        };
      }
    }
    if (vcpus === null || !rules.has({ since: 'v16.0' })) return;
    for (const node of [...rules.devices('disks'), ...rules.devices('fs')]) {
      const count = asked(node);
      if (!count || count.value <= vcpus) continue;
      yield {
        at: rules.at(count),
        message: `${count.value} queues are more than the ${vcpus} vCPUs at the start: ${REFUSED} (TooManyQueues).`,
        related,
      };
    }
  },
);

function isPowerOfTwo(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}

export const queueSize = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-queue-size', severity: 'error', title: 'A queue size that virtio does not have' },
  function* (rules) {
    const sizes: IntegerNode[] = [];
    for (const list of ['disks', 'net', 'fs']) {
      for (const device of rules.devices(list)) {
        const size = integerOf(device, 'queue_size');
        if (size) sizes.push(size);
        if (size && list === 'disks' && size.value <= 2n && rules.has({ since: 'v48.0' })) {
          yield {
            at: rules.at(size),
            message: `A disk's queue has more than 2 entries, as a request needs three: ${REFUSED}.`,
          };
        }
      }
    }
    for (const device of rules.devices('generic_vhost_user')) {
      for (const item of itemsOf(device, 'queue_sizes')) if (item.kind === 'integer') sizes.push(item);
    }
    if (!rules.has({ since: 'v53.0' })) return;
    for (const size of sizes) {
      if (isPowerOfTwo(size.value) || size.value < 0n) continue;
      yield {
        at: rules.at(size),
        message: `${size.value} is no power of two, as a split virtqueue's size is: ${REFUSED} since v53.0 (InvalidQueueSize).`,
      };
    }
  },
);
