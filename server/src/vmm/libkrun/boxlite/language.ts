/** BoxLite's options of a box as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { describeBoxlite } from './describe';
import { parseDocument } from './document';
import { recogniseBoxlite } from './recognise';

export const boxlite: Language = {
  kind: 'boxlite',
  vmm: 'libkrun',
  recognise: recogniseBoxlite,
  parse: parseDocument,
  describe: describeBoxlite,
};
