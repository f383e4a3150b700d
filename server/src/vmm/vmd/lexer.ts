/**
 * The scanner of vm.conf, rule for rule that of vmd's yylex, lgetc and igetc (usr.sbin/vmd/parse.y rev 1.72): comments
 * that a backslash continues, macros expanded only at the start of a token, numbers that become strings. It differs in
 * one way: it never stops at an error, so that a half-typed file still gives tokens.
 */
import { isJinja, jinjaEnd } from './jinja';
import type { SourceText } from '../../text/sourceText';

export type TokenKind =
  | 'newline'
  | 'number'
  | 'string'
  | 'keyword'
  /** A single character that begins no word. */
  | 'punctuation'
  /** A macro that nobody defines: it may stand for anything. */
  | 'unknown'
  /** `$name` where macros are not expanded. */
  | 'macro'
  | 'end';

/** A stretch of one file, as half-open offsets. */
export interface Span {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

export interface Token extends Span {
  readonly kind: TokenKind;
  /** The word with quotes, escapes and macros resolved; the character of a punctuation. */
  readonly text: string;
  readonly quoted: boolean;
  /** The macro that the token came from, or began with. Its span is then where `$name` stands. */
  readonly macro: string | null;
}

export type LexicalProblem =
  'unterminated-string' | 'number-range' | 'string-too-long' | 'undefined-macro' | 'carriage-return';

export interface LexerEvents {
  /** The reserved words of the version at hand. */
  readonly keywords: ReadonlySet<string>;
  /**
   * The text of a macro; null for one whose text is not known, undefined for one that nobody defines.
   * Where there is no function, macros are not expanded.
   */
  readonly macro: ((name: string, at: Span) => string | null | undefined) | null;
  problem(kind: LexicalProblem, at: Span, text: string): void;
}

const NEWLINE = 10;
const RETURN = 13;
const BACKSLASH = 92;
const END = -1;
/** Of yylex's buffer of 8096 bytes a quoted word leaves two free, a plain one only that of its end. */
const LONGEST_QUOTED = 8094;
const LONGEST_PLAIN = 8095;

/** Characters that go on in an unquoted word: C-locale alphanumerics and punctuation without `(){}!=#,`. */
const IN_WORD = new Uint8Array(128);
for (let code = 33; code < 127; code++)
  IN_WORD[code] = '(){}!=#,'.includes(String.fromCharCode(code)) ? 0 : 1;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isAlphanumeric = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const isInWord = (code: number): boolean => code >= 0 && code < 128 && IN_WORD[code] === 1;
/** C's isspace and the marks that yylex lets follow a number; also the end of the file. */
const endsNumber = (code: number): boolean =>
  code === END || code === 32 || (code >= 9 && code <= 13) || ')},/='.includes(String.fromCharCode(code));

/** What usually follows a quote that somebody forgot to close: the next line begins like a statement of its own. */
const STATEMENT_AFTER_NEWLINE =
  /\n[ \t]*(?:\}|#|(?:vm|switch|disk|memory|local|interfaces?|boot|cdrom|owner|enable|disable|allow|socket|include|group|locked|lladdr|rdomain)\b)/;

export class Lexer {
  private position = 0;
  /** Text of the macro that is being read, and how far. */
  private expansion = '';
  private expansionAt = 0;
  private macro: { readonly name: string; readonly start: number; readonly end: number } | null = null;
  /** Set by `look`: the next character after continuations, and how many characters it takes. */
  private code = END;
  private width = 0;
  private ended = false;
  private readonly text: string;
  /** The text has expressions or statements of Jinja, which no vm.conf has. */
  private readonly template: boolean;

  constructor(
    readonly source: SourceText,
    private readonly events: LexerEvents,
  ) {
    this.text = source.text;
    this.template = isJinja(source.text);
  }

  /** The next token. After the last one comes a newline (as vmd fakes it), then `end` for ever. */
  next(): Token {
    for (;;) {
      this.skipBlanks();
      const start = this.here();
      const comment = this.code === 35;
      if (comment) this.skipComment();
      if (this.code === 36 && !this.expanding()) {
        const token = this.readMacro();
        if (token) return token;
        continue;
      }
      if (this.code === END) return this.readEnd();
      if (this.code === NEWLINE) return this.readNewline(comment);
      const opened = this.position + this.width - 1;
      const past = this.filledIn(opened);
      if (past !== null) {
        this.position = past;
        // A statement stands for nothing, an expression for a word that nobody knows yet.
        if (this.text[opened + 1] !== '{') continue;
        return this.token('unknown', opened, past, '', this.text.slice(opened, past));
      }
      if (this.code === 34 || this.code === 39) return this.readQuoted(start);
      return this.readWord(start);
    }
  }

  private expanding(): boolean {
    return this.expansionAt < this.expansion.length;
  }

