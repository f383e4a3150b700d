/** Finds resets that a guest asked for through a port, in a VMM's log or a trace. */
import type { DumpScan, DumpScanner, Located } from '../dumpFormat';
import type { DumpLine } from '../dumpText';
import { readPortWrite, resetPortOf, type PortWrite, type ResetPort } from './lines';

export interface ResetRequest extends Located {
  readonly write: PortWrite;
  readonly reset: ResetPort;
  /** How often the text has it: a guest in a loop of restarts asks again and again. */
  count: number;
  last: DumpLine;
}

export class PortWriteScanner implements DumpScanner<ResetRequest> {
  /** By writer and port. */
  private readonly requests = new Map<string, ResetRequest>();

  line(line: DumpLine): void {
    const write = readPortWrite(line.text);
    const reset = write && resetPortOf(write);
    if (reset) this.request(write, reset, line);
  }

  result(): DumpScan<ResetRequest> {
    return { dumps: [...this.requests.values()], dropped: 0, nearMisses: [] };
  }

  private request(write: PortWrite, reset: ResetPort, line: DumpLine): void {
    const key = `${line.machine}\n${write.port}`;
    const known = this.requests.get(key);
    if (known) {
      known.count++;
      known.last = line;
      return;
    }
    this.requests.set(key, { write, reset, count: 1, first: line, last: line });
  }
}
