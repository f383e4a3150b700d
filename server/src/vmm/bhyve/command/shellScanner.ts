/**
 * The simple commands of a shell script, as far as their words can be told without running it (POSIX XCU 2.3, 2.6, 2.10): quotes,
 * continued lines, comments, redirections, here-documents. What is inside of a substitution or a here-document is not looked at.
 */

/** Text with the place of each of its characters, a variable, or any other expansion. Offsets are half-open. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly at: readonly number[]; readonly quoted: boolean }
  | {
      readonly kind: 'variable' | 'other';
      /** The variable's name, or the source of another expansion. */
      readonly text: string;
      readonly start: number;
      readonly end: number;
      readonly quoted: boolean;
    };

export interface RawWord {
  readonly pieces: readonly Piece[];
  readonly start: number;
  readonly end: number;
}

export interface RawCommand {
  readonly words: readonly RawWord[];
}

const BLANK = /[ \t\r]/;
const SEPARATOR = /[;&|()\n]/;

/** Never throws; an open quote or substitution goes on to the end of the text. */
export function scanShell(text: string): RawCommand[] {
  return new Scanner(text).commands();
}

class Scanner {
  private at = 0;
  private readonly heredocs: { delimiter: string; tabs: boolean }[] = [];

  constructor(private readonly text: string) {}

  commands(): RawCommand[] {
    const { text } = this;
    const commands: RawCommand[] = [];
    let words: RawWord[] = [];
    const end = () => {
      if (words.length > 0) commands.push({ words });
      words = [];
    };
    while (this.at < text.length) {
      const c = text[this.at]!;
      if (BLANK.test(c)) this.at++;
      else if (this.continuation()) continue;
      else if (c === '\n') {
        end();
        this.at++;
        this.skipHeredocs();
      } else if (SEPARATOR.test(c)) {
        end();
        this.at++;
      } else if (c === '#') this.skipTo('\n');
      else if (c === '<' || c === '>') this.redirection(words);
      else words.push(this.word());
    }
    end();
    return commands;
  }

  /** A backslash before a line break is nothing at all. */
  private continuation(): boolean {
    const { text, at } = this;
    if (text[at] !== '\\') return false;
    const length = text[at + 1] === '\n' ? 2 : text[at + 1] === '\r' && text[at + 2] === '\n' ? 3 : 0;
    this.at += length;
    return length > 0;
  }

  private skipTo(character: string): void {
    const found = this.text.indexOf(character, this.at);
    this.at = found < 0 ? this.text.length : found;
  }

  /** A file descriptor before the sign was taken for a word. */
  private redirection(words: RawWord[]): void {
    const { text } = this;
    const last = words.at(-1);
    if (last?.end === this.at && /^\d+$/.test(text.slice(last.start, last.end))) words.pop();
    const operator = /^(?:<<-|<<<|<<|<&|>&|>>|>\||<>|<|>)/.exec(text.slice(this.at, this.at + 3))![0];
    this.at += operator.length;
    while (this.at < text.length && (BLANK.test(text[this.at]!) || this.continuation())) {
      if (BLANK.test(text[this.at] ?? '')) this.at++;
    }
    if (this.at >= text.length || SEPARATOR.test(text[this.at]!)) return;
    const target = this.word();
    if (operator !== '<<' && operator !== '<<-') return;
    const delimiter = target.pieces.map((piece) => piece.text).join('');
    if (this.heredocs.length < 50) this.heredocs.push({ delimiter, tabs: operator === '<<-' });
  }

  private skipHeredocs(): void {
    for (const { delimiter, tabs } of this.heredocs.splice(0)) {
      while (this.at < this.text.length) {
        const feed = this.text.indexOf('\n', this.at);
        const lineEnd = feed < 0 ? this.text.length : feed;
        const line = this.text.slice(this.at, lineEnd).replace(/\r$/, '');
        this.at = Math.min(lineEnd + 1, this.text.length);
        if ((tabs ? line.replace(/^\t+/, '') : line) === delimiter) break;
      }
    }
  }

  private word(): RawWord {
    const { text } = this;
    const start = this.at;
    const pieces: Piece[] = [];
    while (this.at < text.length) {
      const c = text[this.at]!;
      if (BLANK.test(c) || SEPARATOR.test(c) || c === '<' || c === '>') break;
      if (this.continuation()) continue;
      if (c === "'") this.singleQuoted(pieces);
      else if (c === '"') this.doubleQuoted(pieces);
      else if (c === '$' || c === '`') pieces.push(this.expansion(false));
      else if (c === '\\') {
        this.at++;
        if (this.at < text.length) this.character(pieces, true);
      } else this.character(pieces, false);
    }
    return { pieces, start, end: this.at };
  }

  private character(pieces: Piece[], quoted: boolean): void {
    const last = pieces.at(-1);
    const c = this.text[this.at]!;
    if (last?.kind === 'text' && last.quoted === quoted) {
      (last as { text: string }).text += c;
      (last.at as number[]).push(this.at);
    } else pieces.push({ kind: 'text', text: c, at: [this.at], quoted });
    this.at++;
  }

  private singleQuoted(pieces: Piece[]): void {
    this.at++;
    pieces.push({ kind: 'text', text: '', at: [], quoted: true });
    while (this.at < this.text.length && this.text[this.at] !== "'") this.character(pieces, true);
    this.at++;
  }

  private doubleQuoted(pieces: Piece[]): void {
    const { text } = this;
    this.at++;
    pieces.push({ kind: 'text', text: '', at: [], quoted: true });
    while (this.at < text.length && text[this.at] !== '"') {
      const c = text[this.at]!;
      if (this.continuation()) continue;
      if (c === '$' || c === '`') pieces.push(this.expansion(true));
      else {
        if (c === '\\' && '"\\$`'.includes(text[this.at + 1] ?? '-')) this.at++;
        this.character(pieces, true);
      }
    }
    this.at++;
  }

  /** At a dollar sign or a backquote. */
  private expansion(quoted: boolean): Piece {
    const { text, at: start } = this;
    const name = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/.exec(text.slice(start, start + 200));
    if (name) {
      this.at += name[0].length;
      return { kind: 'variable', text: name[1] ?? name[2]!, start, end: this.at, quoted };
    }
    if (text[start] === '`') {
      this.at++;
      while (this.at < text.length && text[this.at] !== '`') this.at += text[this.at] === '\\' ? 2 : 1;
      this.at = Math.min(this.at + 1, text.length);
    } else if (text[start + 1] === '(' || text[start + 1] === '{') this.balanced(text[start + 1]!);
    else this.at += /[\w@*#?$!-]/.test(text[start + 1] ?? '') ? 2 : 1;
    return { kind: 'other', text: text.slice(start, this.at), start, end: this.at, quoted };
  }

  /** From a dollar sign to the bracket that closes what it opens; quotes inside hide brackets. */
  private balanced(open: string): void {
    const { text } = this;
    const close = open === '(' ? ')' : '}';
    let depth = 0;
    for (this.at++; this.at < text.length; this.at++) {
      const c = text[this.at]!;
      if (c === '\\') this.at++;
      else if (c === "'" && open === '(') {
        this.at++;
        this.skipTo("'");
      } else if (c === open) depth++;
      else if (c === close && --depth === 0) break;
    }
    this.at = Math.min(this.at + 1, text.length);
  }
}
