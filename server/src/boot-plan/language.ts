/** Boot plans as a language of Bootpath. */
import type { Language } from '../machine/language';
import { completeBootPlan } from './completion';
import { describe } from './describe';
import { parseBootPlan } from './document';
import { recogniseBootPlan } from './recognise';

export const bootPlan: Language = {
  kind: 'boot-plan',
  vmm: null,
  recognise: recogniseBootPlan,
  parse: parseBootPlan,
  describe,
  complete: completeBootPlan,
};
