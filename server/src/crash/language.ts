/** Crash dumps as a language of the editor: recognised by their content, with an outline of their crashes. */
import type { Document, Language, OutlineNode } from '../machine/language';
import type { SourceText } from '../text/sourceText';
import { decode } from './decode';

/** As much of a text as is looked at to recognise it. */
const SNIFFED = 65536;

/** What only a Linux oops or panic has. Bounded, so that the test is linear. */
const MARKERS: readonly RegExp[] = [
  /\bPANIC: double fault\b/,
  /\bBUG: (?:unable to handle|kernel NULL pointer dereference)/,
  /\bKernel panic - not syncing\b/,
  /\bkernel BUG at [^\s!]{1,256}!/,
  /\[#\d{1,9}\] (?:PREEMPT|SMP|NOPTI|PTI|KASAN)/,
  /\bRIP: [0-9a-f]{4}:[^\n]{0,512}\n(?:[^\n]{0,2048}\n){0,4}[^\n]{0,512}\bRSP: [0-9a-f]{4}:/,
];

export const crashDump: Language = {
  kind: 'crash-dump',
  vmm: null,
  recognise(text) {
    const head = text.slice(0, SNIFFED);
    return MARKERS.some((marker) => marker.test(head));
  },
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
