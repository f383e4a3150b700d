/** A document read for another VMM than its own: the same guests, laid out as that VMM would. */
import type { Document, VmmChoice } from './machine/language';
import { vmmModel } from './vmm/models';
import { underModel } from './vmm/relayout';

/** The document as it is where the choice is one of its language's own VMM, which the parser has followed itself. */
export function documentUnder(document: Document, choice: VmmChoice | undefined): Document {
  const model = choice && vmmModel(choice.vmm);
  if (!model || document.machines.every(({ vmm }) => vmm === choice.vmm)) return document;
  const machines = document.machines.map((machine) => underModel(machine, model, choice.version));
  return { ...document, choice, choiceReason: 'asked', machines };
}
