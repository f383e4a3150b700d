/** Firecracker's config files as a language of Bootpath. */
import type { Language } from '../../machine/language';
import { parseDocument } from './document';
import { recogniseFirecracker } from './recognise';

export const firecracker: Language = {
  kind: 'firecracker',
  vmm: 'firecracker',
  recognise: recogniseFirecracker,
  parse: parseDocument,
};
