/** The command line of a kernel that was given none. */
import { isLinuxElf } from '../../machine/image/elfSystem';
import { isLinuxImage } from '../../machine/image/linuxImage';

/** Linux writes to a screen otherwise, which the plain PC does not have (Documentation/admin-guide/kernel-parameters.txt). */
const LINUX = 'console=ttyS0 earlyprintk=ttyS0';

/** For Linux, so that it can be heard; empty for all others, some of which refuse what they do not know. */
export function defaultCommandLine(image: Uint8Array): string {
  return isLinuxImage(image) || isLinuxElf(image, 64) || isLinuxElf(image, 32) ? LINUX : '';
}
