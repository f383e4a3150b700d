/** `explain KIND VALUE…`: one way in for the command line, the hover and the reports. */
import { parseNumber } from '../address/parse';
import { hex } from '../address/format';
import { bit, explainFields, setFlags, type BitField, type Explanation } from './bitField';
import {
  CR0,
  CR4,
  EFER,
  RFLAGS,
  cr0Problems,
  cr4Problems,
  eferProblems,
  rflagsProblems,
} from './controlRegisters';
import { decodeDescriptor, descriptorKind, explainDescriptor } from './descriptor';
import { explainIcr } from './icr';
import { explainPageFaultError } from './pageFaultError';
import { explainPageTableEntry, parseLevel } from './pageTableEntry';
import { explainSvmExit } from './svmExits';
import { explainVmxExit } from './vmxExits';

export type { ExplainedField, Explanation } from './bitField';

export const EXPLAIN_KINDS = [
  'descriptor',
  'pte',
  'icr',
  'cr0',
  'cr4',
  'efer',
  'pf-error',
  'rflags',
  'vmx-exit',
  'svm-exit',
] as const;
export type ExplainKind = (typeof EXPLAIN_KINDS)[number];

export type ExplainResult = Explanation | { readonly problem: string };

function register(
  kind: string,
  value: bigint,
  fields: readonly BitField[],
  problems: string[],
  mode?: string,
): Explanation {
  const set = setFlags(value, fields);
  const summary = [mode, set.length === 0 ? 'no bit set' : set.join(' ')].filter(Boolean).join(' · ');
  return { kind, value: hex(value), summary, fields: explainFields(value, fields), set, problems };
}

function cr0Mode(cr0: bigint): string {
  if (!bit(cr0, 0)) return 'real mode';
  return bit(cr0, 31) ? 'protected mode, paging' : 'protected mode, no paging';
}

function eferMode(efer: bigint): string {
  if (bit(efer, 10)) return 'long mode active';
  return bit(efer, 8) ? 'long mode enabled, not active' : 'no long mode';
}

interface Shape {
  /** What the values are, in order; those after `required` may be left out. */
  readonly names: readonly string[];
  readonly required: number;
  readonly explain: (values: readonly bigint[]) => Explanation;
}

const SHAPES: Readonly<Record<Exclude<ExplainKind, 'pte'>, Shape>> = {
  descriptor: {
    names: ['low 8 bytes', 'high 8 bytes'],
    required: 1,
    explain: ([low, high]) =>
      // 16 bytes may come as one number.
      high === undefined && low! >> 64n !== 0n
        ? explainDescriptor(BigInt.asUintN(64, low!), low! >> 64n)
        : explainDescriptor(low!, high ?? null),
  },
  icr: {
    names: ['ICR', 'ICR2 (destination of an xAPIC)'],
    required: 1,
    explain: ([low, high]) =>
      explainIcr(high === undefined ? low! : (BigInt.asUintN(32, high) << 32n) | BigInt.asUintN(32, low!)),
  },
  cr0: {
    names: ['CR0'],
    required: 1,
    explain: ([value]) => register('cr0', value!, CR0, cr0Problems(value!), cr0Mode(value!)),
  },
  cr4: {
    names: ['CR4'],
    required: 1,
    explain: ([value]) => register('cr4', value!, CR4, cr4Problems(value!)),
  },
  efer: {
    names: ['EFER'],
    required: 1,
    explain: ([value]) => register('efer', value!, EFER, eferProblems(value!), eferMode(value!)),
  },
  'pf-error': { names: ['error code'], required: 1, explain: ([value]) => explainPageFaultError(value!) },
  rflags: {
    names: ['RFLAGS'],
    required: 1,
    explain: ([value]) => register('rflags', value!, RFLAGS, rflagsProblems(value!)),
  },
  'vmx-exit': {
    names: ['exit reason', 'exit qualification'],
    required: 1,
    explain: ([reason, qualification]) => explainVmxExit(reason!, qualification ?? null),
  },
  'svm-exit': {
    names: ['exit code', 'EXITINFO1', 'EXITINFO2'],
    required: 1,
    explain: ([code, info1, info2]) => explainSvmExit(code!, info1 ?? null, info2 ?? null),
  },
};

const WIDEST: Readonly<Partial<Record<ExplainKind, bigint>>> = { descriptor: 1n << 128n };

function isKind(kind: string): kind is ExplainKind {
  return (EXPLAIN_KINDS as readonly string[]).includes(kind);
}

