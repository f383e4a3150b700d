/** The JSON of Cloud Hypervisor's API as a language of Bootpath. */
import type { Document, Language } from '../../machine/language';
import { completeJson, describeJson, type ShapedConfig } from '../jsonShape';
import { isCloudHypervisorDocument, parseCloudHypervisor } from './document';
import { NAME } from './origin';
import { recogniseCloudHypervisor } from './recognise';
import { cloudHypervisorShape, inCloudHypervisor } from './shape';
import { cloudHypervisorVersion } from './versions';

function shaped(document: Document): ShapedConfig | null {
  if (!isCloudHypervisorDocument(document)) return null;
  const { source, config, choice, wrapper } = document;
  const { id } = cloudHypervisorVersion(choice?.version ?? '');
  return {
    source,
    config,
    shape: cloudHypervisorShape(id),
    inVersion: inCloudHypervisor(id),
    wrapper: wrapper?.key.value ?? null,
  };
}

export const cloudHypervisor: Language = {
  kind: 'cloud-hypervisor',
  vmm: NAME,
  recognise: recogniseCloudHypervisor,
  parse: parseCloudHypervisor,
  describe(document, position) {
    const config = shaped(document);
    return config && describeJson(config, position);
  },
  complete(document, position) {
    const config = shaped(document);
    return config ? completeJson(config, position) : [];
  },
};
