/** The rules that follow from the shape of a format: one code for each way to miss it. */
import type { Document, LanguageKind } from '../machine/language';
import type { Severity } from '../text/finding';
import type { NodeSpan } from '../text/shape/node';
import type { ConfigPath, ShapeProblem } from '../text/shape/checkShape';
import type { Member } from '../text/shape/shape';
import type { SourceText } from '../text/sourceText';
import type { Check, Found } from './check';
import { Places, quote } from './places';

export interface ShapeWords {
  /** First part of the codes, and of the pages: `firecracker` for `firecracker-unknown-key`. */
  readonly prefix: string;
  readonly kind: LanguageKind;
  /** As in a sentence: `Firecracker`. */
  readonly reader: string;
  /** What follows a config that is refused, from its second word: `refuses the whole file and starts nothing`. */
  readonly refuses: string;
  /** What follows a key that nobody reads: `ignores it, so …`; says what is lost. */
  readonly ignores: string;
  /** Where every object refuses unknown keys; a warning otherwise, which a refusal still makes an error. */
  readonly unknownKey?: 'error';
  /** Of a key that stands twice. */
  readonly duplicate: { readonly severity: Severity; readonly consequence: string };
  /** A key as it is written, for the fix of a misspelt one: with quotes in JSON. */
  readonly quoteKey: (key: string) => string;
  /** Held back, where a rule of its own says it better. */
  readonly except?: (problem: ShapeProblem, document: Document) => boolean;
}

type Kind = ShapeProblem['kind'];

interface ShapeRule {
  readonly suffix: string;
  readonly severity: Severity;
  readonly title: string;
  readonly kinds: readonly Kind[];
}

const RULES: readonly ShapeRule[] = [
  { suffix: 'unknown-key', severity: 'warning', title: 'A key that is not read', kinds: ['unknown-key'] },
  {
    suffix: 'version',
    severity: 'warning',
    title: 'A key or value of other versions',
    kinds: ['other-version'],
  },
  { suffix: 'missing-key', severity: 'error', title: 'A key that must be there', kinds: ['missing-key'] },
  { suffix: 'wrong-type', severity: 'error', title: 'A value of another type', kinds: ['wrong-type'] },
  {
    suffix: 'value',
    severity: 'error',
    title: 'A value outside of what is taken',
    kinds: ['out-of-range', 'unknown-value', 'pattern'],
  },
  {
    suffix: 'duplicate-key',
    severity: 'warning',
    title: 'A key that stands twice',
    kinds: ['duplicate-key'],
  },
];

/**
 * Rows `PREFIX-unknown-key`, `-version`, `-missing-key`, `-wrong-type`, `-value` and `-duplicate-key`. `problemsOf` gives
 * what `checkShape` found in a document of the kind, and is called once a document; none for another document.
 */
export function shapeRules(
  words: ShapeWords,
  problemsOf: (document: Document) => readonly ShapeProblem[],
): Check[] {
  const known = new WeakMap<Document, readonly ShapeProblem[]>();
  const problems = (document: Document): readonly ShapeProblem[] => {
    let found = known.get(document);
    if (!found) {
      found = problemsOf(document).filter((problem) => words.except?.(problem, document) !== true);
      known.set(document, found);
    }
    return found;
  };
  return RULES.map(({ suffix, kinds, severity, title }) => ({
    title,
    severity: severityOf(suffix, words) ?? severity,
    code: `${words.prefix}-${suffix}`,
    on: [words.kind],
    *run(document: Document) {
      for (const problem of problems(document)) {
        if (kinds.includes(problem.kind)) yield foundOf(document, problem, words);
      }
    },
  }));
}

function severityOf(suffix: string, { duplicate, unknownKey }: ShapeWords): Severity | undefined {
  if (suffix === 'duplicate-key') return duplicate.severity;
  return suffix === 'unknown-key' ? unknownKey : undefined;
}

