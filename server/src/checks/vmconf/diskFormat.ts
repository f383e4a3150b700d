/** Disk image formats other than raw and qcow2. */
import { closest } from '../../text/closest';
import { at, replace, vmconfCheck } from './vmconfCheck';

const FORMATS = ['raw', 'qcow2'];

export const diskFormat = vmconfCheck(
  { code: 'vmconf-disk-format', severity: 'error', title: 'A disk format that vmd does not know' },
  function* (config) {
    for (const { disks } of config.vms) {
      for (const { format } of disks) {
        if (!format?.known || FORMATS.includes(format.text.toLowerCase())) continue;
        const near = closest(format.text, FORMATS);
        const titles = near ? [near] : FORMATS;
        yield {
          at: at(format),
          message: `vmd knows the disk formats raw and qcow2, not \`${format.text.slice(0, 80)}\`: it refuses the file.`,
          fixes: titles.map((name) => replace(`Change to ${name}`, format, name, titles.length === 1)),
        };
      }
    }
  },
);
