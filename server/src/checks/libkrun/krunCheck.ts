/** How a rule on calls of libkrun is made. Only files whose calls make a machine are looked at. */
import type { Document } from '../../machine/language';
import type { RelatedPlace, Severity } from '../../text/finding';
import type { SourceText } from '../../text/sourceText';
import { isLibkrunDocument, type LibkrunDocument } from '../../vmm/libkrun/c/document';
import { callOrder, type CallOrder } from '../../vmm/libkrun/c/flow';
import type { KrunContext } from '../../vmm/libkrun/c/machines';
import { tokensOf, type CCall, type Span } from '../../vmm/libkrun/c/scan';
import { LIBKRUN_VERSIONS } from '../../vmm/libkrun/versions';
import type { Check, Found } from '../check';

export class KrunRules {
  readonly source: SourceText;
  readonly contexts: readonly KrunContext[];
  private readonly order: CallOrder;
  private readonly calls: readonly CCall[];
  private readonly version: string | undefined;

  constructor({ source, contexts, calls, choice }: LibkrunDocument) {
    this.source = source;
    this.contexts = contexts;
    this.calls = calls;
    this.version = choice?.version;
    this.order = callOrder(source.text, calls);
  }

  /** Whether `earlier` has certainly been made wherever `later` is. */
  precedes(earlier: CCall, later: CCall): boolean {
    return this.order.precedes(earlier, later);
  }

  /** Whether the two are certainly made together, whichever comes first. */
  together(a: CCall, b: CCall): boolean {
    return this.precedes(a, b) || this.precedes(b, a);
  }

  /** Whether the text is read for this version of the list or a later one. */
  isSince(id: string): boolean {
    const index = (wanted: string | undefined) =>
      LIBKRUN_VERSIONS.findIndex((version) => version.id === wanted);
    return index(this.version) >= index(id);
  }

  /**
   * The krun_create_ctx whose result a call is for, where it stands before it in one function and nothing else but calls of
   * libkrun and tests has been handed the context in between; else null.
   */
  creationOf(call: CCall): CCall | null {
    const { text } = this.source;
    const context = call.arguments[0];
    if (context?.kind !== 'other' || !/^\w+$/.test(context.text)) return null;
    const created = this.calls.findLast(
      ({ name, start }) => name === 'krun_create_ctx' && start < call.start,
    );
    if (!created || !this.precedes(created, call)) return null;
    const assigned = /(\w+)\s*=\s*$/.exec(text.slice(Math.max(0, created.start - 200), created.start));
    if (assigned?.[1] !== context.text) return null;
    const own = new Set(this.calls.map((one) => one.arguments[0]?.start));
    const tokens = tokensOf(text.slice(created.end, call.start));
    const known = tokens.every(
      (token, index) =>
        token.text !== context.text ||
        own.has(created.end + token.start) ||
        (tokens[index - 1]?.text === '(' && tokens[index - 2]?.text === 'if'),
    );
    return known ? created : null;
  }

  at({ start, end }: Span): NonNullable<Found['at']> {
    return this.source.at(start, end);
  }

  related(call: CCall, message: string): RelatedPlace {
    return { at: this.at(call.nameSpan), message };
  }

  lineOf({ start }: Span): number {
    return this.source.lines.positionAt(start).line + 1;
  }
}

const known = new WeakMap<Document, KrunRules>();

function rulesOf(document: LibkrunDocument): KrunRules {
  let rules = known.get(document);
  if (!rules) {
    rules = new KrunRules(document);
    known.set(document, rules);
  }
  return rules;
}

export function krunCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (rules: KrunRules) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['libkrun-c'],
    run: (document) => (isLibkrunDocument(document) ? run(rulesOf(document)) : []),
  };
}

/** The number that an argument is written as; null where it is no literal. */
export function numberAt(call: CCall, index: number): (Span & { readonly value: bigint }) | null {
  const argument = call.arguments[index];
  return argument?.kind === 'number' ? argument : null;
}

/** NULL, or a 0 where a pointer belongs. */
export function isNull(call: CCall, index: number): boolean {
  const argument = call.arguments[index];
  return argument?.kind === 'null' || (argument?.kind === 'number' && argument.value === 0n);
}