function foundOf({ source, choice }: Document, problem: ShapeProblem, words: ShapeWords): Found {
  const places = new Places(source);
  const version = choice?.version;
  const at = places.at(problem.at);
  const refused = `${words.reader} ${words.refuses}.`;
  switch (problem.kind) {
    case 'unknown-key': {
      const { key, nearest, fits, ignored } = problem;
      const meant = nearest === null ? '' : ` Probably ${quote(nearest)} was meant.`;
      return {
        at,
        severity: ignored ? 'warning' : 'error',
        message: `${quote(key)} is no key ${inside(problem.path.slice(0, -1))}: ${words.reader} ${ignored ? words.ignores : words.refuses}.${meant}`,
        ...(nearest !== null && fits
          ? { fixes: [places.replace(`Change to ${nearest}`, problem.at, words.quoteKey(nearest))] }
          : {}),
      };
    }
    case 'other-version': {
      const { key, member, ignored } = problem;
      const read = version === undefined ? words.reader : `${words.reader} ${version}`;
      return {
        at,
        severity: ignored ? 'warning' : 'error',
        message: `${read} has no ${quote(key)}, which ${havingText(member)}: it ${ignored ? words.ignores : words.refuses}.`,
      };
    }
    case 'missing-key':
      return { at, message: `${quote(problem.key)} is missing ${inside(problem.path, 'in')}: ${refused}` };
    case 'wrong-type':
      return {
        at,
        message: `${subject(problem.path)} must be ${problem.expected}, and this is ${problem.found}: ${refused}`,
      };
    case 'out-of-range':
      return { at, message: `${rangeText(problem)}: ${refused}` };
    case 'unknown-value': {
      const { nearest, value, values, besides } = problem;
      const meant = nearest === null ? '' : ` Probably ${quote(nearest)} was meant.`;
      const replacement = nearest === null ? null : quoted(source, problem.at, nearest);
      return {
        at,
        message: `${subject(problem.path)} is ${quote(value)}, and takes only ${list(values)}${besides === undefined ? '' : `, or ${besides}`}: ${refused}${meant}`,
        ...(replacement === null
          ? {}
          : { fixes: [places.replace(`Change to ${nearest}`, problem.at, replacement)] }),
      };
    }
    case 'pattern':
      return {
        at,
        message: `${subject(problem.path)} is ${quote(problem.value)}, and takes ${problem.expected}: ${refused}`,
      };
    case 'duplicate-key':
      return {
        at,
        severity: words.duplicate.severity,
        message: `${quote(problem.key)} stands twice ${inside(problem.path.slice(0, -1), 'in')}: ${words.duplicate.consequence}.`,
        related: [places.related(problem.first, 'The first one is here.')],
      };
  }
}

/** Of the versions that are told apart, whose releases in between are not named: so nothing is said of when it came or went. */
function havingText({ since, until }: Pick<Member, 'since' | 'until'>): string {
  if (since === undefined) return `${until} and earlier have`;
  return until === undefined ? `${since} and later have` : `${since} to ${until} have`;
}

/** What a number counts, where it is no value of its own. */
const COUNTED = { value: null, length: 'item', keys: 'key' } as const;

function rangeText(problem: ShapeProblem & { readonly kind: 'out-of-range' }): string {
  const { value, least, most, of } = problem;
  const unit = problem.unit === undefined ? '' : ` ${problem.unit}`;
  const bounds =
    least !== undefined && most !== undefined
      ? least === most
        ? `${most}`
        : `from ${least} to ${most}`
      : least !== undefined
        ? `${least} at least`
        : `${most} at most`;
  const counted = COUNTED[of];
  return counted
    ? `${subject(problem.path)} has ${value} ${value === 1n ? counted : `${counted}s`}, and takes ${bounds}`
    : `${subject(problem.path)} is ${value}${unit}, and takes ${bounds}`;
}

function list(values: readonly string[]): string {
  const shown = values.slice(0, 12).map(quote);
  if (values.length > 12) return `${shown.join(', ')} and ${values.length - 12} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)!}`;
}

/** `drives[0].path_on_host`. */
function pathText(path: ConfigPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

function inside(path: ConfigPath, preposition = 'of'): string {
  return path.length === 0 ? 'at the top level' : `${preposition} ${quote(pathText(path))}`;
}

function subject(path: ConfigPath): string {
  return path.length === 0 ? 'The config' : quote(pathText(path));
}

/** The value in the quotes that stand there. */
function quoted(source: SourceText, at: NodeSpan, value: string): string {
  const mark = source.text[at.start] === "'" ? "'" : '"';
  return `${mark}${value}${mark}`;
}
