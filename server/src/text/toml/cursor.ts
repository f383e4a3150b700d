/** A position in a TOML text with the problems found so far. It only ever moves on, so reading takes linear time. */
import type { TomlProblem, TomlSpan } from './tree';

/** More than anybody reads; a file of another kind would have one a line. */
const MOST_PROBLEMS = 500;

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;

export class Cursor {
  at = 0;
  readonly problems: TomlProblem[] = [];
  private dropped = false;

  constructor(readonly text: string) {
    // A byte-order mark is no part of the document.
    if (text.charCodeAt(0) === 0xfeff) this.at = 1;
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** The character at the cursor, or the empty string at the end. */
  get next(): string {
    return this.text.charAt(this.at);
  }

  startsWith(word: string): boolean {
    return this.text.startsWith(word, this.at);
  }

  /** Goes past the word where it stands here. */
  take(word: string): boolean {
    if (!this.startsWith(word)) return false;
    this.at += word.length;
    return true;
  }

  /** What the sticky expression matches here, without going past it. */
  match(sticky: RegExp): string {
    sticky.lastIndex = this.at;
    return sticky.exec(this.text)?.[0] ?? '';
  }

  skipBlanks(): void {
    while (this.next === ' ' || this.next === '\t') this.at++;
  }

  /** At a line feed, a carriage return before one, or the end. A lone carriage return is no line end of TOML. */
  get atLineEnd(): boolean {
    const unit = this.text.charCodeAt(this.at);
    return (
      this.ended || unit === NEWLINE || (unit === RETURN && this.text.charCodeAt(this.at + 1) === NEWLINE)
    );
  }

  /** Goes past one line end; false where there is none. */
  takeLineEnd(): boolean {
    return this.take('\r\n') || this.take('\n');
  }

  /** Goes past a comment up to its line end. */
  skipComment(): void {
    if (this.next !== '#') return;
    let control = -1;
    for (; !this.atLineEnd; this.at++) {
      if (control < 0 && isControl(this.text.charCodeAt(this.at))) control = this.at;
    }
    if (control >= 0) {
      this.problem(
        'syntax',
        { start: control, end: control + 1 },
        'A comment holds a control character, which TOML forbids.',
      );
    }
  }

  /** Blanks, comments and line ends. */
  skipSpace(): void {
    for (;;) {
      this.skipBlanks();
      if (this.next === '#') this.skipComment();
      if (!this.takeLineEnd()) return;
    }
  }

  /** To the line end, whatever comes before it. */
  skipLine(): void {
    while (!this.atLineEnd) this.at++;
  }

  problem(kind: TomlProblem['kind'], { start, end }: TomlSpan, message: string, first?: TomlSpan): void {
    if (this.problems.length < MOST_PROBLEMS) {
      this.problems.push({ kind, start, end, message, ...(first ? { first } : {}) });
    } else if (!this.dropped) {
      this.dropped = true;
      const rest = `The first ${MOST_PROBLEMS} problems of this file are listed; there are more.`;
      this.problems.push({ kind: 'syntax', start, end, message: rest });
    }
  }
}

/** What neither a string nor a comment may hold as it is. */
export function isControl(unit: number): boolean {
  return (unit < 0x20 && unit !== TAB) || unit === 0x7f;
}
