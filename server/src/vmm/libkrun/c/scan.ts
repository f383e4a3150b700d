/**
 * The calls of libkrun's API in a C or C++ text, with their literal arguments: a scanner and no parser. It knows comments,
 * strings, numbers and object-like macros of one literal; everything else is an argument that it cannot say the value of.
 */

/** Half-open offsets in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type CArgument = Span &
  (
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: bigint }
    | { readonly kind: 'boolean'; readonly value: boolean }
    | { readonly kind: 'null' }
    /** An expression. `text` is as written. */
    | { readonly kind: 'other'; readonly text: string }
  );

export interface CCall extends Span {
  readonly name: string;
  readonly nameSpan: Span;
  readonly arguments: readonly CArgument[];
  /** False where the text ends before the closing parenthesis. */
  readonly closed: boolean;
}

export interface Token extends Span {
  readonly kind: 'name' | 'number' | 'string' | 'sign';
  readonly text: string;
}

const PREFIX = 'krun_';
const MOST_CALLS = 2000;
const MOST_ARGUMENTS = 64;
/** Of one call: where nobody closes it, the rest of the text is none of its arguments. */
const MOST_TOKENS = 1024;

/** All calls of functions whose names begin with `krun_`, in the order of the text; declarations are none. */
export function krunCalls(text: string): CCall[] {
  const tokens = tokensOf(text);
  const macros = macrosOf(text);
  const calls: CCall[] = [];
  for (let at = 0; at + 1 < tokens.length && calls.length < MOST_CALLS; at++) {
    const token = tokens[at]!;
    if (token.kind !== 'name' || !token.text.startsWith(PREFIX) || tokens[at + 1]!.text !== '(') continue;
    const call = readCall(text, tokens, at, macros);
    if (call) calls.push(call);
  }
  return calls;
}

/** Null for a declaration: an argument in which two names stand side by side. */
function readCall(
  text: string,
  tokens: readonly Token[],
  at: number,
  macros: ReadonlyMap<string, Token>,
): CCall | null {
  const name = tokens[at]!;
  const groups: Token[][] = [[]];
  let depth = 0;
  let end = tokens[at + 1]!.end;
  let closed = false;
  const last = Math.min(tokens.length, at + MOST_TOKENS);
  for (let next = at + 1; next < last && groups.length <= MOST_ARGUMENTS; next++) {
    const token = tokens[next]!;
    // A call that is still being typed does not swallow the rest of the function.
    if (token.text === ';' || token.text === '{' || token.text === '}') break;
    end = token.end;
    if (token.text === '(' || token.text === '[') {
      if (depth++ === 0) continue;
    } else if (token.text === ')' || token.text === ']') {
      if (--depth === 0) {
        closed = true;
        break;
      }
    } else if (token.text === ',' && depth === 1) {
      groups.push([]);
      continue;
    }
    groups.at(-1)!.push(token);
  }
  if (groups.some(isParameter)) return null;
  const values = groups.length === 1 && groups[0]!.length === 0 ? [] : groups;
  return {
    name: name.text,
    nameSpan: { start: name.start, end: name.end },
    arguments: values.map((group) => argumentOf(text, group, end, macros)),
    start: name.start,
    end,
    closed,
  };
}

/** Two names side by side, outside parentheses: those of a cast may hold `unsigned long`. */
function isParameter(group: readonly Token[]): boolean {
  let depth = 0;
  return group.some((token, index) => {
    if (token.text === '(' || token.text === '[') depth++;
    else if (token.text === ')' || token.text === ']') depth--;
    return depth === 0 && token.kind === 'name' && group[index + 1]?.kind === 'name';
  });
}

