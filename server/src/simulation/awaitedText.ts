/** A text that a run waits for in what the guest writes. It may come in pieces, with colours and cursor moves between them. */

const ESC = '\x1b';

/** Where the reader is in an escape sequence (ECMA-48, 5.3 and 5.4). */
type EscapeState = 'none' | 'escape' | 'csi';

export class AwaitedText {
  met = false;
  private tail = '';
  private state: EscapeState = 'none';

  constructor(readonly text: string) {}

  /** Reads on; true from the character on that completes the text. */
  read(text: string): boolean {
    if (this.met) return true;
    for (const character of text) {
      if (!this.isText(character)) continue;
      this.tail = (this.tail + character).slice(-this.text.length);
      if (this.tail === this.text) this.met = true;
    }
    return this.met;
  }

  save(): { readonly met: boolean; readonly tail: string; readonly state: EscapeState } {
    return { met: this.met, tail: this.tail, state: this.state };
  }

  restore({ met, tail, state }: ReturnType<AwaitedText['save']>): void {
    this.met = met;
    this.tail = tail;
    this.state = state;
  }

  private isText(character: string): boolean {
    if (character === ESC) this.state = 'escape';
    else if (this.state === 'escape') {
      // Intermediate bytes come before the final one (ECMA-35, 13.2): ESC ( B chooses a character set.
      if (character < ' ' || character > '/') this.state = character === '[' ? 'csi' : 'none';
    } else if (this.state === 'csi') {
      if (character >= '@' && character <= '~') this.state = 'none';
    } else return true;
    return false;
  }
}
