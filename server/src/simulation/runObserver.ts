/** Who looks on at a run: every access that leaves the guest, with its answer, and every event of the core. */
import type { Core, TraceEvent } from '../../emulator/face';
import type { ExitKind } from '../machine/outcome';

/** An access that leaves the guest. */
export interface Access {
  readonly event: 'access';
  /** In ticks of the present power-on. */
  readonly at: number;
  readonly vcpu: number;
  readonly kind: ExitKind;
  /** Port, physical address, MSR or CPUID leaf. */
  readonly address: bigint;
  /** In bytes; of a CPUID answer 16. */
  readonly size: number;
  /** What was written or answered; null where the VMM gave no answer. */
  readonly value: bigint | null;
  /** Who answered, or null. */
  readonly device: string | null;
}

export interface RunObserver {
  /** Before the first instruction, at each power-on. */
  poweredOn(core: Core): void;
  access(access: Access): void;
  trace(event: TraceEvent): void;
}

/** Those of them that are there, as one; null where none is. */
export function observers(...all: readonly (RunObserver | undefined)[]): RunObserver | null {
  const some = all.filter((observer) => observer !== undefined);
  const [first] = some;
  if (some.length < 2) return first ?? null;
  return {
    poweredOn: (core) => some.forEach((observer) => observer.poweredOn(core)),
    access: (access) => some.forEach((observer) => observer.access(access)),
    trace: (event) => some.forEach((observer) => observer.trace(event)),
  };
}