function argumentOf(
  text: string,
  group: readonly Token[],
  end: number,
  macros: ReadonlyMap<string, Token>,
): CArgument {
  const first = group[0];
  const last = group.at(-1);
  if (!first || !last) return { kind: 'other', text: '', start: end, end };
  const span = { start: first.start, end: last.end };
  if (group.every(({ kind }) => kind === 'string')) {
    return { kind: 'string', value: group.map((token) => unquoted(token.text)).join(''), ...span };
  }
  const literal = group.length === 1 ? valueOf(first, macros) : null;
  return literal
    ? { ...literal, ...span }
    : { kind: 'other', text: text.slice(span.start, span.end), ...span };
}

type Literal =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

/** KRUN_KERNEL_FORMAT_* of libkrun.h, which a caller includes and does not define. */
const HEADER_NUMBERS: ReadonlyMap<string, bigint> = new Map(
  ['RAW', 'ELF', 'PE_GZ', 'IMAGE_BZ2', 'IMAGE_GZ', 'IMAGE_ZSTD'].map((name, value) => [
    `KRUN_KERNEL_FORMAT_${name}`,
    BigInt(value),
  ]),
);

function valueOf(token: Token, macros: ReadonlyMap<string, Token>): Literal | null {
  if (token.kind === 'string') return { kind: 'string', value: unquoted(token.text) };
  if (token.kind === 'number') return numberOf(token.text);
  if (token.text === 'NULL' || token.text === 'nullptr') return { kind: 'null' };
  if (token.text === 'true' || token.text === 'false') {
    return { kind: 'boolean', value: token.text === 'true' };
  }
  const known = HEADER_NUMBERS.get(token.text);
  if (known !== undefined) return { kind: 'number', value: known };
  const macro = macros.get(token.text);
  // A macro of a macro is not followed.
  return macro && macro.kind !== 'name' ? valueOf(macro, new Map()) : null;
}

/** Null for a floating-point number. */
function numberOf(text: string): Literal | null {
  const digits = text.replaceAll("'", '').replace(/[uUlLzZ]+$/, '');
  if (/^0[xX][0-9a-fA-F]{1,32}$/.test(digits) || /^0[bB][01]{1,128}$/.test(digits)) {
    return { kind: 'number', value: BigInt(digits) };
  }
  if (/^0[0-7]{1,43}$/.test(digits)) return { kind: 'number', value: BigInt(`0o${digits.slice(1)}`) };
  return /^\d{1,39}$/.test(digits) ? { kind: 'number', value: BigInt(digits) } : null;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** The text of a string literal without its quotes; numeric escapes but \0 stay as written. */
function unquoted(text: string): string {
  return text
    .slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined)
    .replace(/\\\r?\n/g, '')
    .replace(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}

/** A loop over alternatives takes stack for each of its rounds: plain runs are loops of their own, and escapes are counted. */
const LEXICAL =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*){0,65536}"?|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*){0,65536}'?|[A-Za-z_]\w*|\.?\d[\w.]*(?:'\w[\w.]*){0,64}|[^\s]/g;

/** Words, numbers, strings and signs of one character each, without comments. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(LEXICAL)) {
    const [word] = match;
    if (word.startsWith('//') || word.startsWith('/*')) continue;
    const span = { start: match.index, end: match.index + word.length };
    tokens.push({ kind: kindOf(word), text: word, ...span });
  }
  return tokens;
}

function kindOf(word: string): Token['kind'] {
  if (word.startsWith('"')) return 'string';
  if (/^[A-Za-z_]/.test(word)) return 'name';
  return /^\.?\d/.test(word) ? 'number' : 'sign';
}

const DEFINE = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+(\S[^\n]*)$/gm;

/** Object-like macros that are one literal. */
function macrosOf(text: string): Map<string, Token> {
  const macros = new Map<string, Token>();
  for (const [, name, body] of text.matchAll(DEFINE)) {
    const tokens = tokensOf(body!.replace(/^\((.*)\)\s*$/, '$1'));
    if (tokens.length === 1) macros.set(name!, tokens[0]!);
  }
  return macros;
}
