/** Crash dumps as a language of the editor: recognised by their content, with an outline of their crashes. */
import type { Document, Language, OutlineNode } from '../machine/language';
import type { SourceText } from '../text/sourceText';
import { decode } from './decode';
import { recogniseCrashDump } from './recognise';

export const crashDump: Language = {
  kind: 'crash-dump',
  vmm: null,
  recognise: recogniseCrashDump,
  parse(source): Document {
    return {
      source,
      language: 'crash-dump',
      choice: null,
      choiceReason: null,
      machines: [],
      problems: [],
      outline: outline(source),
      symbols: [],
      links: [],
      wanted: [],
      read: [source.uri],
    };
  },
};

function outline(source: SourceText): OutlineNode[] {
  return decode(source, { machines: [] }).crashes.map((crash) => ({
    name: crash.title,
    detail: crash.mode ?? '',
    kind: 'crash',
    range: crash.at.range,
    nameRange: { start: crash.at.range.start, end: crash.at.range.start },
    children: [],
  }));
}
