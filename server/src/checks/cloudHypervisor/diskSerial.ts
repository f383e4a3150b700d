/** VIRTIO_BLK_ID_BYTES (DiskConfig::validate, since v47.0). */
import { bytesOf, textOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

const LONGEST = 20;

export const diskSerial = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-disk-serial', severity: 'error', title: 'A serial number that is too long' },
  function* (rules) {
    if (!rules.has({ since: 'v48.0' })) return;
    for (const disk of rules.devices('disks')) {
      const serial = textOf(disk, 'serial');
      if (!serial || bytesOf(serial.value) <= LONGEST) continue;
      yield {
        at: rules.at(serial),
        message: `The serial number has ${bytesOf(serial.value)} bytes, and virtio-blk has room for ${LONGEST}: ${REFUSED} (InvalidSerialLength).`,
      };
    }
  },
);
