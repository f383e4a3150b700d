/**
 * The shape of the JSON that Cloud Hypervisor's `vm.create` takes, by version: struct VmConfig of vmm/src/vm_config.rs
 * (vmm/src/config.rs up to v27.0) and what it is made of, read at the tag of every release from v15.0 to v53.0 and at main of
 * 2026-08-22. A version stands for the releases up to the next of the list, and `since` is the first of the list that has the key.
 *
 * No struct denies unknown fields: whatever is misspelt is ignored, at every level. A key that stands twice is refused by
 * serde. What `#[cfg(feature)]` hides in a plain build is listed: other builds read it.
 */
import { BOOLEAN, listOf, STRING, U64 } from '../../text/shape/rustTypes';
import {
  inVersionOf,
  type InVersion,
  type Member,
  type ObjectShape,
  type Shape,
} from '../../text/shape/shape';
import { consoleConfig, debugConsole, serialConfig } from './shapeConsoles';
import { balloon, disk, net, pmem, rateLimitGroups, rng, rtc } from './shapeDevices';
import { device, fs, genericVhostUser, ivshmem, tpm, userDevice, vdpa, vsock } from './shapeHostDevices';
import { cpus, memory, payload } from './shapeMachine';
import { landlockRules, numa, pciSegments, platform } from './shapePlatform';
import { CLOUD_HYPERVISOR_VERSIONS } from './versions';

const shapes = new Map<string, ObjectShape>();

/** Of the version with that id; made once. */
export function cloudHypervisorShape(version: string): ObjectShape {
  let shape = shapes.get(version);
  if (!shape) {
    shape = made(inCloudHypervisor(version));
    shapes.set(version, shape);
  }
  return shape;
}

export function inCloudHypervisor(version: string): InVersion {
  return inVersionOf(CLOUD_HYPERVISOR_VERSIONS, version);
}

/** A member that is an Option of a list or object. */
function optional(shape: Shape, text: string, span: Pick<Member, 'since' | 'until'> = {}): Member {
  return { shape, text, nullable: true, source: 'vm_config.rs, VmConfig', ...span };
}

/** A member with a default of its own, which null is not. */
function defaulted(
  shape: Shape,
  text: string,
  value: string,
  span: Pick<Member, 'since' | 'until'> = {},
): Member {
  return { shape, text, default: value, source: 'vm_config.rs, VmConfig', ...span };
}

function made(has: InVersion): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      cpus: defaulted(cpus(has), 'vCPUs and their topology.', '{"boot_vcpus": 1, "max_vcpus": 1}'),
      memory: defaulted(memory(), 'RAM, in bytes.', '{"size": 536870912}'),
      payload: optional(payload(), 'What is started: a kernel, or a firmware.', { since: 'v26.0' }),
      ...formerPayload(),
      rate_limit_groups: optional(rateLimitGroups(), 'Limits that several disks share.', { since: 'v38.0' }),
      disks: optional(listOf(disk()), 'Disks.'),
      net: optional(listOf(net(has)), 'Network devices.'),
      rng: defaulted(rng(has), 'The entropy device.', '{"src": "/dev/urandom"}'),
      balloon: optional(balloon(has), 'The memory balloon.'),
      generic_vhost_user: optional(listOf(genericVhostUser()), 'vhost-user devices of any kind.', {
        since: 'v52.0',
      }),
      fs: optional(listOf(fs()), 'Shared folders (virtio-fs).'),
      pmem: optional(listOf(pmem()), 'Persistent memory.'),
      serial: defaulted(serialConfig(), 'The serial port.', '{"mode": "Null"}'),
      console: defaulted(consoleConfig(has), 'The virtio console.', '{"mode": "Tty"}'),
      debug_console: defaulted(debugConsole(), 'The port that prints bytes, 0xe9.', '{"mode": "Off"}', {
        since: 'v38.0',
      }),
      devices: optional(listOf(device(has)), 'VFIO devices.'),
      user_devices: optional(listOf(userDevice()), 'vfio-user devices.', { since: 'v20.0' }),
      vdpa: optional(listOf(vdpa()), 'vDPA devices.', { since: 'v23.0' }),
      vsock: optional(vsock(has), 'The socket device.'),
      pvmemcontrol: optional({ kind: 'any' }, 'Only in builds with the feature `pvmemcontrol`.', {
        since: 'v48.0',
      }),
      pvpanic: defaulted(BOOLEAN, 'The panic device.', 'false', { since: 'v34.0' }),
      iommu: defaulted(
        BOOLEAN,
        'A virtual IOMMU; Cloud Hypervisor turns it on where a device needs it.',
        'false',
      ),
      sgx_epc: optional(
        listOf({
          kind: 'object',
          others: 'ignored',
          members: {
            id: { shape: STRING, text: 'Its name.', required: has({ since: 'v20.0' }) },
            size: { shape: U64, text: 'Bytes.', default: '0' },
            prefault: { shape: BOOLEAN, text: 'Allocates it at once.', default: 'false' },
          },
        }),
        'Sections of SGX memory. Gone since v48.0.',
        { until: 'v39.0' },
      ),
      numa: optional(listOf(numa(has)), 'NUMA nodes.'),
      watchdog: defaulted(BOOLEAN, 'The watchdog device.', 'false'),
      rtc: optional(rtc(), 'The virtio RTC.', { since: 'v53.0' }),
      gdb: defaulted(BOOLEAN, 'Waits for gdb; only in builds with the feature `guest_debug`.', 'false', {
        since: 'v23.0',
      }),
      pci_segments: optional(listOf(pciSegments()), 'Weights of PCI segments’ address space.', {
        since: 'v39.0',
      }),
      platform: optional(platform(has), 'PCI segments and SMBIOS strings.', { since: 'v20.0' }),
      tpm: optional(tpm(), 'A TPM.', { since: 'v28.0' }),
      tdx: optional({ kind: 'any' }, 'Only in builds with the feature `tdx`; in `platform` since v27.0.', {
        until: 'v26.0',
      }),
      landlock_enable: defaulted(BOOLEAN, 'Landlock keeps the process to the files of its config.', 'false', {
        since: 'v48.0',
      }),
      landlock_rules: optional(listOf(landlockRules()), 'Further paths that Landlock allows.', {
        since: 'v48.0',
      }),
      ivshmem: optional(ivshmem(), 'Only in builds with the feature `ivshmem`.', { since: 'v48.0' }),
    },
  };
}

/** Each image in an object of its own, up to v27.0. */
function formerPayload(): Readonly<Record<string, Member>> {
  const path: ObjectShape = {
    kind: 'object',
    others: 'ignored',
    members: { path: { shape: STRING, text: 'The file.', required: true } },
  };
  const until = 'v26.0';
  return {
    kernel: optional(path, 'The kernel. In `payload` since v26.0.', { until }),
    initramfs: optional(path, 'The initial RAM disk. In `payload` since v26.0.', { until }),
    cmdline: defaulted(
      {
        kind: 'object',
        others: 'ignored',
        members: { args: { shape: STRING, text: 'The command line.', required: true } },
      },
      'The command line. In `payload` since v26.0.',
      '{"args": ""}',
      { until },
    ),
  };
}