function parseValues(
  kind: ExplainKind,
  texts: readonly string[],
  names: readonly string[],
): bigint[] | { readonly problem: string } {
  const values: bigint[] = [];
  const limit = WIDEST[kind] ?? 1n << 64n;
  for (const [index, text] of texts.entries()) {
    // Exit code -1 is how SVM's INVALID is usually printed.
    const value =
      kind === 'svm-exit' && /^-[12]$/.test(text.trim())
        ? BigInt.asUintN(64, BigInt(text))
        : parseNumber(text);
    if (value === null)
      return {
        problem: `"${text.slice(0, 40)}" is not a number for the ${names[index]}: write hex with 0x, bare hex that has a letter, or decimal`,
      };
    if (value >= limit) return { problem: `${text.slice(0, 40)} does not fit the ${names[index]}` };
    values.push(value);
  }
  return values;
}

function explainPte(texts: readonly string[]): ExplainResult {
  if (texts.length === 0 || texts.length > 2)
    return { problem: 'pte takes an entry and, if known, its level: pt, pd, pdpt, pml4 or pml5' };
  const level = texts[1] === undefined ? null : parseLevel(texts[1]);
  if (texts[1] !== undefined && level === null)
    return { problem: `"${texts[1].slice(0, 40)}" is no level: pt, pd, pdpt, pml4 or pml5` };
  const values = parseValues('pte', texts.slice(0, 1), ['entry']);
  return 'problem' in values ? values : explainPageTableEntry(values[0]!, level);
}

/**
 * Decodes values as texts: hex with 0x, bare hex that has a letter, or decimal. `descriptor` takes one or two halves
 * (low first), `icr` the register or the pair ICR, ICR2, `pte` an entry and its level, `vmx-exit` a reason and its
 * qualification, `svm-exit` a code and both EXITINFO fields.
 */
export function explain(kind: string, texts: readonly string[]): ExplainResult {
  if (!isKind(kind))
    return { problem: `unknown kind "${kind.slice(0, 40)}": one of ${EXPLAIN_KINDS.join(', ')}` };
  if (kind === 'pte') return explainPte(texts);
  const shape = SHAPES[kind];
  if (texts.length < shape.required) return { problem: `${kind} needs a value: ${shape.names[0]}` };
  if (texts.length > shape.names.length)
    return {
      problem: `${kind} takes ${shape.names.length === 1 ? 'one value' : `at most ${shape.names.length} values`}: ${shape.names.join(', ')}`,
    };
  const values = parseValues(kind, texts, shape.names);
  return 'problem' in values ? values : shape.explain(values);
}

/** Words near a number, and the kinds that they make likely, most specific first. */
const CONTEXTS: readonly (readonly [RegExp, ExplainKind])[] = [
  [/\bcr0\b/i, 'cr0'],
  [/\bcr4\b/i, 'cr4'],
  [/efer/i, 'efer'],
  [/\b[re]?flags\b|\beflags\b/i, 'rflags'],
  [/\bicr\b|icr_?lo|icr_?low/i, 'icr'],
  [/gdt|\bidt|descriptor|\bldt|segdesc/i, 'descriptor'],
  [/\b(?:pte|pde|pdpte|pdpt|pml[45]e?|leaf)s?\b|ptes\[/i, 'pte'],
  [/error[_ ]?code|\berr(?:code)?\b/i, 'pf-error'],
  [/\bexit[_ ]?reason\b|vm-?exit reason/i, 'vmx-exit'],
  [/\bexit[_ ]?code\b|exitcode/i, 'svm-exit'],
];

const PTE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bpml5e?\b/i, 'pml5'],
  [/\bpml4e?\b/i, 'pml4'],
  [/\bpdpte?s?\b/i, 'pdpt'],
  [/\bpdes?\b/i, 'pd'],
];

/** A present code or data descriptor with a base of 0 and the limit 0xfffff in pages: hardly anything else looks so. */
function looksLikeFlatDescriptor(value: bigint): boolean {
  if (value >> 64n !== 0n) return false;
  const kind = descriptorKind(value);
  if (kind !== 'code' && kind !== 'data') return false;
  const { base, limitField, present, granular } = decodeDescriptor(value);
  return base === 0n && limitField === 0xfffff && present && granular;
}

/**
 * What a number under the cursor may be, most likely first: by a word near it (`CR4`, `ICR`, `gdt_entry`), or, with
 * no such word, by its own shape. Empty where nothing suggests a decoding; plain addresses are not decoded here.
 */
export function identify(valueText: string, contextWord: string): Explanation[] {
  const value = parseNumber(valueText);
  if (value === null) return [];
  const context = contextWord.slice(0, 200);
  const found: Explanation[] = [];
  for (const [pattern, kind] of CONTEXTS) {
    if (!pattern.test(context)) continue;
    const level = kind === 'pte' ? PTE_WORDS.find(([word]) => word.test(context))?.[1] : undefined;
    const explanation = explain(kind, level === undefined ? [valueText] : [valueText, level]);
    if (!('problem' in explanation)) found.push(explanation);
  }
  if (found.length === 0 && looksLikeFlatDescriptor(value)) found.push(explainDescriptor(value));
  return found;
}
