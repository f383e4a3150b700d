/**
 * References to other values (config.c, _expand_config_value): `%(key)` anywhere in a value, to 15 levels; in a value with a
 * percent sign a backslash takes the next character as it is. Mistakes are warnings to bhyve, and the text goes on.
 */
import type { ConfigEntry } from './flatConfig';

const DEEPEST = 15;
/** References can multiply: nobody needs a longer value. */
const LONGEST = 64 * 1024;
const MOST_STEPS = 10_000;
/** Of a whole config, in UTF-16 units: every value of it may refer to long ones. */
const LONGEST_TOGETHER = 4 * 1024 * 1024;
const MOST_STEPS_TOGETHER = 400_000;

export type ReferenceProblem =
  | { readonly why: 'invalid' | 'empty' | 'too-deep' | 'trailing-backslash' | 'too-long' | 'too-many' }
  | { readonly why: 'missing'; readonly key: string };

export interface Expanded {
  readonly value: string;
  readonly problems: readonly ReferenceProblem[];
}

/** The values of one config with their references expanded. */
export class References {
  private length = 0;
  private steps = 0;
  private told = false;

  constructor(private readonly values: ReadonlyMap<string, ConfigEntry>) {}

  /** Where all values together have become too long, a value stays as it is written; the first one that does so says it. */
  expand(raw: string): Expanded {
    if (!raw.includes('%')) return { value: raw, problems: [] };
    if (this.length > LONGEST_TOGETHER || this.steps > MOST_STEPS_TOGETHER) {
      const first = !this.told;
      this.told = true;
      return { value: raw, problems: first ? [{ why: 'too-many' }] : [] };
    }
    const run = new Expansion(this.values);
    const value = run.expand(raw, 0);
    this.length += run.length;
    this.steps += run.steps;
    return { value: value.slice(0, LONGEST), problems: run.problems };
  }
}

class Expansion {
  readonly problems: ReferenceProblem[] = [];
  length = 0;
  steps = 0;

  constructor(private readonly values: ReadonlyMap<string, ConfigEntry>) {}

  expand(text: string, depth: number): string {
    let out = '';
    for (let at = 0; at < text.length;) {
      if (this.exhausted()) return out;
      const special = nextSpecial(text, at);
      if (special > at) {
        out += text.slice(at, special);
        this.length += special - at;
        at = special;
      } else if (text[at] === '\\') {
        if (at + 1 === text.length) this.note({ why: 'trailing-backslash' });
        else out += text[at + 1]!;
        at += 2;
      } else {
        const { text: referenced, next } = this.reference(text, at, depth);
        out += referenced;
        at = next;
      }
    }
    return out;
  }

  /** At a percent sign. */
  private reference(text: string, at: number, depth: number): { text: string; next: number } {
    if (depth > DEEPEST) {
      this.note({ why: 'too-deep' });
      return { text: '%', next: at + 1 };
    }
    const close = text[at + 1] === '(' ? text.indexOf(')', at + 2) : -1;
    if (close < 0) {
      this.note({ why: 'invalid' });
      return { text: '%', next: at + 1 };
    }
    const next = close + 1;
    if (close === at + 2) {
      this.note({ why: 'empty' });
      return { text: '', next };
    }
    const key = text.slice(at + 2, close);
    const entry = this.values.get(key);
    if (!entry) {
      this.note({ why: 'missing', key });
      return { text: '', next };
    }
    return { text: this.expand(entry.raw, depth + 1), next };
  }

  private exhausted(): boolean {
    if (++this.steps <= MOST_STEPS && this.length <= LONGEST) return false;
    if (!this.problems.some(({ why }) => why === 'too-long')) this.problems.push({ why: 'too-long' });
    return true;
  }

  private note(problem: ReferenceProblem): void {
    if (this.problems.length < 20) this.problems.push(problem);
  }
}

function nextSpecial(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '%' || text[at] === '\\') return at;
  return text.length;
}
