/** Simulated boots: one run a machine, ended by an edit of its text or by a second request, and how each ended. */
import { dirname } from 'node:path';
import type { LensOutcome } from './features/codeLenses';
import { pathOfUri, type Files } from './hostFiles';
import { isBootPlan } from './boot-plan/document';
import { chooseRuns, SHOWN_ISSUES, type BootRun } from './bootRuns';
import type { KnownIssue } from './machine/knownIssue';
import type { Document, VmmChoice } from './machine/language';
import type { Machine } from './machine/machine';
import type { IssueRun } from './output/issueRuns';
import { gunzippedKernel } from './packedKernel';
import { planBoot } from './planBoot';
import type { SimulateParams } from './protocol';
import type { Finding } from './text/finding';
import type { BootReport, SimulationRequest } from './simulation/report';
import { symbolsBeside } from './symbolFiles';
import { vmmModel } from './vmm/models';
import { underModel } from './vmm/relayout';
import { machineIn, type WorkerReport } from './workerHost';

/** A boot in a worker. */
export interface SimulationHandle {
  /** Rejects where the run could not be started or its worker died. */
  readonly report: Promise<WorkerReport>;
  /** Asks the run to end; `report` then has the outcome `cancelled`. */
  cancel(): void;
}

export type Simulator = (run: BootRun, progress: (instructions: number) => void) => SimulationHandle;

/** A boot of a machine, and the other runs where a known issue was to be shown. */
export interface MachineBoot {
  readonly machine: Machine;
  readonly report: WorkerReport;
  readonly compared: Machine | null;
  readonly issue: KnownIssue | null;
  /** Empty without an issue. */
  readonly runs: readonly IssueRun[];
}

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
  async run(
    document: Document,
    params: SimulateParams,
    hooks: Hooks,
    rejected: readonly Finding[] = [],
  ): Promise<MachineBoot> {
    const { uri } = document.source;
    const machine = machineIn(document, params.machine);
    if (typeof machine === 'string') throw new Error(machine);
    const issue = issueNamed(params.knownIssue ?? null);
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
    const boot = async (planned: BootRun): Promise<WorkerReport> => {
      handle = this.simulate(planned, (instructions) => hooks.progress(instructions));
      if (reason !== null) handle.cancel();
      return handle.report;
    };
    try {
      const { as, compare } = params;
      const wish = { as: as ?? undefined, compare: compare ?? undefined, issue };
      const chosen = chooseRuns((choice) => machineUnder(machine, choice), wish, {
        ...(await this.requestFor(document, machine, params)),
        // To another VMM, which the machine is laid out for, errors of the config's own mean nothing.
        rejected: (as?.vmm ?? issue?.vmm ?? machine.vmm) === machine.vmm ? rejected : [],
      });
      const report = await boot(chosen.main);
      const made = { machine: chosen.main.machine, compared: chosen.main.compared ?? null, issue };
      if (reason !== null && report.outcome === 'cancelled') {
        const cancelled = { ...report, reason: `Cancelled: ${reason as string}.` };
        return { ...made, report: cancelled, runs: [] };
      }
      const runs: IssueRun[] = [];
      for (const [index, cell] of chosen.cells.entries()) {
        if (reason !== null) break;
        runs.push({
          cell: issue!.simulation!.cells[index]!,
          report: index === 0 ? report : await boot(cell),
        });
      }
      this.note(uri, machine.name, { summary: this.summaryOf(report), stale: reason !== null });
      return { ...made, report, runs };
    } finally {
      this.drop(uri, machine.name, run);
    }
  }

  /** A boot plan says itself what is loaded and how long it runs; the settings fill in what it leaves to its VMM. */
  private async requestFor(
    document: Document,
    machine: Machine,
    params: SimulateParams,
  ): Promise<SimulationRequest> {
    const { uri } = document.source;
    if (!isBootPlan(document)) return this.requestOf(params, uri);
    const { plan } = document;
    const planned = await planBoot(plan, machine, (file) => this.files.readImage(file, folderOf(uri)));
    if (!('taps' in planned)) throw new Error(planned.map(({ message }) => `${message}.`).join(' '));
    const common = {
      taps: [...new Set([...planned.taps, ...params.taps])],
      maxInstructions: plan.run.maxInstructions
        ? planned.maxInstructions
        : Math.min(planned.maxInstructions, params.maxInstructions),
    };
    if (plan.start === 'plan' || plan.boot) return { ...planned, ...common };
    const { firmware, kernel, probe } = await this.requestOf(params, uri);
    return { ...planned, firmware, kernel, probe, ...common };
  }

  private async requestOf(params: SimulateParams, uri: string): Promise<SimulationRequest> {
    const folder = folderOf(uri);
    const image = (name: string | null) => (name === null ? null : this.files.readImage(name, folder));
    const own = (params.knownIssue ?? null) !== null;
    const [firmware, packed] = own
      ? [null, null]
      : await Promise.all([image(params.firmware), image(params.kernel)]);
    const kernel = packed && gunzippedKernel(packed);
    const { probe, taps, maxInstructions } = params;
    const symbols =
      kernel && params.kernel !== null
        ? { symbols: await symbolsBeside(this.files, params.kernel, folder, kernel) }
        : {};
    return {
      machine: params.machine,
      firmware,
      kernel,
      ...symbols,
      probe,
      taps,
      maxInstructions,
      reboots: 0,
    };
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

function folderOf(uri: string): string | null {
  const path = pathOfUri(uri);
  return path === null ? null : dirname(path);
}

/** The machine as it is, or as another VMM builds it. */
function machineUnder(machine: Machine, choice: VmmChoice | undefined): Machine {
  const model = choice && vmmModel(choice.vmm);
  return model ? underModel(machine, model, choice.version) : machine;
}

function issueNamed(id: string | null): KnownIssue | null {
  if (id === null) return null;
  const issue = SHOWN_ISSUES.find((candidate) => candidate.id === id);
  if (!issue) throw new Error(`There is no known issue "${id}" to show.`);
  return issue;
}
