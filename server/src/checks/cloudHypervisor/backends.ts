/** Where devices are: a file, a socket, another process (VmConfig::validate). */
import { isOn, textOf, type TextNode } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const diskBackend = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-disk-backend', severity: 'error', title: 'A disk with two backends, or none' },
  function* (rules) {
    for (const disk of rules.devices('disks')) {
      const [path, socket] = [rules.present(disk, 'path'), rules.present(disk, 'vhost_socket')];
      if (path && socket) {
        yield {
          at: rules.at(socket.key),
          message: `The disk has a \`vhost_socket\` and a \`path\`: ${REFUSED} (DiskSocketAndPath).`,
          related: [rules.related(path.key, 'The image')],
        };
      } else if (isOn(disk, 'vhost_user') && !socket) {
        yield {
          at: rules.at(rules.present(disk, 'vhost_user')!.key),
          message: `The disk is another process, and no \`vhost_socket\` is named: ${REFUSED} (VhostUserMissingSocket).`,
        };
      } else if (
        !path &&
        !isOn(disk, 'vhost_user') &&
        !unknownFlag(disk, rules.present(disk, 'vhost_user'))
      ) {
        yield {
          at: rules.at(rules.opening(disk)),
          message: socket
            ? `The disk has a \`vhost_socket\`, but \`vhost_user\` is not on, and it has no \`path\`: ${REFUSED} (NoDiskPath).`
            : `The disk has neither \`path\` nor \`vhost_socket\`: ${REFUSED} (NoDiskPath).`,
        };
      }
    }
    if (!rules.has({ since: 'v53.0' })) return;
    for (const net of rules.devices('net')) {
      if (!isOn(net, 'vhost_user') || rules.present(net, 'vhost_socket')) continue;
      yield {
        at: rules.at(rules.present(net, 'vhost_user')!.key),
        message: `The device is another process, and no \`vhost_socket\` is named: ${REFUSED} since v53.0 (VhostUserMissingSocket).`,
      };
    }
  },
);

/** It is there and neither true nor false: a template, or a mistake that is told elsewhere. */
function unknownFlag(node: Parameters<typeof isOn>[0], given: unknown): boolean {
  if (given === null || node?.kind !== 'object') return false;
  const value = node.members.find(({ key }) => key.text === 'vhost_user')?.value;
  return value?.kind !== 'boolean';
}

export const sharedMemory = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-shared-memory',
    severity: 'error',
    title: 'Other processes without shared memory',
  },
  function* (rules) {
    if (rules.sharesMemory !== false) return;
    const lists = [
      { list: 'disks', of: rules.devices('disks').filter((disk) => isOn(disk, 'vhost_user')) },
      { list: 'net', of: rules.devices('net').filter((net) => isOn(net, 'vhost_user')) },
      { list: 'fs', of: rules.devices('fs') },
      { list: 'generic_vhost_user', of: rules.devices('generic_vhost_user') },
      { list: 'user_devices', of: rules.has({ since: 'v20.0' }) ? rules.devices('user_devices') : [] },
    ];
    const need = rules.has({ since: 'v28.0' })
      ? '`memory.shared` or `memory.hugepages`, or every zone one of them'
      : '`memory.shared`';
    for (const { list, of } of lists) {
      const [first] = of;
      if (!first) continue;
      const place = rules.memory && rules.present(rules.config, 'memory');
      yield {
        at: rules.at(rules.opening(first)),
        message: `A device of \`${list}\` is another process, which must map the guest's memory. That needs ${need}: ${REFUSED}.`,
        related: place ? [rules.related(place.key, 'Memory is private here')] : [],
      };
    }
  },
);

export const devicePath = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-device-path', severity: 'error', title: 'A VFIO device twice, or from nowhere' },
  function* (rules) {
    const known = new Map<string, TextNode>();
    for (const device of rules.devices('devices')) {
      const path = textOf(device, 'path');
      const first = path && known.get(path.value);
      if (path && first && rules.has({ since: 'v26.0' })) {
        yield {
          at: rules.at(path),
          message: `The device is there already: ${REFUSED} (DuplicateDevicePath).`,
          related: [rules.related(first, 'The same device')],
        };
      }
      if (path) known.set(path.value, path);
      if (!rules.has({ since: 'v53.0' })) continue;
      const [given, fd] = [rules.present(device, 'path'), rules.present(device, 'fd')];
      if ((given === null) !== (fd === null)) continue;
      yield {
        at: rules.at(fd ? fd.key : rules.opening(device)),
        message: `The device has ${fd ? 'both a `path` and an `fd`' : 'neither a `path` nor an `fd`'}: ${REFUSED}.`,
      };
    }
  },
);
