/** What every rule of the parser needs: words, ends of lines, spans, and the messages for what does not fit. */
import type { Fix } from '../../text/finding';
import { DEAD_KEYWORDS } from './vocabulary';
import type { Span, Token } from './lexer';
import { MAX_PARTS, type Text } from './syntax';
import { TokenStream } from './tokenStream';

/** Punctuation that has a meaning; any other character is a stray one. */
const STRUCTURAL = new Set(['{', '}', ',', '=']);

export class Cursor extends TokenStream {
  /** End of the last token that was taken. */
  private last: Token | null = null;
  /** The token that was reported as unexpected last: once is enough. */
  private complained: Token | null = null;

  override next(): Token {
    const token = super.next();
    this.last = token;
    return token;
  }

  at(text: string): boolean {
    const token = this.peek();
    return (token.kind === 'punctuation' || token.kind === 'keyword') && token.text === text;
  }

  atKeyword(...words: readonly string[]): boolean {
    const token = this.peek();
    return token.kind === 'keyword' && words.includes(token.text);
  }

  atLineEnd(): boolean {
    return this.peek().kind === 'newline' || this.peek().kind === 'end';
  }

  accept(text: string): Token | null {
    return this.at(text) ? this.next() : null;
  }

  skipNewlines(): void {
    while (this.peek().kind === 'newline') this.next();
  }

  /**
   * From a first token to the last that was taken. Nodes of the tree spread it last: V8 gives objects that begin with
   * a spread no common shape, and making and reading those takes ten times as long.
   */
  spanFrom(first: Span): Span {
    const last = this.last;
    const end = last && last.source === first.source && last.kind !== 'newline' ? last.end : first.end;
    return { source: first.source, start: first.start, end: Math.max(end, first.end) };
  }

  /** A `string` of the grammar: one or more adjacent strings. Null, with a finding, where there is none. */
  text(what: string): Text | null {
    const first = this.word(what);
    if (!first) return null;
    const parts = [first];
    let { text } = first;
    let known = first.kind !== 'unknown';
    while (this.peek().kind === 'string' || this.peek().kind === 'unknown') {
      const part = this.next();
      known &&= part.kind !== 'unknown';
      text += part.text;
      if (parts.length < MAX_PARTS) parts.push(part);
    }
    return { text, parts, known, ...this.spanFrom(first) };
  }

  /** A single STRING of the grammar. Null, with a finding, where there is none. */
  word(what: string): Token | null {
    const token = this.peek();
    if (token.kind === 'string') return this.next();
    if (token.kind === 'unknown') return this.unknownWord();
    if (token.kind === 'number' || token.kind === 'keyword') return this.misreadWord(what);
    if (token.kind === 'punctuation' && !STRUCTURAL.has(token.text)) return this.strayWord(what);
    this.expected(what);
    return null;
  }

  /** A NUMBER, or a macro that may be one. */
  number(what: string): Token | null {
    const token = this.peek();
    if (token.kind === 'number' || token.kind === 'unknown') return this.next();
    this.expected(what);
    return null;
  }

  /** A NUMBER or a STRING. */
  value(what: string): Token | null {
    return this.peek().kind === 'number' ? this.next() : this.word(what);
  }

  /** Reports what stands here instead of what is wanted. */
  expected(what: string, fixes?: readonly Fix[]): void {
    const token = this.peek();
    if (token === this.complained) return;
    this.complained = token;
    if (token.kind === 'punctuation' && !STRUCTURAL.has(token.text)) {
      this.report(
        'vmconf-unexpected-character',
        token,
        `${capital(named(token))} begins no word in vm.conf: ${what} is wanted here.`,
        { fixes },
      );
      return;
    }
    this.report('vmconf-syntax', token, `${capital(what)} is wanted here, not ${named(token)}.`, { fixes });
  }

