/** Where facts about the plain PC come from. */
import type { VmmOrigin } from '../../machine/origin';
import type { VmmVersion } from '../model';

export const PC_VERSION: VmmVersion = {
  id: 'i440fx',
  title: 'IBM PC/AT with 82441FX and PIIX3',
  source: 'data sheets of the chips; RAM split, ports and PCI ids as in QEMU’s machine type pc',
};

export function pcOrigin(citation: string): VmmOrigin {
  return { kind: 'vmm', vmm: 'pc', version: PC_VERSION.id, citation };
}
