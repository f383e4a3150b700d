/**
 * A tolerant JSON reader with source positions, over the scanner of jsonc-parser: it takes what it understands of a text that
 * is half typed, and lists the rest. Integers keep all their digits. Nesting is bounded, so no text exhausts the stack.
 */
import { createScanner, type JSONScanner } from 'jsonc-parser/lib/esm/main.js';
import type { SourceText } from './sourceText';
import type { SourceRange } from './position';

/** Half-open offsets in UTF-16 units. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonString extends Span {
  readonly kind: 'string';
  readonly value: string;
}

export interface JsonNumber extends Span {
  readonly kind: 'number';
  /** As written. */
  readonly text: string;
  /** Null for a fraction or an exponent. */
  readonly integer: bigint | null;
  readonly value: number;
}

export interface JsonLiteral extends Span {
  readonly kind: 'boolean' | 'null';
  readonly value: boolean | null;
}

export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonMember {
  readonly key: JsonString;
  /** Null where none is written yet. */
  readonly value: JsonNode | null;
  /** The first member of the object with this key, where this is a later one. */
  readonly duplicateOf: JsonMember | null;
}

export interface JsonObject extends Span {
  readonly kind: 'object';
  readonly members: readonly JsonMember[];
}

export type JsonNode = JsonString | JsonNumber | JsonLiteral | JsonArray | JsonObject;

export interface JsonProblem extends Span {
  readonly code: 'syntax' | 'comment' | 'trailing-comma' | 'too-deep' | 'placeholder';
  /** Begins with a capital, no full stop. */
  readonly message: string;
}

export interface JsonText {
  /** Null where the text has no value. */
  readonly root: JsonNode | null;
  readonly problems: readonly JsonProblem[];
}

/**
 * What a shell or a template engine fills in, where it stands for a value without quotes: `${VCPUS}`, `$MEM`, `{{ memory }}`.
 * It is read as a string of what is written.
 */
const PLACEHOLDER = /(?:\$\{[^{}\r\n]*\}|\$[A-Za-z_]\w*|\{\{[^{}\r\n]*\}\})+/y;

/** Deeper than any config of a VMM. */
const DEEPEST = 100;
const MOST_PROBLEMS = 100;

/** jsonc-parser's SyntaxKind and ScanError, which are const enums of its types only. */
const KIND = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  null: 7,
  true: 8,
  false: 9,
  string: 10,
  number: 11,
  lineComment: 12,
  blockComment: 13,
  lineBreak: 14,
  trivia: 15,
  end: 17,
} as const;

const SCAN_ERRORS: Readonly<Record<number, string>> = {
  1: 'The comment does not end',
  2: 'The string does not end on its line',
  3: 'The number is not complete',
  4: 'The \\u escape needs four hexadecimal digits',
  5: 'JSON has no such escape',
  6: 'A control character in a string must be escaped',
};

/** Never throws, whatever the text is. */
export function parseJson(text: string): JsonText {
  return new JsonReader(text).read();
}

class JsonReader {
  private readonly scanner: JSONScanner;
  private readonly problems: JsonProblem[] = [];
  private kind: number = KIND.end;
  /** End of the last token that was taken. */
  private last = 0;

  constructor(private readonly text: string) {
    this.scanner = createScanner(text, false);
    if (text.startsWith('\ufeff')) this.scanner.setPosition(1);
    this.next();
  }

  read(): JsonText {
    const root = this.kind === KIND.end ? null : this.value(0);
    if (this.kind === KIND.end) {
      if (!root) this.report('A value is missing');
    } else {
      this.report('The text goes on behind its value');
    }
    return { root, problems: this.problems };
  }

  /** To the next token that is no trivia. */
  private next(): void {
    this.last = this.span().end;
    for (;;) {
      this.kind = this.scanner.scan();
      const error = SCAN_ERRORS[this.scanner.getTokenError()];
      if (error !== undefined) this.report(error);
      if (this.kind === KIND.lineComment || this.kind === KIND.blockComment) {
        this.report('JSON has no comments', 'comment');
      } else if (this.kind !== KIND.lineBreak && this.kind !== KIND.trivia) return;
    }
  }

  private is(kind: number): boolean {
    return this.kind === kind;
  }

  private span(): Span {
    const start = this.scanner.getTokenOffset();
    // The scanner goes a unit too far behind a comment that does not end.
    return { start, end: Math.min(start + this.scanner.getTokenLength(), this.text.length) };
  }

  private report(message: string, code: JsonProblem['code'] = 'syntax', at: Span = this.span()): void {
    const last = this.problems.at(-1);
    if (this.problems.length >= MOST_PROBLEMS || (last?.start === at.start && last.code === code)) return;
    this.problems.push({ code, message, ...at });
  }

