/**
 * The shape of `firecracker --config-file`, by version: struct VmmConfig of src/vmm/src/resources.rs and what it is made of
 * (src/vmm/src/vmm_config), read at the tag of every release from v1.0.0 to v1.16.0 and at main of 2026-08-21.
 *
 * Keys at the top are kebab-case and the struct has no deny_unknown_fields: what is misspelt there is ignored. The structs
 * below refuse unknown keys, but for metrics, token buckets and the parts of a CPU template. A key that stands twice is
 * refused by serde everywhere.
 */
import { listOf } from '../../text/shape/rustTypes';
import { inVersionOf, type InVersion, type ObjectShape } from '../../text/shape/shape';
import { drive, entropy, networkInterface, pmem, vsock } from './shapeDevices';
import { logger, metrics, mmdsConfig } from './shapeHost';
import { balloon, bootSource, cpuConfig, machineConfig, memoryHotplug } from './shapeMachine';
import { FIRECRACKER_VERSIONS } from './versions';

const shapes = new Map<string, ObjectShape>();

/** Of the version with that id; made once. */
export function firecrackerShape(version: string): ObjectShape {
  let shape = shapes.get(version);
  if (!shape) {
    shape = made(inFirecracker(version));
    shapes.set(version, shape);
  }
  return shape;
}

export function inFirecracker(version: string): InVersion {
  return inVersionOf(FIRECRACKER_VERSIONS, version);
}

function made(has: InVersion): ObjectShape {
  const source = 'resources.rs, VmmConfig';
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      'boot-source': {
        shape: bootSource(),
        text: 'Kernel, initial RAM disk and command line.',
        required: true,
        source,
      },
      drives: {
        shape: listOf(drive(has)),
        text: 'Block devices; `[]` for none.',
        required: true,
        example: '[]',
        source,
      },
      'machine-config': {
        shape: machineConfig(has),
        text: 'vCPUs and memory: 1 and 128 MiB where it is not there.',
        nullable: true,
        source,
      },
      'cpu-config': {
        shape: cpuConfig(has),
        text: 'A custom CPU template: the path of a file, and since 1.13 the template itself.',
        nullable: true,
        since: '1.4',
        source,
      },
      'network-interfaces': {
        shape: listOf(networkInterface()),
        text: 'Network devices.',
        default: '[]',
        source,
      },
      vsock: { shape: vsock(), text: 'The socket device.', nullable: true, source },
      balloon: { shape: balloon(), text: 'The memory balloon.', nullable: true, source },
      entropy: {
        shape: entropy(),
        text: 'The entropy device; `{}` for one without a limit.',
        nullable: true,
        since: '1.4',
        source,
      },
      pmem: {
        shape: listOf(pmem()),
        text: 'Persistent memory: files that are mapped into the guest.',
        default: '[]',
        since: '1.14',
        source,
      },
      'memory-hotplug': {
        shape: memoryHotplug(has),
        text: 'Memory that can be plugged (virtio-mem).',
        nullable: true,
        since: '1.14',
        source,
      },
      logger: { shape: logger(has), text: 'The log.', nullable: true, source },
      metrics: { shape: metrics(), text: 'Metrics.', nullable: true, source },
      'mmds-config': { shape: mmdsConfig(), text: 'The metadata service.', nullable: true, source },
    },
  };
}
