/** Paths longer than vmd's arrays. */
import { at, byteLength, vmconfCheck } from './vmconfCheck';

export const pathLength = vmconfCheck(
  { code: 'vmconf-path-too-long', severity: 'error', title: 'A path longer than vmd takes' },
  function* (config) {
    const { maxPath } = config.version.facts;
    for (const { block } of config.vms) {
      for (const option of block.options) {
        if (option.kind !== 'disk' && option.kind !== 'boot' && option.kind !== 'cdrom') continue;
        const length = byteLength(option.path.text);
        if (length < maxPath) continue;
        yield {
          at: at(option.path),
          message: `This path has ${length} bytes: vmd@${config.version.id} takes at most ${maxPath - 1}.`,
        };
      }
    }
  },
);
