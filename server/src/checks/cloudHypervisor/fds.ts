/** File descriptors in JSON: vm.create drops them (vmm/src/api/http/http_endpoint.rs, VmCreate and attach_fds_to_cfg). */
import { integerOf, itemsOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const fds = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-fds', severity: 'warning', title: 'File descriptors that vm.create drops' },
  function* (rules) {
    if (!rules.has({ since: 'v34.0' })) return;
    for (const net of rules.devices('net')) {
      const given = rules.present(net, 'fds');
      if (!given || itemsOf(net, 'fds').length === 0) continue;
      yield {
        at: rules.at(given.key),
        message: `vm.create drops file descriptors of a JSON text, whose numbers mean nothing in its process: the device gets ${rules.present(net, 'tap') ? 'the tap that is named' : 'a new tap'}. Open taps come with \`vm.add-net\` over the socket.`,
      };
    }
    if (!rules.has({ since: 'v53.0' })) return;
    for (const device of rules.devices('devices')) {
      const fd = integerOf(device, 'fd');
      if (!fd || rules.present(device, 'path')) continue;
      yield {
        at: rules.at(fd),
        severity: 'error',
        message: `vm.create drops the file descriptor, and there is no \`path\`: ${REFUSED} (VfioDeviceNeitherPathNorFd). Open devices come with \`vm.add-device\` over the socket.`,
      };
    }
  },
);
