/** Config files for QEMU's -readconfig as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { describeQemuConfig } from './describe';
import { parseQemuConfig } from './document';
import { recogniseQemuConfig } from './recognise';

export const qemuConfig: Language = {
  kind: 'qemu-config',
  vmm: 'pc',
  recognise: recogniseQemuConfig,
  parse: parseQemuConfig,
  describe: describeQemuConfig,
};
