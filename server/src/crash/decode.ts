/** Crash text to report: find the dumps of every format, read each, apply its rules, look its addresses up in the machines. */
import { formatRange } from '../address/format';
import type { Machine } from '../machine/machine';
import { memmap } from '../memory-map/language';
import type { SourceText } from '../text/sourceText';
import { formatsIn, type DecodeContext, type DumpFormat, type DumpScan, type FoundDump } from './dumpFormat';
import { DumpText, type DumpLine } from './dumpText';
import { DUMP_FORMATS } from './formats';
import { OtherFormatCounter } from './otherFormats';
import type { CrashReport } from './report';

interface Scanned {
  readonly format: DumpFormat;
  readonly scan: DumpScan<FoundDump>;
}

/** Deterministic; never throws. Without a crash `misses` says what was looked for and what came nearest. */
export function decode(source: SourceText, context: DecodeContext): CrashReport {
  const text = new DumpText(source);
  const others = new OtherFormatCounter();
  const scanned = scan(text, others);
  const found = scanned.filter(({ scan: { dumps } }) => dumps.length > 0);
  const machines = found.length > 0 ? [...context.machines, ...inlineMachines(source, context.machines)] : [];
  const formats = new Set(found.map(({ format }) => format.id));
  const crashes = found.flatMap(({ scan: { dumps } }) =>
    dumps.map((dump) => dump.decode({ ...context, machines, text, formats })),
  );
  return { crashes, misses: crashes.length > 0 ? droppedNotes(scanned) : misses(text, scanned, others) };
}

/** One pass over the lines for all formats that the text may have. */
function scan(text: DumpText, others: OtherFormatCounter): Scanned[] {
  const formats = formatsIn(text.cleaned, DUMP_FORMATS);
  const scanners = formats.map((format) => format.scanner());
  for (const line of text.lines(formats)) {
    others.line(line);
    for (const scanner of scanners) scanner.line(line);
  }
  return formats.map((format, index) => ({ format, scan: scanners[index]!.result() }));
}

/**
 * The memory maps that stand in the dump's own text: a boot log before the crash has the guest's E820 map. One that says
 * just what a given map says is left out.
 */
function inlineMachines(source: SourceText, given: readonly Machine[]): readonly Machine[] {
  if (!memmap.recognise(source.text, source.uri)) return [];
  const known = new Set(given.map(layoutOf));
  return memmap
    .parse(source, { files: new Map() })
    .machines.filter((machine) => !known.has(layoutOf(machine)));
}

function layoutOf({ regions }: Machine): string {
  return regions.map(({ range, kind }) => `${formatRange(range)} ${kind}`).join('\n');
}

function droppedNotes(scanned: readonly Scanned[]): string[] {
  return scanned.flatMap(({ format, scan: { dropped } }) =>
    dropped > 0
      ? [`${dropped} more ${format.plural} follow in the text; only the first ones are decoded.`]
      : [],
  );
}

/** What was looked for, and the nearest that the text has. */
function misses(text: DumpText, scanned: readonly Scanned[], others: OtherFormatCounter): string[] {
  const place = (line: DumpLine): string => `line ${text.at(line).range.start.line + 1}`;
  const found = scanned.flatMap(({ scan: { nearMisses } }) =>
    nearMisses.map((miss) => miss.say(place(miss.line))),
  );
  for (const { title, line } of others.seen()) {
    found.push(`This looks like ${title} (${place(line)}): this format is not decoded yet.`);
  }
  if (text.source.text.trim() === '') found.push('The text is empty.');
  for (const { looksFor } of DUMP_FORMATS) found.push(`Looked for ${looksFor}.`);
  return found;
}
