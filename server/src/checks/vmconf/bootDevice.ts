/** `boot device` that names a device the VM does not have. */
import { at, vmconfCheck } from './vmconfCheck';

export const bootDevice = vmconfCheck(
  { code: 'vmconf-boot-device', severity: 'warning', title: 'A boot device that the VM does not have' },
  function* (config) {
    for (const vm of config.vms) {
      const device = vm.bootDevice;
      if (!device || vm.block.options.some(({ kind }) => kind === 'unknown')) continue;
      const missing =
        (device.device === 'disk' && vm.disks.length === 0 && 'disk') ||
        (device.device === 'cdrom' && !vm.cdrom && 'cdrom') ||
        (device.device === 'net' && !vm.boot && 'boot image');
      if (!missing) continue;
      yield {
        at: at(device),
        message:
          missing === 'boot image'
            ? '`boot device net` starts the `boot` kernel as if it had come over the network, and this VM has no `boot`.'
            : `This VM has no ${missing}: vmd finds no such device and passes no boot order to the BIOS.`,
      };
    }
  },
);