  /** Offset in the file where the next character stands; inside a macro's text, where `$name` stands. */
  private here(): number {
    return this.expanding() ? this.macro!.start : this.position;
  }

  private hereAfter(): number {
    return this.expanding() ? this.macro!.end : this.position;
  }

  /** The raw character `ahead` places on: first what is left of a macro's text, then the file. */
  private raw(ahead: number): number {
    const left = this.expansion.length - this.expansionAt;
    if (ahead < left) return this.expansion.charCodeAt(this.expansionAt + ahead);
    const at = this.position + ahead - left;
    return at < this.text.length ? this.text.charCodeAt(at) : END;
  }

  private skip(count: number): void {
    const inMacro = Math.min(count, this.expansion.length - this.expansionAt);
    this.expansionAt += inMacro;
    this.position = Math.min(this.position + count - inMacro, this.text.length);
  }

  /** lgetc(0): a backslash joins lines, and is dropped before any other character. */
  private look(): void {
    let at = 0;
    for (;;) {
      const code = this.raw(at);
      if (code === BACKSLASH) {
        const next = this.raw(at + 1);
        if (next === NEWLINE) at += 2;
        else if (next === RETURN && this.raw(at + 2) === NEWLINE) at += 3;
        else {
          this.code = next;
          this.width = next === END ? at + 1 : at + 2;
          return;
        }
        continue;
      }
      const crlf = code === RETURN && this.raw(at + 1) === NEWLINE;
      this.code = crlf ? NEWLINE : code;
      this.width = code === END ? at : at + (crlf ? 2 : 1);
      return;
    }
  }

  private take(): void {
    this.skip(this.width);
    this.look();
  }

  private skipBlanks(): void {
    this.look();
    while (this.code === 32 || this.code === 9) this.take();
  }

  private skipComment(): void {
    while (this.code !== NEWLINE && this.code !== END) this.take();
  }

  private readEnd(): Token {
    this.skip(this.width);
    const start = this.text.length;
    if (this.ended) return this.token('end', start, start, '');
    this.ended = true;
    return this.token('newline', start, start, '\n');
  }

  private readNewline(afterComment: boolean): Token {
    const start = this.here();
    // A comment swallows the carriage return.
    if (this.raw(this.width - 2) === RETURN && !this.expanding() && !afterComment) {
      const at = this.position + this.width - 2;
      this.events.problem('carriage-return', { source: this.source, start: at, end: at + 1 }, '\r');
    }
    this.skip(this.width);
    return this.token('newline', start, this.hereAfter(), '\n');
  }

  /** `$name`: goes on with the macro's text (null), or gives a token where there is none. */
  private readMacro(): Token | null {
    const start = this.position + this.width - 1;
    this.skip(this.width);
    this.look();
    let name = '';
    while (isAlphanumeric(this.code) || this.code === 95) {
      name += String.fromCharCode(this.code);
      this.take();
    }
    const at = { source: this.source, start, end: this.position };
    if (!this.events.macro) return this.token('macro', start, at.end, name);
    const value = this.events.macro(name, at);
    if (value === undefined || value === null) {
      if (value === undefined) this.events.problem('undefined-macro', at, name);
      return this.token('unknown', start, at.end, '', name);
    }
    this.expansion = value;
    this.expansionAt = 0;
    this.macro = { name, start, end: at.end };
    return null;
  }

  private readQuoted(start: number): Token {
    const quote = this.code;
    const macro = this.expanding() ? this.macro!.name : null;
    this.skip(this.width);
    let text = '';
    let newlineAt = -1;
    let closed = false;
    let unknown = false;
    for (;;) {
      const code = this.raw(0);
      if (code === END) break;
      const past = this.filledIn(this.position);
      if (past !== null) {
        this.position = past;
        unknown = true;
        continue;
      }
      if (code === quote) {
        this.skip(1);
        closed = true;
        break;
      }
      if (code === NEWLINE && newlineAt < 0) newlineAt = this.position;
      if (code === NEWLINE || (code === RETURN && this.raw(1) === NEWLINE)) {
        this.skip(1);
        continue;
      }
      const escaped = code === BACKSLASH ? this.raw(1) : END;
      if (escaped === quote || escaped === 32 || escaped === 9 || escaped === NEWLINE) {
        if (escaped !== NEWLINE) text += String.fromCharCode(escaped);
        this.skip(2);
        continue;
      }
      text += this.readPlainQuoted(quote);
    }
    if (newlineAt >= 0 && this.swallowsStatements(newlineAt, closed)) {
      return this.cutAtLineEnd(start, newlineAt, macro);
    }
    if (unknown)
      return this.token('unknown', start, this.hereAfter(), '', this.text.slice(start, this.position));
    const token = this.token('string', start, this.hereAfter(), text, macro, true);
    if (!closed) this.events.problem('unterminated-string', token, token.text);
    return this.measured(token);
  }

