/** Firecracker's config files as a language of Bootpath. */
import type { Document, Language } from '../../machine/language';
import { completeJson, describeJson, type ShapedConfig } from '../jsonShape';
import { isFirecrackerDocument, parseDocument } from './document';
import { recogniseFirecracker } from './recognise';
import { firecrackerShape, inFirecracker } from './shape';
import { firecrackerVersion } from './versions';

function shaped(document: Document): ShapedConfig | null {
  if (!isFirecrackerDocument(document)) return null;
  const { source, config, choice } = document;
  const { id } = firecrackerVersion(choice?.version ?? '');
  return { source, config, shape: firecrackerShape(id), inVersion: inFirecracker(id), wrapper: null };
}

export const firecracker: Language = {
  kind: 'firecracker',
  vmm: 'firecracker',
  recognise: recogniseFirecracker,
  parse: parseDocument,
  describe(document, position) {
    const config = shaped(document);
    return config && describeJson(config, position);
  },
  complete(document, position) {
    const config = shaped(document);
    return config ? completeJson(config, position) : [];
  },
};