  /** Takes the rest of a line, with blocks that open in it; stops before a `}` that closes an outer block. */
  skipLine(): void {
    let depth = 0;
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end') return;
      if (token.kind === 'newline' && (depth === 0 || this.startsStatement(1))) return;
      if (token.kind === 'punctuation' && token.text === '{') depth++;
      if (token.kind === 'punctuation' && token.text === '}' && --depth < 0) return;
      this.next();
    }
  }

  /** Whether a statement of the top level begins `ahead` tokens on: a sign that a block was never closed. */
  startsStatement(ahead = 0): boolean {
    const token = this.peek(ahead);
    if (token.kind !== 'keyword') return false;
    const after = this.peek(ahead + 1);
    switch (token.text) {
      case 'vm':
      case 'include':
      case 'socket':
      case 'agentx':
      case 'staggered':
        return after.kind !== 'newline' && after.text !== '}';
      case 'local':
        return after.kind === 'keyword' && (after.text === 'prefix' || after.text === 'inet6');
      case 'switch':
        return (
          after.kind === 'string' &&
          this.peek(ahead + 2).kind === 'punctuation' &&
          this.peek(ahead + 2).text === '{'
        );
      default:
        return false;
    }
  }

  /** Replaces a span. */
  fix(title: string, at: Span, newText: string, preferred = false): Fix {
    return {
      title,
      edits: [{ uri: at.source.uri, range: at.source.lines.rangeAt(at.start, at.end), newText }],
      preferred,
    };
  }

  private unknownWord(): Token {
    const token = this.next();
    // `${name}` is no macro of vm.conf, but plainly meant as one: take it whole.
    const brace = this.peek();
    if (token.macro === '' && brace.text === '{' && brace.start === token.end) {
      while (!this.atLineEnd() && this.next().text !== '}');
    }
    return token;
  }

  /** A number or a reserved word where a string is wanted: taken as one, since that is what was meant. */
  private misreadWord(what: string): Token {
    const token = this.next();
    const next = this.peek();
    const glued =
      next.kind === 'string' && next.source === token.source && next.start === token.end && !token.macro;
    const whole = glued ? { ...token, end: next.end, text: token.text + next.text } : token;
    const fixes =
      token.macro || whole.text.length > 200
        ? []
        : [this.fix(`Quote ${whole.text}`, whole, `"${whole.text}"`, true)];
    if (token.kind === 'keyword') {
      const dead = DEAD_KEYWORDS.has(token.text) ? ', although no rule of the grammar uses it' : '';
      this.report(
        'vmconf-reserved-word',
        token,
        `\`${token.text}\` is a reserved word${dead}: unquoted it is not taken as ${what}.`,
        { fixes },
      );
    } else {
      this.report(
        'vmconf-syntax',
        whole,
        `${capital(what)} is wanted here, and unquoted \`${shortened(token.text)}\` is a number to vmd.`,
        { fixes },
      );
    }
    if (glued) this.next();
    return { ...whole, kind: 'string' };
  }

  /** `./disk.img`, `~user`, `-name`: a character that begins no word, with what is glued to it. */
  private strayWord(what: string): Token {
    const first = this.next();
    let text = first.text;
    let end = first.end;
    while (!this.atLineEnd() && this.peek().start === end && !STRUCTURAL.has(this.peek().text)) {
      const part = this.next();
      text += part.text;
      end = part.end;
    }
    const token: Token = { ...first, kind: 'string', text, end };
    const quotable =
      [...text].every((character) => character >= ' ' && character !== '"') &&
      !first.macro &&
      text.length <= 200;
    const fixes = quotable ? [this.fix(`Quote ${text}`, token, `"${text}"`, true)] : [];
    const reason =
      first.text === '\0'
        ? 'vmd takes a NUL for the end of the file'
        : `an unquoted word begins with a letter, a digit, \`:\`, \`_\` or \`/\``;
    this.report(
      'vmconf-unexpected-character',
      token,
      `${capital(named(first))} begins no word: ${reason}, so ${what} must be quoted here.`,
      { fixes },
    );
    return token;
  }
}

/** Whether only blanks stand before a span on its line. */
export function beginsLine({ source, start }: Span): boolean {
  let at = start - 1;
  while (at >= 0 && (source.text[at] === ' ' || source.text[at] === '\t')) at--;
  return at < 0 || source.text[at] === '\n' || source.text[at] === '\r';
}

/** The blanks that the line of a span begins with. */
export function indentOf({ source, start }: Span): string {
  const lineStart = start - source.lines.positionAt(start).character;
  let at = lineStart;
  while (source.text[at] === ' ' || source.text[at] === '\t') at++;
  return source.text.slice(lineStart, at);
}

/** A word as messages show it. */
function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A token as messages name it. */
export function named(token: Token): string {
  switch (token.kind) {
    case 'newline':
    case 'end':
      return token.kind === 'end' ? 'the end of the file' : 'the end of the line';
    case 'keyword':
      return `the keyword \`${token.text}\``;
    case 'number':
      return `the number \`${shortened(token.text)}\``;
    case 'string':
      return `\`${shortened(token.text)}\``;
    case 'unknown':
    case 'macro':
      return `\`$${token.macro ?? token.text}\``;
    case 'punctuation': {
      const code = token.text.codePointAt(0)!;
      return code < 33 || code > 126
        ? `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`
        : `\`${token.text}\``;
    }
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