  /** Past what a template fills in from an offset of the file on; null where that is nothing. */
  private filledIn(start: number): number | null {
    return this.template && !this.expanding() ? jinjaEnd(this.text, start) : null;
  }

  /** One plain character of a quoted word, or as many as stand there in the file. */
  private readPlainQuoted(quote: number): string {
    if (this.expanding()) {
      const code = this.raw(0);
      this.skip(1);
      return String.fromCharCode(code);
    }
    const from = this.position;
    let to = from + 1;
    for (; to < this.text.length; to++) {
      const code = this.text.charCodeAt(to);
      if (code === quote || code === NEWLINE || code === BACKSLASH || code === RETURN) break;
      if (this.template && code === 123) break;
    }
    this.position = to;
    return this.text.slice(from, to);
  }

  private swallowsStatements(newlineAt: number, closed: boolean): boolean {
    return (
      !closed ||
      STATEMENT_AFTER_NEWLINE.test(this.text.slice(newlineAt, Math.min(this.position, newlineAt + 4096)))
    );
  }

  /** vmd would read on to the next quote or the end; the rest of the file is worth more to somebody who types. */
  private cutAtLineEnd(start: number, newlineAt: number, macro: string | null): Token {
    const end = this.text.charCodeAt(newlineAt - 1) === RETURN ? newlineAt - 1 : newlineAt;
    const text = this.text.slice(Math.min(start + 1, end), end);
    this.position = end;
    const token = this.token('string', start, end, text, macro, true);
    this.events.problem('unterminated-string', token, text);
    return this.measured(token);
  }

  private readWord(start: number): Token {
    const macro = this.expanding() ? this.macro!.name : null;
    const first = this.code;
    const number = (first === 45 || isDigit(first)) && this.readNumber(start, macro);
    if (number) return number;
    if (!isAlphanumeric(first) && first !== 58 && first !== 95 && first !== 47) {
      this.skip(this.width);
      let text = String.fromCharCode(first);
      const second = this.raw(0);
      if (/[\ud800-\udbff]/.test(text) && second >= 0xdc00 && second <= 0xdfff) {
        text += String.fromCharCode(second);
        this.skip(1);
      }
      return this.token('punctuation', start, this.hereAfter(), text, macro);
    }
    let text = '';
    while (isInWord(this.code)) {
      const plain = this.expanding() || this.width > 1 ? 0 : this.plainWordLength();
      if (plain > 0) {
        text += this.text.slice(this.position, this.position + plain);
        this.position += plain;
        this.look();
      } else {
        text += String.fromCharCode(this.code);
        this.take();
      }
    }
    const kind = this.events.keywords.has(text) ? 'keyword' : 'string';
    return this.measured(this.token(kind, start, this.hereAfter(), text, macro));
  }

  /** How many characters of the file go on the word as they stand, without a backslash. */
  private plainWordLength(): number {
    let at = this.position;
    while (at < this.text.length) {
      const code = this.text.charCodeAt(at);
      if (code === BACKSLASH || !isInWord(code)) break;
      at++;
    }
    return at - this.position;
  }

  /** Null where the digits turn out to begin a word, such as `512M` or `10.0.0.0/8`; nothing is taken then. */
  private readNumber(start: number, macro: string | null): Token | null {
    const first = this.width;
    let ahead = first;
    while (isDigit(this.raw(ahead))) ahead++;
    const rest = this.expanding()
      ? Array.from({ length: ahead - first }, (_, i) => String.fromCharCode(this.raw(first + i))).join('')
      : this.text.slice(this.position + first, this.position + ahead);
    const digits = String.fromCharCode(this.code) + rest;
    const next = this.raw(ahead) === BACKSLASH ? 32 : this.raw(ahead);
    if (digits === '-' || !endsNumber(next)) return null;
    this.skip(ahead);
    const token = this.token('number', start, this.hereAfter(), digits, macro);
    if (digits.length > 18 && !fitsInt64(digits)) this.events.problem('number-range', token, digits);
    return token;
  }

  private token(
    kind: TokenKind,
    start: number,
    end: number,
    text: string,
    macro: string | null = null,
    quoted = false,
  ): Token {
    return { kind, source: this.source, start, end: Math.max(start, end), text, quoted, macro };
  }

  private measured(token: Token): Token {
    const longest = token.quoted ? LONGEST_QUOTED : LONGEST_PLAIN;
    if (token.text.length > longest) this.events.problem('string-too-long', token, token.text);
    return token;
  }
}

/** strtonum(3) with LLONG_MIN and LLONG_MAX. */
function fitsInt64(digits: string): boolean {
  if (digits.length > 40) return false;
  const value = BigInt(digits);
  return value >= -(1n << 63n) && value < 1n << 63n;
}
