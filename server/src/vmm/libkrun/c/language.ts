/** C sources that call libkrun as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { parseDocument } from './document';
import { recogniseLibkrunC } from './recognise';

export const libkrunC: Language = {
  kind: 'libkrun-c',
  vmm: 'libkrun',
  recognise: recogniseLibkrunC,
  parse: parseDocument,
};
