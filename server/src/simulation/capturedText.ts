/** Text that a guest writes, told line by line; of a long one the start and the end are kept. */

/** Characters of the start, and at least so many of the end. */
const KEPT = 1 << 19;

interface TextState {
  readonly start: string;
  readonly end: string;
  readonly omitted: number;
  readonly line: string;
}

export class CapturedText {
  private start = '';
  private end = '';
  /** Characters between them. */
  private omitted = 0;
  private line = '';

  /** `onLine` gets each finished line without its line break. */
  constructor(private readonly onLine: (line: string) => void = () => undefined) {}

  write(text: string): void {
    this.keep(text);
    for (const character of text) {
      if (character === '\n') this.endLine();
      else if (character !== '\r' && this.line.length < 4096) this.line += character;
    }
  }

  /** With a line of our own where characters are missing. */
  get text(): string {
    const { start, end, omitted } = this;
    return omitted === 0 ? start + end : `${start}\n[bootpath: ${omitted} characters were not kept]\n${end}`;
  }

  save(): TextState {
    const { start, end, omitted, line } = this;
    return { start, end, omitted, line };
  }

  restore({ start, end, omitted, line }: TextState): void {
    this.start = start;
    this.end = end;
    this.omitted = omitted;
    this.line = line;
  }

  /** Tells the last line, which has no break. */
  flush(): void {
    if (this.line !== '') this.endLine();
  }

  /** The line that is being written, or the last one. */
  get lastLine(): string {
    return this.line;
  }

  private keep(text: string): void {
    const room = KEPT - this.start.length;
    if (room > 0) this.start += text.slice(0, room);
    if (text.length > room) this.end += text.slice(Math.max(room, 0));
    if (this.end.length < 2 * KEPT) return;
    this.omitted += this.end.length - KEPT;
    this.end = this.end.slice(-KEPT);
  }

  private endLine(): void {
    this.onLine(this.line);
    this.line = '';
  }
}
