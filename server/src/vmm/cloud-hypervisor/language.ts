/** The JSON of Cloud Hypervisor's API as a language of Bootpath. */
import type { Language } from '../../machine/language';
import { parseCloudHypervisor } from './document';
import { NAME } from './origin';
import { recogniseCloudHypervisor } from './recognise';

export const cloudHypervisor: Language = {
  kind: 'cloud-hypervisor',
  vmm: NAME,
  recognise: recogniseCloudHypervisor,
  parse: parseCloudHypervisor,
};
