/** What a probe wrote to the console, read back. */
import type { Probe, ProbeStatus } from './probe';

export interface ProbeReport {
  /** Facts in order, without the `probe NAME` and `status CODE` lines. After a restart they go on. */
  readonly lines: readonly string[];
  /** How often the probe began: once, and once more for each restart. */
  readonly starts: number;
  /** The last status line, or null where the run ended before one. */
  readonly status: ProbeStatus | null;
}

/** Reads the console text of a run of `probe`. Text that is no probe's gives no lines, no start and no status. */
export function readProbeReport(probe: Probe, console: string): ProbeReport {
  const lines: string[] = [];
  let starts = 0;
  let status: ProbeStatus | null = null;
  for (const line of console.split(/\r?\n/)) {
    if (line === `probe ${probe.name}`) {
      starts++;
    } else if (starts > 0) {
      const code = /^status ([a-z0-9-]+)$/.exec(line)?.[1];
      if (code !== undefined) status = probe.statuses.find((known) => known.code === code) ?? status;
      else if (line !== '') lines.push(line);
    }
  }
  return { lines, starts, status };
}
