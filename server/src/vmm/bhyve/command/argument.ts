/** An option's argument, cut into parts that keep their places. */
import type { ConfigEntry, Span } from '../config/flatConfig';
import type { Word } from './words';

export class Argument {
  /** `[from, to)` of the word's text. */
  constructor(
    private readonly word: Word,
    private readonly from: number,
    private readonly to: number,
  ) {}

  static of(word: Word, from = 0): Argument {
    return new Argument(word, from, word.text.length);
  }

  get text(): string {
    return this.word.text.slice(this.from, this.to);
  }

  /** Part of it is an expansion that is not told. */
  get open(): boolean {
    return this.word.open && this.text.includes('$');
  }

  get span(): Span {
    const { starts, ends, end } = this.word;
    if (this.from >= this.to) {
      const at = starts[this.from] ?? end;
      return { start: at, end: at };
    }
    return { start: starts[this.from]!, end: ends[this.to - 1]! };
  }

  slice(from: number, to = this.to - this.from): Argument {
    return new Argument(this.word, this.from + from, Math.min(this.from + to, this.to));
  }

  /** strsep: at every comma. */
  split(separator = ','): Argument[] {
    const parts: Argument[] = [];
    let start = 0;
    for (const part of this.text.split(separator)) {
      parts.push(this.slice(start, start + part.length));
      start += part.length + separator.length;
    }
    return parts;
  }

  /** Before and behind the first separator; the second is null where there is none. */
  cut(separator: string): [Argument, Argument | null] {
    const at = this.text.indexOf(separator);
    return at < 0 ? [this, null] : [this.slice(0, at), this.slice(at + separator.length)];
  }
}

/** An entry for a value that stands there without its key. */
export function positional(key: string, value: Argument): ConfigEntry {
  return { key, raw: value.text, keySpan: value.span, valueSpan: value.span, implied: true };
}

/** An entry for `name=value` below a node. */
export function named(prefix: string, name: Argument, value: Argument): ConfigEntry {
  return { key: prefix + name.text, raw: value.text, keySpan: name.span, valueSpan: value.span };
}

/** An entry for an option or a word that stands for a value. */
export function implied(key: string, raw: string, span: Span): ConfigEntry {
  return { key, raw, keySpan: span, valueSpan: span, implied: true };
}
