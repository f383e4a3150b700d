/** Boot plans as a language of Bootpath. */
import type { Language } from '../machine/language';
import { completeBootPlan } from './completion';
import { describe } from './describe';
import { parseBootPlan } from './document';
import { recogniseBootPlan } from './recognise';

/** @param configs the kinds of text that `config` of a plan may name, the most specific first */
export function bootPlanLanguage(configs: readonly Language[]): Language {
  return {
    kind: 'boot-plan',
    vmm: null,
    recognise: recogniseBootPlan,
    parse: (source, context) => parseBootPlan(source, context, configs),
    describe,
    complete: completeBootPlan,
  };
}
