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
  /** Group of the CPU and of the message; 0 where there is none. */
  readonly cpu: number;
  readonly message: number;
}

const HEADERS: readonly Header[] = [
  // common/os/panic.c, panicsys
  { pattern: /^panic\[cpu(\d{1,5})\]\/thread=[0-9a-f]{1,16}: ?(.{0,600})/, cpu: 1, message: 2 },
  // mdb ::status
  { pattern: /^panic message: (.{1,600})/, cpu: 0, message: 1 },
  // fmdump -V
  { pattern: /^panicstr = (.{1,600})/, cpu: 0, message: 1 },
  // A message whose first line was left out.
  { pattern: /^(assertion failed: .{1,400}, file: \S{1,300}, line: \d{1,7})/, cpu: 0, message: 1 },
  { pattern: /^(bad pending MMIO state)\b/, cpu: 0, message: 1 },
];
const PENDING_MMIO = /^bad pending MMIO state\b/;

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
    for (const { pattern, cpu, message } of HEADERS) {
      const match = pattern.exec(line.text);
      if (!match) continue;
      this.header(line, open, match[message]!.trim(), cpu === 0 ? null : Number(match[cpu]));
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
  private header(line: DumpLine, open: IllumosPanic | undefined, message: string, cpu: number | null): void {
    if (open && open.frames.length === 0 && (open.message === '' || open.message === message)) {
      open.message = message;
      open.messageLine = line;
      open.assertion = readAssertion(message);
      open.cpu ??= cpu;
      open.last = line;
    } else {
      this.start(line, message, cpu);
    }
  }

  private start(line: DumpLine, message: string, cpu: number | null): IllumosPanic {
    const panic: IllumosPanic = {
      cpu,
      message,
      messageLine: line,
      assertion: readAssertion(message),
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
    const panic = open ?? this.start(line, '', null);
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
    const panic = open ?? this.start(line, '', null);
    if (panic.frames.length < MOST_FRAMES) panic.frames.push(frame);
    panic.last = line;
  }
}

/** Other programs say "panic message", too: such a line alone is no panic of a kernel. */
function isPanic({ cpu, message, assertion, frames }: IllumosPanic): boolean {
  if (message === '') return frames.length >= FEWEST_FRAMES;
  return cpu !== null || assertion !== null || frames.length > 0 || PENDING_MMIO.test(message);
}

function mentionedIcr(line: DumpLine): MentionedIcr | null {
  if (!/icr/i.test(line.text)) return null;
  const text = line.text.slice(0, 1000);
  const digits = (ICR_AFTER.exec(text) ?? ICR_BEFORE.exec(text))?.[1];
  return digits === undefined ? null : { value: BigInt('0x' + digits), line };
}
