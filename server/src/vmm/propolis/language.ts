/** The TOML config of propolis-standalone as a language of Bootpath. */
import type { Language } from '../../machine/language';
import { parsePropolis } from './document';
import { completePropolis, describePropolis } from './keys';
import { recognisePropolis } from './recognise';

export const propolis: Language = {
  kind: 'propolis',
  vmm: 'propolis',
  recognise: recognisePropolis,
  parse: parsePropolis,
  describe: describePropolis,
  complete: completePropolis,
};
