/** vm-bhyve's guest configurations as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { parseVmBhyve } from './document';
import { recogniseVmBhyve } from './recognise';

export const vmBhyve: Language = {
  kind: 'vm-bhyve',
  vmm: 'bhyve',
  recognise: recogniseVmBhyve,
  parse: parseVmBhyve,
};
