/** Words of commands after expansion, with variables that the same script sets once and only once. */
import type { Piece, RawCommand, RawWord } from './shellScanner';

/** A word as the command gets it. */
export interface Word {
  readonly text: string;
  /** For each character the place it comes from; of an expansion, the whole expansion. Half-open. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly start: number;
  readonly end: number;
  /** Part of it is an expansion that is not told here; its source stands in `text`. */
  readonly open: boolean;
  /** It is nothing but such an expansion without quotes, which may be no word or several. */
  readonly bare: boolean;
}

const ASSIGNMENT = /^([A-Za-z_]\w*)(\+?)=/;
const DECLARATION = new Set(['export', 'readonly', 'local', 'declare', 'typeset', 'set', 'setenv']);
/** Builtins that set the variables they name. */
const SETTERS = new Set([
  'read',
  'for',
  'select',
  'getopts',
  'let',
  'unset',
  'setvar',
  'mapfile',
  'readarray',
  'eval',
]);
const DEEPEST = 8;
const LONGEST = 16 * 1024;

export class Variables {
  private readonly values = new Map<string, readonly Piece[] | null>();
  private readonly resolved = new Map<string, string | null>();

  constructor(commands: readonly RawCommand[]) {
    for (const { words } of commands) {
      let declared = false;
      for (const [index, word] of words.entries()) {
        const assigned = this.assign(word);
        if (assigned || declared) continue;
        const plain = plainText(word);
        if (plain !== null && DECLARATION.has(plain)) declared = true;
        else {
          if (plain !== null && SETTERS.has(plain)) this.forget(words.slice(index + 1));
          else if (plain !== null && /^(?:if|while|until|then|do|else|elif|\{|!|time)$/.test(plain)) continue;
          break;
        }
      }
    }
  }

  /** What a variable holds wherever it is used, or null where that is not sure. */
  valueOf(name: string, depth = 0): string | null {
    const known = this.resolved.get(name);
    if (known !== undefined) return known;
    const pieces = this.values.get(name);
    if (!pieces || depth > DEEPEST) return null;
    // One that refers to itself has no value that is told here.
    this.resolved.set(name, null);
    let value = '';
    for (const piece of pieces) {
      const part = this.partOf(piece, depth);
      if (part === null || value.length > LONGEST) return null;
      value += part;
    }
    this.resolved.set(name, value);
    return value;
  }

  private partOf(piece: Piece, depth: number): string | null {
    if (piece.kind === 'text') return piece.text;
    return piece.kind === 'variable' ? this.valueOf(piece.text, depth + 1) : null;
  }

  private assign(word: RawWord): boolean {
    const first = word.pieces[0];
    const found = first?.kind === 'text' && !first.quoted ? ASSIGNMENT.exec(first.text) : null;
    if (!found || first?.kind !== 'text') return false;
    const name = found[1]!;
    const length = found[0].length;
    const rest: Piece = { ...first, text: first.text.slice(length), at: first.at.slice(length) };
    const again = this.values.has(name) || found[2] === '+';
    this.values.set(name, again ? null : [rest, ...word.pieces.slice(1)]);
    return true;
  }

  private forget(words: readonly RawWord[]): void {
    for (const word of words) {
      const name = plainText(word);
      if (name !== null && /^[A-Za-z_]\w*$/.test(name)) this.values.set(name, null);
    }
  }
}

/** The text of a word without any expansion or quotes, else null. */
function plainText({ pieces }: RawWord): string | null {
  return pieces.length === 1 && pieces[0]!.kind === 'text' ? pieces[0]!.text : null;
}

/** Expands a word; an unquoted value with blanks makes several (field splitting). */
export function expandWord(word: RawWord, variables: Variables): Word[] {
  const words: Word[] = [];
  let text = '';
  let starts: number[] = [];
  let ends: number[] = [];
  let open = false;
  let quoted = false;
  const bareWord = word.pieces.length === 1 && word.pieces[0]!.kind !== 'text' && !word.pieces[0]!.quoted;
  const put = (part: string, start: number, end: number) => {
    for (const c of part.split('')) {
      text += c;
      starts.push(start);
      ends.push(end);
    }
  };
  const finish = () => {
    if (text === '' && !quoted) return;
    words.push({
      text,
      starts,
      ends,
      start: starts[0] ?? word.start,
      end: ends.at(-1) ?? word.end,
      open,
      bare: bareWord && open,
    });
    text = '';
    starts = [];
    ends = [];
    open = false;
  };
  for (const piece of word.pieces) {
    quoted ||= piece.quoted;
    if (piece.kind === 'text') {
      for (const [index, at] of piece.at.entries()) put(piece.text[index]!, at, at + 1);
      continue;
    }
    const value = piece.kind === 'variable' ? variables.valueOf(piece.text) : null;
    if (value === null) {
      open = true;
      put(placeholder(piece), piece.start, piece.end);
    } else if (piece.quoted || !/\s/.test(value)) put(value, piece.start, piece.end);
    else {
      for (const [index, field] of value.split(/\s+/).entries()) {
        if (index > 0) finish();
        put(field, piece.start, piece.end);
      }
    }
  }
  finish();
  return words;
}

/** As it is written, unless something in it would be taken for syntax of an option. */
function placeholder(piece: Exclude<Piece, { kind: 'text' }>): string {
  const source = piece.kind === 'variable' ? `\${${piece.text}}` : piece.text;
  return /[\s,:=/.]/.test(source) || source.length > 60 ? '${…}' : source;
}
