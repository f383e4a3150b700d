/** bhyve's flat config file (bhyve -k) as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { parseBhyveConfig } from './document';
import { recogniseBhyveConfig } from './recognise';

export const bhyveConfig: Language = {
  kind: 'bhyve-config',
  vmm: 'bhyve',
  recognise: recogniseBhyveConfig,
  parse: parseBhyveConfig,
};
