/**
 * The text of a QEMU config file as qemu_config_foreach (util/qemu-config.c) reads it: fgets into 1024 bytes, then sscanf, which looks at
 * no more of a line than its patterns need. Until 6.1 every line that is none of them was a parse error.
 */

/** Half-open offsets in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ConfigPair extends Span {
  readonly key: Span & { readonly text: string };
  /** Inside the quotes. */
  readonly value: Span & { readonly text: string };
}

export interface ConfigGroup extends Span {
  readonly name: Span & { readonly text: string };
  /** Inside the quotes; null without one. */
  readonly id: (Span & { readonly text: string }) | null;
  readonly pairs: ConfigPair[];
}

export type LineProblemKind =
  /** `[` without a name. */
  | 'header'
  /** No `]` behind a group. */
  | 'unclosed-header'
  /** A blank line that is not empty: blanks, or the CR of a DOS line ending. */
  | 'blank'
  /** A comment that does not start its line. */
  | 'comment'
  /** `key="value"` and `key= "value"`: the sign is taken for a part of the key. */
  | 'glued'
  /** A value without quotes. */
  | 'unquoted'
  /** No value at all. */
  | 'no-value'
  /** No closing quote. */
  | 'unclosed-value'
  /** Something other than a comment behind the closing quote. */
  | 'tail'
  | 'long-name'
  | 'long-line'
  /** A pair above every group. */
  | 'no-group';

export interface LineProblem extends Span {
  readonly kind: LineProblemKind;
  /** What belongs there, where that is certain. */
  readonly replacement?: string;
}

export interface QemuConfig {
  readonly groups: readonly ConfigGroup[];
  readonly problems: readonly LineProblem[];
}

/** Of a name, an id or a key; of a value, and of a line with its line feed. All in bytes. */
const LONGEST_NAME = 63;
const LONGEST_LINE = 1023;

/** Never throws. */
export function readQemuConfig(text: string): QemuConfig {
  const reader = new Reader();
  let start = 0;
  while (start < text.length) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed;
    reader.line(text.slice(start, end), start, feed >= 0);
    start = end + 1;
  }
  return reader;
}

class Reader implements QemuConfig {
  readonly groups: ConfigGroup[] = [];
  readonly problems: LineProblem[] = [];

  line(line: string, start: number, fed: boolean): void {
    if ((line === '' && fed) || line.startsWith('#')) return;
    if (byteLength(line) + (fed ? 1 : 0) > LONGEST_LINE) {
      this.problem('long-line', start, start + line.length);
    }
    if (line.trim() === '') {
      this.problems.push({ kind: 'blank', start, end: start + line.length, replacement: '' });
    } else if (line.startsWith('[')) {
      this.header(line, start);
    } else {
      this.pair(line, start);
    }
  }

  private problem(kind: LineProblemKind, start: number, end: number, replacement?: string): void {
    this.problems.push({ kind, start, end, ...(replacement === undefined ? {} : { replacement }) });
  }

  private header(line: string, start: number): void {
    const end = start + line.trimEnd().length;
    const withId = /^\[\s*(\S+)\s+"([^"]+)("?)(\s*\]?)/.exec(line);
    const plain = withId ? null : /^\[([^\]]+)(\]?)/.exec(line);
    const name = withId?.[1] ?? plain?.[1];
    if (name === undefined) {
      this.problem('header', start, end);
      return;
    }
    const nameStart = start + line.indexOf(name, 1);
    const id = withId ? withId[2]! : null;
    const idStart = id === null ? 0 : start + line.indexOf('"') + 1;
    if (byteLength(name) > LONGEST_NAME) this.problem('long-name', nameStart, nameStart + name.length);
    if (id !== null && byteLength(id) > LONGEST_NAME) this.problem('long-name', idStart, idStart + id.length);
    const open = withId ? withId[3] === '' || !withId[4]!.endsWith(']') : plain?.[2] === '';
    if (open) this.problem('unclosed-header', start, end);
    this.groups.push({
      start,
      end,
      name: { text: name, start: nameStart, end: nameStart + name.length },
      id: id === null ? null : { text: id, start: idStart, end: idStart + id.length },
      pairs: [],
    });
  }

  private pair(line: string, start: number): void {
    const [indent] = /^\s*/.exec(line)!;
    const rest = line.slice(indent.length);
    const keyText = /^\S+/.exec(rest)![0];
    const keyStart = start + indent.length;
    const end = start + line.trimEnd().length;
    const group = this.groups.at(-1);
    if (rest.startsWith('#')) {
      this.problem('comment', keyStart, end, undefined);
      return;
    }
    if (!group) this.problem('no-group', keyStart, end);
    const after = rest.slice(keyText.length);
    const value = /^\s*=\s*"([^"]*)("?)(.*)$/s.exec(after);
    if (!value) {
      this.malformed(keyText, after, keyStart, end);
      return;
    }
    if (byteLength(keyText) > LONGEST_NAME) {
      this.problem('long-name', keyStart, keyStart + keyText.length);
      return;
    }
    const [, inside, quote, tail] = value;
    const valueStart = keyStart + keyText.length + after.indexOf('"') + 1;
    const valueEnd = valueStart + inside!.trimEnd().length;
    if (quote === '') this.problem('unclosed-value', valueStart - 1, valueEnd, undefined);
    const rubbish = tail!.trim();
    if (rubbish !== '' && !rubbish.startsWith('#')) {
      this.problem('tail', valueStart + inside!.length + 1 + tail!.indexOf(rubbish), end);
    }
    group?.pairs.push({
      start: keyStart,
      end,
      key: { text: keyText, start: keyStart, end: keyStart + keyText.length },
      value: { text: inside!, start: valueStart, end: valueStart + inside!.length },
    });
  }

  /** A line whose value sscanf does not find: it is taken for a key with an empty value. */
  private malformed(keyText: string, after: string, start: number, end: number): void {
    const glued = /^([^\s="]+)=\s*"([^"]*)"\s*(?:#.*)?$/s.exec((keyText + after).trimEnd());
    if (glued) {
      this.problem('glued', start, end, `${glued[1]!} = "${glued[2]!}"`);
      return;
    }
    const bare = /^([^\s="]+)\s*=\s*([^"\s#]\S*)\s*$/s.exec(keyText + after);
    if (bare) {
      const word = /^'[^']*'$/.test(bare[2]!) ? bare[2]!.slice(1, -1) : bare[2]!;
      this.problem('unquoted', start, end, `${bare[1]!} = "${word}"`);
      return;
    }
    this.problem(/^[^\s=]+\s*=/.test(keyText + after) ? 'unquoted' : 'no-value', start, end);
  }
}

const UTF8 = new TextEncoder();

function byteLength(text: string): number {
  return text.length > 20 ? UTF8.encode(text).length : text.length;
}
