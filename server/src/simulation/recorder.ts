/** What a run leaves behind, over all its power-ons. */
import { AwaitedText } from './awaitedText';
import { CapturedText } from './capturedText';
import { ExitCounts, type ExitState } from './exitCounts';
import type { ExpectationWatch, WatchState } from './expectationWatch';
import { Timeline, type TimelineState } from './timeline';

/** What a kernel writes when it gives up, at the start of a line or behind a time stamp: Linux, the BSDs, Xen, illumos. */
const PANICS: readonly RegExp[] = [
  /Kernel panic - not syncing/,
  /^panic: /,
  /^\(XEN\) (?:\[[^\]]*\] )?Panic on CPU \d+:/,
  /^\r?panic\[cpu\d+\]\/thread=/,
];

/** In characters; a probe that runs on after a reset writes again and again. */
const LONGEST_REPORT = 1 << 20;

/** Plain data that survives structured clone. */
export interface RecorderState {
  readonly exits: ExitState;
  readonly timeline: TimelineState;
  readonly console: ReturnType<CapturedText['save']>;
  readonly firmwareLog: ReturnType<CapturedText['save']>;
  readonly instructionsBefore: number;
  readonly panic: string | null;
  readonly passedOver: Recorder['passedOver'];
  readonly lastText: number;
  readonly until: string | null;
  readonly awaited: readonly ReturnType<AwaitedText['save']>[];
  readonly report: string;
  readonly watch: WatchState | null;
}

export class Recorder {
  readonly exits = new ExitCounts();
  readonly timeline = new Timeline();
  readonly console: CapturedText;
  readonly firmwareLog: CapturedText;
  /** What a probe wrote to its port, whether or not the VMM shows it to anybody. */
  private report = '';
  /** Instructions of earlier power-ons. */
  instructionsBefore = 0;
  /** The first line of the present power-on in which a kernel gave up. */
  panic: string | null = null;
  /** Accesses that went through although the VMM gives up at them, by kind, with its words at the first one. */
  readonly passedOver = new Map<string, { times: number; readonly reason: string }>();
  /** Guest time of the present power-on; set by the machine that runs. */
  now: () => number = () => 0;
  /** When text came last, in ticks of the present power-on. */
  lastText = 0;
  /** What ends the run when it is written to the console or to a firmware log. */
  readonly awaited: readonly AwaitedText[];

  constructor(
    readonly until: string | null = null,
    /** What a boot plan expects, which may end the run too. */
    readonly watch: ExpectationWatch | null = null,
  ) {
    this.awaited = until === null ? [] : [new AwaitedText(until), new AwaitedText(until)];
    this.console = new CapturedText((line) => {
      this.timeline.note('console', this.now(), 0, line);
      if (this.panic === null && PANICS.some((panic) => panic.test(line))) this.panic = line;
    });
    this.firmwareLog = new CapturedText();
  }

  /** True once the awaited text has come, or all that a boot plan expects on the way. */
  get met(): boolean {
    return this.awaited.some(({ met }) => met) || (this.watch?.met ?? false);
  }

  writeConsole(text: string): void {
    this.lastText = this.now();
    this.console.write(text);
    this.awaited[0]?.read(text);
    this.watch?.console(text);
  }

  /** A byte that a probe wrote to the data port of the first UART, which is also the divisor's. */
  writeReport(byte: number): void {
    const text = String.fromCharCode(byte);
    if (this.report.length < LONGEST_REPORT && (text === '\n' || text >= ' ')) this.report += text;
  }

  /** The report that nobody would see, because the VMM shows no console. */
  get unseenReport(): string {
    return this.console.text === '' ? this.report : '';
  }

  writeFirmwareLog(text: string): void {
    this.lastText = this.now();
    this.firmwareLog.write(text);
    this.awaited[1]?.read(text);
    this.watch?.firmwareLog(text);
  }

  passOver(kind: string, reason: string): void {
    const entry = this.passedOver.get(kind);
    if (entry) entry.times++;
    else this.passedOver.set(kind, { times: 1, reason });
  }

  /** The end of a power-on, after `instructions` and `ticks`. */
  nextPowerOn(instructions: number, ticks: number): void {
    this.console.flush();
    this.timeline.flush();
    this.instructionsBefore += instructions;
    this.timeline.base += ticks;
    this.lastText = 0;
    // A guest that starts anew has not given up.
    this.panic = null;
  }

  save(): RecorderState {
    const { instructionsBefore, panic, lastText, until, report } = this;
    return {
      exits: this.exits.save(),
      timeline: this.timeline.save(),
      console: this.console.save(),
      firmwareLog: this.firmwareLog.save(),
      instructionsBefore,
      panic,
      passedOver: new Map([...this.passedOver].map(([kind, entry]) => [kind, { ...entry }])),
      lastText,
      until,
      awaited: this.awaited.map((awaited) => awaited.save()),
      report,
      watch: this.watch?.save() ?? null,
    };
  }

  /** A text that is waited for now and was not before is waited for from here on. */
  restore(state: RecorderState): void {
    this.exits.restore(state.exits);
    this.timeline.restore(state.timeline);
    this.console.restore(state.console);
    this.firmwareLog.restore(state.firmwareLog);
    this.instructionsBefore = state.instructionsBefore;
    this.panic = state.panic;
    this.passedOver.clear();
    for (const [kind, entry] of state.passedOver) this.passedOver.set(kind, { ...entry });
    this.lastText = state.lastText;
    this.report = state.report;
    if (state.watch) this.watch?.restore(state.watch);
    if (state.until === this.until) this.awaited.forEach((awaited, i) => awaited.restore(state.awaited[i]!));
  }

  finish(): void {
    this.console.flush();
    this.firmwareLog.flush();
    this.timeline.flush();
  }
}
