/** Collects what a Cloud Hypervisor log says of triple faults and of devices that were not moved. */
import type { DumpScan, DumpScanner, Located } from '../dumpFormat';
import type { DumpLine } from '../dumpText';
import { readMovedBar, TRIPLE_FAULT, VCPU_RESET, type MovedBar } from './lines';

export type LogEvent = Located & {
  /** How often the text has it. */
  readonly count: number;
} & (
    | {
        readonly kind: 'triple-fault';
        /** The log names it; else there is only the reset of a vCPU. */
        readonly named: boolean;
      }
    | { readonly kind: 'lost-bar'; readonly bar: MovedBar }
  );

const MOST_BARS = 100;

interface Seen {
  readonly first: DumpLine;
  last: DumpLine;
  count: number;
}

export class CloudHypervisorScanner implements DumpScanner<LogEvent> {
  private named: Seen | null = null;
  private resets: Seen | null = null;
  private readonly bars: { readonly line: DumpLine; readonly bar: MovedBar }[] = [];
  private dropped = 0;

  line(line: DumpLine): void {
    if (TRIPLE_FAULT.test(line.text)) this.named = seen(this.named, line);
    else if (VCPU_RESET.test(line.text)) this.resets = seen(this.resets, line);
    else {
      const bar = readMovedBar(line.text);
      if (!bar) return;
      if (this.bars.length < MOST_BARS) this.bars.push({ line, bar });
      else this.dropped++;
    }
  }

  result(): DumpScan<LogEvent> {
    const dumps: LogEvent[] = this.bars.map(({ line, bar }) => ({
      kind: 'lost-bar',
      bar,
      first: line,
      last: line,
      count: 1,
    }));
    // A version that names the fault prints both lines.
    const fault = this.named ?? this.resets;
    if (fault) dumps.push({ kind: 'triple-fault', named: this.named !== null, ...fault });
    return { dumps, dropped: this.dropped, nearMisses: [] };
  }
}

function seen(before: Seen | null, line: DumpLine): Seen {
  return before ? { ...before, last: line, count: before.count + 1 } : { first: line, last: line, count: 1 };
}
