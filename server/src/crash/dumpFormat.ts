/**
 * One kind of dump: how it is read and explained. Adding a format is adding a folder with a `format.ts` and a
 * `markers.ts`, and a line in formats.ts and recognise.ts.
 */
import type { Hypothesis } from '../machine/knownIssue';
import type { Document } from '../machine/language';
import type { Machine } from '../machine/machine';
import { toFinding, type Candidate, type CrashFacts, type CrashRule } from './crashFacts';
import type { DumpLine, DumpText } from './dumpText';
import { mappings, type GuestPhysical } from './locate';
import type { Crash, CrashFinding, CrashRegisters, Mapping } from './report';
import type { RegisterBlock } from './registerBlock';

/** Everything around the dumps of a text. */
export interface DecodeContext {
  /** Machines that the crash may have happened in. A memory map in the dump's own text is taken besides. */
  readonly machines: readonly Machine[];
  /** The documents that they come from; they tell whether a version was named or the newest was assumed. */
  readonly documents?: readonly Document[];
  /** Also findings of low confidence. */
  readonly includeLow?: boolean;
}

export interface DumpContext extends DecodeContext {
  readonly text: DumpText;
  /** The formats of which the text has a dump, this one's own included. */
  readonly formats: ReadonlySet<string>;
}

/** What reads a text line by line and collects the dumps of one format. Several may stand in one text. */
export interface DumpScanner<Dump> {
  line(line: DumpLine): void;
  /** After the last line. */
  result(): DumpScan<Dump>;
}

export interface DumpScan<Dump> {
  readonly dumps: readonly Dump[];
  /** Dumps beyond the most that are decoded. */
  readonly dropped: number;
  /** What looked like a dump of this format and is none: shown where the whole text has no crash. */
  readonly nearMisses: readonly NearMiss[];
}

export interface NearMiss {
  readonly line: DumpLine;
  /** The sentence, told the place as `line 12`. */
  say(place: string): string;
}

/** Where a dump stands. */
export interface Located {
  readonly first: DumpLine;
  readonly last: DumpLine;
}

/** A format with its own record of a dump and its own facts for the rules. */
export interface FormatParts<Dump extends Located, Facts extends CrashFacts> {
  /** `format` in the JSON contract: `linux-oops`. */
  readonly id: string;
  /** For a count of them: `oopses`. */
  readonly plural: string;
  /**
   * Every text with such a dump matches this: a cheap test of the whole text (literal alternatives), so that the format
   * costs a long log of something else nothing. Null where there is no such sign.
   */
  readonly sign: RegExp | null;
  /** Sources of patterns that only ever begin a line: text that lost its line breaks gets one before them. */
  readonly lineStarts: readonly string[];
  /** Words that belong to what follows them: no break between them and a line start. */
  readonly joined: readonly string[];
  /** `Looked for …`: the sentence for a text without a crash. */
  readonly looksFor: string;
  readonly rules: readonly CrashRule<Facts>[];
  scanner(): DumpScanner<Dump>;
  facts(dump: Dump, context: DumpContext): Facts;
  title(facts: Facts): string;
  /** One or two sentences that come before the evidence, where nothing is established. */
  verdict(facts: Facts, findings: readonly CrashFinding[], hypotheses: readonly Hypothesis[]): string;
  hypotheses(facts: Facts): readonly Hypothesis[];
  /** Guest-physical addresses in the dump, most certain first. Host addresses are none. */
  addresses(facts: Facts): readonly GuestPhysical[];
  /** Places that are no address of the dump. */
  extraMappings?(facts: Facts): readonly Mapping[];
}

export interface FoundDump {
  decode(context: DumpContext): Crash;
}

/** A format whose own types are hidden. */
export interface DumpFormat {
  readonly id: string;
  readonly plural: string;
  readonly sign: RegExp | null;
  readonly lineStarts: readonly string[];
  readonly joined: readonly string[];
  readonly looksFor: string;
  readonly rules: readonly RulePage[];
  scanner(): DumpScanner<FoundDump>;
}

/** What a page and a table need of a rule. */
export type RulePage = Pick<CrashRule, 'id' | 'code' | 'title'>;

/** The formats that a text may have a dump of, by their signs. */
export function formatsIn(text: string, formats: readonly DumpFormat[]): DumpFormat[] {
  return formats.filter(({ sign }) => sign === null || sign.test(text));
}

export function defineFormat<Dump extends Located, Facts extends CrashFacts>(
  parts: FormatParts<Dump, Facts>,
): DumpFormat {
  const { id, plural, sign, lineStarts, joined, looksFor, rules } = parts;
  return {
    id,
    plural,
    sign,
    lineStarts,
    joined,
    looksFor,
    rules,
    scanner() {
      const scanner = parts.scanner();
      return {
        line: (line) => scanner.line(line),
        result() {
          const { dumps, dropped, nearMisses } = scanner.result();
          return {
            dumps: dumps.map((dump) => ({ decode: (context) => decodeDump(parts, dump, context) })),
            dropped,
            nearMisses,
          };
        },
      };
    },
  };
}

function decodeDump<Dump extends Located, Facts extends CrashFacts>(
  parts: FormatParts<Dump, Facts>,
  dump: Dump,
  context: DumpContext,
): Crash {
  const facts = parts.facts(dump, context);
  const findings = parts.rules
    .flatMap((rule) => rule.check(facts).map((found) => toFinding(facts, rule, found)))
    .filter((finding) => context.includeLow === true || finding.confidence !== 'low');
  const hypotheses = parts.hypotheses(facts);
  const rootCause = rootCauseOf(findings);
  return {
    format: parts.id,
    title: parts.title(facts),
    verdict: rootCause ? rootCause.message : parts.verdict(facts, findings, hypotheses),
    mode: facts.mode.mode,
    modeReason: facts.mode.reason,
    registers: registersOf(facts.block),
    findings,
    rootCause,
    hypotheses,
    mappings: [...mappings(facts, parts.addresses(facts)), ...(parts.extraMappings?.(facts) ?? [])],
    at: facts.text.between(dump.first, dump.last),
  };
}

/** A failure whose cause a rule names as more than a mere possibility; else the cause is open. */
function rootCauseOf(findings: readonly CrashFinding[]): CrashFinding | null {
  return (
    findings.find(
      ({ cause, confidence, severity }) =>
        severity === 'error' && cause !== null && (confidence === 'certain' || confidence === 'likely'),
    ) ?? null
  );
}

function registersOf(block: RegisterBlock | null): CrashRegisters {
  return {
    values: Object.fromEntries(block?.values ?? []),
    segments: Object.fromEntries(block?.segments ?? []),
  };
}

/**
 * Machines of the VMMs that the dump may come from, and bare memory maps. Null where the dump names none: all of them.
 */
export function candidatesOf(context: DecodeContext, models: readonly string[] | null): Candidate[] {
  const assumed = new Set(
    (context.documents ?? [])
      .filter(({ choiceReason }) => choiceReason === 'newest')
      .flatMap(({ machines }) => machines),
  );
  return context.machines
    .filter(({ vmm }) => models === null || vmm === null || models.includes(vmm))
    .map((machine) => ({ machine, versionAssumed: assumed.has(machine) }));
}