  /** Null where no value begins here; then nothing is taken. */
  private value(depth: number): JsonNode | null {
    const span = this.span();
    const placeholder = this.placeholder(span.start);
    if (placeholder) return placeholder;
    switch (this.kind) {
      case KIND.openBrace:
        return depth < DEEPEST ? this.object(depth) : this.skipDeep();
      case KIND.openBracket:
        return depth < DEEPEST ? this.array(depth) : this.skipDeep();
      case KIND.string:
        return this.string();
      case KIND.number: {
        const text = this.scanner.getTokenValue();
        this.next();
        const integer = /^-?\d+$/.test(text) ? BigInt(text) : null;
        return { kind: 'number', ...span, text, integer, value: Number(text) };
      }
      case KIND.true:
      case KIND.false: {
        const value = this.kind === KIND.true;
        this.next();
        return { kind: 'boolean', ...span, value };
      }
      case KIND.null:
        this.next();
        return { kind: 'null', ...span, value: null };
      default:
        this.report('A value is missing');
        return null;
    }
  }

  private placeholder(start: number): JsonString | null {
    const first = this.text[start];
    if (first !== '$' && (first !== '{' || this.text[start + 1] !== '{')) return null;
    PLACEHOLDER.lastIndex = start;
    const match = PLACEHOLDER.exec(this.text);
    if (!match) return null;
    const end = start + match[0].length;
    this.report('A placeholder stands for a value', 'placeholder', { start, end });
    this.scanner.setPosition(end);
    this.next();
    return { kind: 'string', start, end, value: match[0] };
  }

  private string(): JsonString {
    const span = this.span();
    const value = this.scanner.getTokenValue();
    this.next();
    return { kind: 'string', ...span, value };
  }

  /** Takes everything up to the bracket's partner. */
  private skipDeep(): JsonLiteral {
    const { start } = this.span();
    this.report(`Nesting is deeper than ${DEEPEST} levels`, 'too-deep');
    let open = 0;
    do {
      if (this.kind === KIND.openBrace || this.kind === KIND.openBracket) open++;
      else if (this.kind === KIND.closeBrace || this.kind === KIND.closeBracket) open--;
      else if (this.kind === KIND.end) break;
      this.next();
    } while (open > 0);
    return { kind: 'null', start, end: this.last, value: null };
  }

  private array(depth: number): JsonArray {
    const { start } = this.span();
    const items: JsonNode[] = [];
    this.elements(KIND.closeBracket, () => {
      const item = this.value(depth + 1);
      if (item) items.push(item);
    });
    return { kind: 'array', start, end: this.last, items };
  }

  private object(depth: number): JsonObject {
    const { start } = this.span();
    const members: JsonMember[] = [];
    const first = new Map<string, JsonMember>();
    this.elements(KIND.closeBrace, () => {
      if (!this.is(KIND.string)) return this.report('A key in double quotes is missing');
      const key = this.string();
      let value: JsonNode | null = null;
      if (this.is(KIND.colon)) {
        this.next();
        value = this.value(depth + 1);
      } else this.report('A colon and a value must follow the key');
      const member = { key, value, duplicateOf: first.get(key.value) ?? null };
      if (!member.duplicateOf) first.set(key.value, member);
      members.push(member);
    });
    return { kind: 'object', start, end: this.last, members };
  }

  /** What stands between an opening bracket, the present token, and `close`, with commas between. */
  private elements(close: number, element: () => void): void {
    this.next();
    while (this.kind !== close) {
      if (this.kind === KIND.end) return this.report(`${close === KIND.closeBrace ? '}' : ']'} is missing`);
      if (this.kind !== KIND.comma) {
        const before = this.scanner.getTokenOffset();
        element();
        // What nobody takes must not stop the reader; the bracket of an outer value is left to it.
        if (this.scanner.getTokenOffset() === before && this.kind !== KIND.end) {
          if (this.kind === KIND.closeBrace || this.kind === KIND.closeBracket) return;
          this.next();
        }
      } else this.report('A value is missing before the comma');
      if (this.kind === KIND.comma) {
        const comma = this.span();
        this.next();
        if (this.kind === close)
          this.report('JSON has no comma after the last value', 'trailing-comma', comma);
      } else if (this.kind !== close && this.kind !== KIND.end) {
        if (this.kind === KIND.closeBrace || this.kind === KIND.closeBracket) {
          this.report(`${close === KIND.closeBrace ? '}' : ']'} is missing`);
          return;
        }
        this.report('A comma is missing');
      }
    }
    this.next();
  }
}

/** The first member of that key; null where the node is no object or has none. */
export function jsonMember(node: JsonNode | null, key: string): JsonMember | null {
  return node?.kind === 'object' ? (node.members.find((member) => member.key.value === key) ?? null) : null;
}

/** The value at a path of keys; null where there is none. */
export function jsonAt(node: JsonNode | null, ...path: readonly string[]): JsonNode | null {
  return path.reduce<JsonNode | null>((at, key) => jsonMember(at, key)?.value ?? null, node);
}

/** Where a node stands in its text; a string with its quotes. */
export function jsonRange(source: SourceText, node: JsonNode): SourceRange {
  return source.at(node.start, node.end);
}
