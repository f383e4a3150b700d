/** Simulated boots: one run a machine, ended by an edit of its text or by a second request, and how each ended. */
import { dirname } from 'node:path';
import type { LensOutcome } from './features/codeLenses';
import { pathOfUri, type Files } from './hostFiles';
import type { Document } from './machine/language';
import { gunzippedKernel } from './packedKernel';
import type { SimulateParams } from './protocol';
import type { BootReport, SimulationRequest } from './simulation/report';
import { symbolsBeside } from './symbolFiles';

/** A boot in a worker. */
export interface SimulationHandle {
  /** Rejects where the run could not be started or its worker died. */
  readonly report: Promise<BootReport>;
  /** Asks the run to end; `report` then has the outcome `cancelled`. */
  cancel(): void;
}

export type Simulator = (
  document: Document,
  request: SimulationRequest,
  progress: (instructions: number) => void,
) => SimulationHandle;

export interface Hooks {
  progress(instructions: number): void;
  /** Calls back when the user cancels. */
  onCancel(cancel: () => void): void;
}

interface Run {
  cancel(reason: string): void;
}

export class Simulations {
  private readonly runs = new Map<string, Map<string, Run>>();
  private readonly ended = new Map<string, Map<string, LensOutcome>>();

  constructor(
    private readonly simulate: Simulator,
    private readonly files: Files,
    private readonly summaryOf: (report: BootReport) => string,
  ) {}

  /** How the last run of each machine of a document ended. */
  outcomes(uri: string): ReadonlyMap<string, LensOutcome> {
    return this.ended.get(uri) ?? new Map<string, LensOutcome>();
  }

  /** The text, or one that it includes, was edited: what runs is ended, what is known is old. */
  edited(uri: string): void {
    for (const run of this.runs.get(uri)?.values() ?? []) run.cancel('the text was edited');
    const outcomes = this.ended.get(uri);
    for (const [machine, { summary }] of outcomes ?? []) outcomes?.set(machine, { summary, stale: true });
  }

  closed(uri: string): void {
    this.edited(uri);
    this.ended.delete(uri);
  }

  endAll(): void {
    for (const machines of this.runs.values()) {
      for (const run of machines.values()) run.cancel('the language server ends');
    }
  }

  /** Rejects with a sentence for the user: an unknown machine, an image that cannot be read, a worker that died. */
  async run(document: Document, params: SimulateParams, hooks: Hooks): Promise<BootReport> {
    const { uri } = document.source;
    const machine = document.machines.find(({ name }) => name === params.machine);
    if (!machine) throw new Error(`There is no machine named "${params.machine}" in this file.`);
    this.runs.get(uri)?.get(machine.name)?.cancel('another simulation of this machine was started');

    let reason: string | null = null;
    let handle: SimulationHandle | null = null;
    const run: Run = {
      cancel(why) {
        reason ??= why;
        handle?.cancel();
      },
    };
    this.put(uri, machine.name, run);
    hooks.onCancel(() => run.cancel('you asked for it'));
    try {
      const path = pathOfUri(uri);
      const folder = path === null ? null : dirname(path);
      const image = (name: string | null) => (name === null ? null : this.files.readImage(name, folder));
      const [firmware, packed] = await Promise.all([image(params.firmware), image(params.kernel)]);
      const kernel = packed && gunzippedKernel(packed);
      const { probe, taps, maxInstructions } = params;
      const symbols =
        kernel && params.kernel !== null
          ? { symbols: await symbolsBeside(this.files, params.kernel, folder, kernel) }
          : {};
      const limits = { probe, taps, maxInstructions, reboots: 0 };
      const request = { machine: machine.name, firmware, kernel, ...symbols, ...limits };
      handle = this.simulate(document, request, (instructions) => hooks.progress(instructions));
      if (reason !== null) handle.cancel();
      const report = await handle.report;
      if (reason !== null && report.outcome === 'cancelled')
        return { ...report, reason: `Cancelled: ${reason as string}.` };
      this.note(uri, machine.name, { summary: this.summaryOf(report), stale: reason !== null });
      return report;
    } finally {
      this.drop(uri, machine.name, run);
    }
  }

  private put(uri: string, machine: string, run: Run): void {
    const machines = this.runs.get(uri) ?? new Map<string, Run>();
    machines.set(machine, run);
    this.runs.set(uri, machines);
  }

  private drop(uri: string, machine: string, run: Run): void {
    const machines = this.runs.get(uri);
    if (machines?.get(machine) === run) machines.delete(machine);
    if (machines?.size === 0) this.runs.delete(uri);
  }

  private note(uri: string, machine: string, outcome: LensOutcome): void {
    const outcomes = this.ended.get(uri) ?? new Map<string, LensOutcome>();
    outcomes.set(machine, outcome);
    this.ended.set(uri, outcomes);
  }
}
