/** Finds illumos panics: on the console, in /var/adm/messages, in mdb's output and in fmdump's nvlists. */
import type { DumpScan, DumpScanner, NearMiss } from '../dumpFormat';
import type { DumpLine } from '../dumpText';
import { readAssertion, readFrame, type IllumosPanic, type MentionedIcr } from './panic';

const MOST_PANICS = 64;
/** No kernel stack is so deep. */
const MOST_FRAMES = 256;
/** Frames that are a panic's stack although its first line is not in the text. */
const FEWEST_FRAMES = 3;

interface Header {
  readonly pattern: RegExp;
  /** False for a message without the words that make it a panic's. */
  readonly headed: boolean;
  /** Group of the CPU and of the message; 0 where there is none. */
  readonly cpu: number;
  readonly message: number;
}

const HEADERS: readonly Header[] = [
  // common/os/panic.c, panicsys
  { pattern: /^panic\[cpu(\d{1,5})\]\/thread=[0-9a-f]{1,16}: ?(.{0,600})/, headed: true, cpu: 1, message: 2 },
  // mdb ::status
  { pattern: /^panic message: (.{1,600})/, headed: true, cpu: 0, message: 1 },
  // fmdump -V
  { pattern: /^panicstr = (.{1,600})/, headed: true, cpu: 0, message: 1 },
  // A message whose first line was left out.
  {
    pattern: /^(assertion failed: .{1,400}, file: \S{1,300}, line: \d{1,7})/,
    headed: false,
    cpu: 0,
    message: 1,
  },
  { pattern: /^(bad pending MMIO state)\b/, headed: false, cpu: 0, message: 1 },
];
const PENDING_MMIO = /^bad pending MMIO state\b/;

/** What a header line says. */
interface Said {
  readonly words: string;
  readonly headed: boolean;
  readonly cpu: number | null;
}
const NOTHING_SAID: Said = { words: '', headed: false, cpu: null };

const STACK_FIELD = /^panicstack = (.{1,8192})/;
/** What the kernel prints after a panic's stack. */
const AFTER = /^(?:syncing file systems|dumping to |dump (?:succeeded|aborted)|rebooting)/;
/** A stack with symbols of modules is printed by the kernel itself only. */
const KERNEL_STACK = /^[0-9a-f]{16} [\w.$-]{1,64}:/;

const ICR_BEFORE =
  /\bicr[ _-]?(?:lo|low)?\b(?: register)?(?: value)?(?: (?:is|was|of))?[ :=(,]{0,4}(?:0x)?([0-9a-f]{3,16})\b/i;
const ICR_AFTER = /\b0x([0-9a-f]{3,16})\b[^\n]{0,40}\bICR(?:[ _-]?LO)?\b/i;

export class PanicScanner implements DumpScanner<IllumosPanic> {
  private readonly panics: IllumosPanic[] = [];
  private readonly open = new Map<string, IllumosPanic>();
  private icr: MentionedIcr | null = null;
  private dropped = 0;
  private nearMiss: NearMiss | null = null;

  line(line: DumpLine): void {
    this.icr ??= mentionedIcr(line);
    const open = this.open.get(line.machine);
    for (const { pattern, headed, cpu, message } of HEADERS) {
      const match = pattern.exec(line.text);
      if (!match) continue;
      const words = match[message]!.trim();
      this.header(line, open, { words, headed, cpu: cpu === 0 ? null : Number(match[cpu]) });
      return;
    }
    const stack = STACK_FIELD.exec(line.text);
    if (stack) {
      this.stackField(open, stack[1]!, line);
      return;
    }
    if (open && AFTER.test(line.text)) {
      this.open.delete(line.machine);
      return;
    }
    this.frame(line, open);
  }

  result(): DumpScan<IllumosPanic> {
    const dumps = this.panics.filter(isPanic);
    for (const dump of dumps) dump.icr = this.icr;
    return { dumps, dropped: this.dropped, nearMisses: this.nearMiss ? [this.nearMiss] : [] };
  }

  /** mdb and fmdump repeat the message, and a console may put it into a line of its own. */
  private header(line: DumpLine, open: IllumosPanic | undefined, said: Said): void {
    const { words, headed, cpu } = said;
    if (open && open.frames.length === 0 && (open.message === '' || open.message === words)) {
      open.message = words;
      open.messageLine = line;
      open.assertion = readAssertion(words);
      open.cpu ??= cpu;
      open.headed ||= headed;
      open.last = line;
    } else {
      this.start(line, said);
    }
  }

  private start(line: DumpLine, { words, headed, cpu }: Said): IllumosPanic {
    const panic: IllumosPanic = {
      cpu,
      headed,
      message: words,
      messageLine: line,
      assertion: readAssertion(words),
      frames: [],
      icr: null,
      first: line,
      last: line,
    };
    this.open.set(line.machine, panic);
    if (this.panics.length < MOST_PANICS) this.panics.push(panic);
    else this.dropped++;
    return panic;
  }

  /** `a () | b () | …`, cut off at the end of the kernel's buffer. */
  private stackField(open: IllumosPanic | undefined, stack: string, line: DumpLine): void {
    const panic = open ?? this.start(line, NOTHING_SAID);
    panic.last = line;
    if (panic.frames.length > 0) return;
    for (const part of stack.split(' | ')) {
      const frame = readFrame(part.trim(), line);
      if (frame && panic.frames.length < MOST_FRAMES) panic.frames.push(frame);
    }
  }

  private frame(line: DumpLine, open: IllumosPanic | undefined): void {
    const frame = readFrame(line.text, line);
    if (!frame) return;
    if (!open && !KERNEL_STACK.test(line.text)) {
      this.nearMiss ??= {
        line,
        say: (place) =>
          `This looks like a stack of mdb (${place}) without the panic message before it: paste that of ::status, too.`,
      };
      return;
    }
    const panic = open ?? this.start(line, NOTHING_SAID);
    if (panic.frames.length < MOST_FRAMES) panic.frames.push(frame);
    panic.last = line;
  }
}

/** Other programs say "panic message", and people write of panics: without a stack it takes the kernel’s own words. */
function isPanic({ cpu, headed, message, assertion, frames }: IllumosPanic): boolean {
  if (message === '') return frames.length >= FEWEST_FRAMES;
  return cpu !== null || assertion !== null || frames.length > 0 || (headed && PENDING_MMIO.test(message));
}

function mentionedIcr(line: DumpLine): MentionedIcr | null {
  if (!/icr/i.test(line.text)) return null;
  const text = line.text.slice(0, 1000);
  const digits = (ICR_AFTER.exec(text) ?? ICR_BEFORE.exec(text))?.[1];
  return digits === undefined ? null : { value: BigInt('0x' + digits), line };
}
