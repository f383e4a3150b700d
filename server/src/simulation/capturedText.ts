/** Text that a guest writes, kept up to a limit and told line by line. */

const CAPACITY = 1 << 20;

export class CapturedText {
  text = '';
  private line = '';

  /** `onLine` gets each finished line without its line break. */
  constructor(private readonly onLine: (line: string) => void = () => undefined) {}

  write(text: string): void {
    if (this.text.length < CAPACITY) this.text += text;
    for (const character of text) {
      if (character === '\n') this.endLine();
      else if (character !== '\r' && this.line.length < 4096) this.line += character;
    }
  }

  save(): { readonly text: string; readonly line: string } {
    return { text: this.text, line: this.line };
  }

  restore({ text, line }: ReturnType<CapturedText['save']>): void {
    this.text = text;
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

  private endLine(): void {
    this.onLine(this.line);
    this.line = '';
  }
}
