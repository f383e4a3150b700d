/** A document read for another VMM than its own: the same guests, laid out as that VMM would. */
import type { Document, Language, ParseContext, VmmChoice } from '../machine/language';
import type { SourceText } from '../text/sourceText';
import { vmmModel } from './models';
import { underModel } from './relayout';

/** Reads a text for any VMM: the choice is the parser's to follow where it is of the language's own VMM, or where that has none. */
export function parseUnder(language: Language, source: SourceText, context: ParseContext): Document {
  const { choice, ...rest } = context;
  const own = choice && (language.vmm === null || choice.vmm === language.vmm);
  return documentUnder(language.parse(source, own ? context : rest), choice);
}

/** The document as it is where the choice is one of its language's own VMM, which the parser has followed itself. */
export function documentUnder(document: Document, choice: VmmChoice | undefined): Document {
  const model = choice && vmmModel(choice.vmm);
  if (!model || document.machines.every(({ vmm }) => vmm === choice.vmm)) return document;
  const machines = document.machines.map((machine) => underModel(machine, model, choice.version));
  return { ...document, choice, choiceReason: 'asked', machines };
}
