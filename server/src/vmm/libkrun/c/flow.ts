/**
 * Which call of a C text is certainly made before another one: both stand in one function, the first in a block around the second, under
 * no condition of its own, and no label lies between them. A scanner and no compiler: where it cannot tell, it says no.
 */
import { tokensOf, type CCall, type Token } from './scan';

interface Place {
  /** The blocks around it, the function's first. */
  readonly blocks: readonly number[];
  /** The branches of #if around it. */
  readonly branches: readonly number[];
  /** Nothing in its own statement may keep it from being made. */
  readonly sure: boolean;
}

export interface CallOrder {
  /** Whether `earlier` has been made wherever `later` is. */
  precedes(earlier: CCall, later: CCall): boolean;
}

const LOOPS = new Set(['for', 'while', 'do', 'else', 'case', 'default', 'goto']);
const TESTS = new Set(['if', 'for', 'while', 'switch']);

export function callOrder(text: string, calls: readonly CCall[]): CallOrder {
  const walk = new Walk(text, calls);
  return {
    precedes(earlier, later) {
      const a = walk.places.get(earlier);
      const b = walk.places.get(later);
      if (!a || !b || !a.sure || earlier.start >= later.start || a.blocks.length === 0) return false;
      if (!isPrefix(a.blocks, b.blocks) || !isPrefix(a.branches, b.branches)) return false;
      return !walk.hasLabel(earlier.end, later.start);
    },
  };
}

function isPrefix(prefix: readonly number[], whole: readonly number[]): boolean {
  return prefix.length <= whole.length && prefix.every((value, index) => whole[index] === value);
}

class Walk {
  readonly places = new Map<CCall, Place>();
  private readonly labels: number[] = [];
  private readonly blocks: { readonly id: number; readonly ofSwitch: boolean }[] = [];
  private readonly branches: number[] = [];
  private next = 0;
  /** Of the statement so far. */
  private words: Token[] = [];
  private depth = 0;
  /** A condition without braces has ended, or an operator may leave the rest out. */
  private unsure = false;
  private testDepths: number[] = [];

  constructor(text: string, calls: readonly CCall[]) {
    const byStart = new Map(calls.map((call) => [call.start, call]));
    const tokens = tokensOf(text);
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at]!;
      if (token.text === '#' && isFirstOfLine(text, token.start)) {
        at = this.directive(text, tokens, at);
        continue;
      }
      const call = byStart.get(token.start);
      if (call) {
        this.places.set(call, {
          blocks: this.blocks.map(({ id }) => id),
          branches: [...this.branches],
          sure: !this.unsure && this.blocks.at(-1)?.ofSwitch !== true,
        });
      }
      this.step(token, tokens[at + 1]);
    }
  }

  /** Whether a label stands in [start, end). */
  hasLabel(start: number, end: number): boolean {
    let low = 0;
    let high = this.labels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.labels[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low < this.labels.length && this.labels[low]! < end;
  }

  private step(token: Token, next: Token | undefined): void {
    switch (token.text) {
      case '{':
        this.blocks.push({ id: this.next++, ofSwitch: this.words.some(({ text }) => text === 'switch') });
        this.statement();
        return;
      case '}':
        this.blocks.pop();
        this.statement();
        return;
      case ';':
        if (this.depth === 0) this.statement();
        return;
      case '(':
        if (TESTS.has(this.words.at(-1)?.text ?? '')) this.testDepths.push(this.depth);
        this.depth++;
        break;
      case ')':
        this.depth = Math.max(0, this.depth - 1);
        if (this.testDepths.at(-1) === this.depth) {
          this.testDepths.pop();
          this.unsure = true;
        }
        break;
      case '?':
        this.unsure = true;
        break;
      case ':':
        this.colon(token);
        break;
      case '&':
      case '|':
        if (next?.text === token.text && next.start === token.end) this.unsure = true;
        break;
      default:
        if (LOOPS.has(token.text)) this.unsure = true;
    }
    this.words.push(token);
  }

  private colon(token: Token): void {
    if (this.words.length === 1 && this.words[0]!.kind === 'name') this.labels.push(token.start);
    this.unsure = true;
  }

  private statement(): void {
    this.words = [];
    this.depth = 0;
    this.unsure = false;
    this.testDepths = [];
  }

  /** Returns the index of the directive's last token. */
  private directive(text: string, tokens: readonly Token[], at: number): number {
    const word = tokens[at + 1]?.text ?? '';
    if (word.startsWith('if')) this.branches.push(this.next++);
    else if (word.startsWith('el')) {
      this.branches.pop();
      this.branches.push(this.next++);
    } else if (word === 'endif') this.branches.pop();
    const end = endOfLine(text, tokens[at]!.start);
    let last = at;
    while (last + 1 < tokens.length && tokens[last + 1]!.start < end) last++;
    return last;
  }
}

function isFirstOfLine(text: string, start: number): boolean {
  return text.slice(text.lastIndexOf('\n', start - 1) + 1, start).trim() === '';
}

/** Past the lines that a backslash joins. */
function endOfLine(text: string, start: number): number {
  let end = text.indexOf('\n', start);
  while (end > 0 && /\\\r?$/.test(text.slice(Math.max(0, end - 2), end))) end = text.indexOf('\n', end + 1);
  return end < 0 ? text.length : end;
}
