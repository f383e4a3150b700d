/** Collects what a log says of vCPUs that ended with KVM_EXIT_SHUTDOWN: one event, since the VMM ends with it. */
import type { DumpScan, DumpScanner, Located } from '../dumpFormat';
import type { DumpLine } from '../dumpText';
import { namedIn, TAKEN_FOR_ERROR, TAKEN_FOR_SUCCESS } from './lines';

export interface ShutdownEvent extends Located {
  /** How often the text has it. */
  readonly count: number;
  readonly takenFor: 'success' | 'error';
  readonly vmm: 'firecracker' | 'libkrun' | null;
}

export class ShutdownScanner implements DumpScanner<ShutdownEvent> {
  private readonly events = new Map<ShutdownEvent['takenFor'], ShutdownEvent>();
  /** The VMM that the lines with the exit name; else the first that any line names. */
  private named: ShutdownEvent['vmm'] = null;

  line(line: DumpLine): void {
    this.named ??= namedIn(line.text);
    const takenFor = TAKEN_FOR_SUCCESS.test(line.text)
      ? 'success'
      : TAKEN_FOR_ERROR.test(line.text)
        ? 'error'
        : null;
    if (!takenFor) return;
    const before = this.events.get(takenFor);
    const vmm = namedIn(line.text) ?? before?.vmm ?? null;
    this.events.set(takenFor, {
      first: before?.first ?? line,
      last: line,
      count: (before?.count ?? 0) + 1,
      takenFor,
      vmm,
    });
  }

  result(): DumpScan<ShutdownEvent> {
    const dumps = [...this.events.values()].map((event) => ({
      ...event,
      // Only Firecracker has the line at level error.
      vmm: event.takenFor === 'error' ? ('firecracker' as const) : (event.vmm ?? this.named),
    }));
    return { dumps, dropped: 0, nearMisses: [] };
  }
}
