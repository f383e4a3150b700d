/** The other end of the console: waits for a prompt of the guest and types the reply, one prompt after the other. */
import type { Clock, Device, DeviceState } from '../devices/device';
import type { ConsoleInput } from '../vmm/model';
import { AwaitedText } from './awaitedText';

export interface ConsoleAnswer {
  /** What the guest writes first. */
  readonly prompt: string;
  /** What is typed then, as bytes of Latin 1. */
  readonly reply: string;
}

/** A character of 10 bits at 115 200 baud, in nanoseconds; so long a full receiver waits too. */
const CHARACTER_TIME = 86_806;

interface State {
  /** The prompt that is waited for. */
  index: number;
  prompt: ReturnType<AwaitedText['save']> | null;
  typing: number[];
}

export class ConsoleAnswers implements Device {
  readonly name = 'console answers';
  private index = 0;
  private awaited: AwaitedText | null;
  private typing: number[] = [];
  /** When the next character comes. */
  private next = 0;

  constructor(
    private readonly answers: readonly ConsoleAnswer[],
    private readonly clock: Clock,
    private readonly input: ConsoleInput,
  ) {
    this.awaited = this.nextPrompt();
  }

  /** Text that the guest wrote. */
  read(text: string): void {
    for (const character of text) {
      if (!this.awaited?.read(character)) continue;
      const { reply } = this.answers[this.index]!;
      this.index++;
      this.awaited = this.nextPrompt();
      const idle = this.typing.length === 0;
      for (const character of reply) this.typing.push(character.charCodeAt(0) & 0xff);
      if (idle) this.wait();
    }
  }

  reset(): void {
    this.index = 0;
    this.typing = [];
    this.awaited = this.nextPrompt();
    this.clock.clearAlarm(this.name);
  }

  save(): DeviceState {
    const state: State = {
      index: this.index,
      prompt: this.awaited?.save() ?? null,
      typing: [...this.typing],
    };
    return { ...state, alarm: this.typing.length > 0 ? this.next : null };
  }

  restore(saved: DeviceState): void {
    const { index, prompt, typing, alarm } = saved as unknown as State & { alarm: number | null };
    this.index = index;
    this.awaited = this.nextPrompt();
    if (prompt) this.awaited?.restore(prompt);
    this.typing = [...typing];
    if (alarm === null) this.clock.clearAlarm(this.name);
    else this.wait(alarm);
  }

  private nextPrompt(): AwaitedText | null {
    const answer = this.answers[this.index];
    return answer ? new AwaitedText(answer.prompt) : null;
  }

  private wait(until = this.clock.now() + CHARACTER_TIME): void {
    if (this.typing.length === 0) return;
    this.next = until;
    this.clock.setAlarm(this.name, until, () => this.type());
  }

  private type(): void {
    if (this.input.ready) this.input.receive(this.typing.shift()!);
    this.wait();
  }
}
