/** bhyve's flat config file (bhyve -k) as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { parseBhyveConfig } from './document';
import { completeKey, describeKey } from './keyHelp';
import { recogniseBhyveConfig } from './recognise';

export const bhyveConfig: Language = {
  kind: 'bhyve-config',
  vmm: 'bhyve',
  recognise: recogniseBhyveConfig,
  parse: parseBhyveConfig,
  describe: describeKey,
  complete: completeKey,
};
