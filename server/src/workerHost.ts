/**
 * The host's side of the worker threads: starts one for each boot, in the worker bundle beside the caller's. A guest can keep
 * a worker busy for ever, the host stays free.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BootRun } from './bootRuns';
import type { Document } from './machine/language';
import type { Machine } from './machine/machine';
import type { Comparison } from './simulation/comparison';
import type { BootReport, SimulationRequest } from './simulation/report';
import type { SavedRun } from './simulation/savedRun';
import { vmmModel } from './vmm/models';

/** What a worker is given, by structured clone. */
export interface SimulationJob {
  readonly machine: Machine;
  /** Name of the VMM model and id of its version. */
  readonly vmm: string;
  readonly version: string;
  readonly request: SimulationRequest;
  /** A second boot, to find where the two part. */
  readonly compared?: Omit<SimulationJob, 'compared'>;
}

/** A report, and where a second boot parted from it where one was asked for. */
export interface WorkerReport extends BootReport {
  readonly comparison?: Pick<Comparison, 'divergence' | 'start'>;
}

export interface WorkerOptions {
  onProgress?(instructions: number, text: string): void;
  /** The state that the request wants saved. */
  onSaved?(run: SavedRun): void;
  /** Ends the run; the report then has the outcome `cancelled`. */
  readonly signal?: AbortSignal;
}

/** What a worker tells its host. */
export type FromWorker =
  | { readonly kind: 'progress'; readonly instructions: number; readonly text: string }
  | { readonly kind: 'saved'; readonly run: SavedRun }
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | { readonly kind: 'failed'; readonly message: string };

/** What a worker starts with. */
export interface WorkerData {
  readonly bootpath: 'simulation';
  readonly job: SimulationJob;
  /** One 32-bit cell; anything but 0 asks the run to end. */
  readonly cancel: SharedArrayBuffer;
}

/** A worker that does not answer a cancel for this long is stuck in a single instruction, and is ended. */
const CANCEL_GRACE_MS = 500;
/** One that has a state to save first. */
const SAVING_GRACE_MS = 10_000;

/**
 * Boots a machine in a worker of its own. Rejects with a sentence where the worker cannot start or dies; everything that a
 * guest or an image does wrong is in the report.
 * @param workerFile the bundle of worker.ts
 */
export function simulateInWorker(
  workerFile: string,
  job: SimulationJob,
  options: WorkerOptions = {},
): Promise<WorkerReport> {
  const workers = new Workers(workerFile);
  return workers.run(job, options).finally(() => workers.close());
}

/** Workers that are kept for the next boot: a new one costs more than a short boot. */
export class Workers {
  private readonly idle: Worker[] = [];

  /** @param file the bundle of worker.ts */
  constructor(private readonly file: string) {}

  /** As `simulateInWorker`, in a worker that waits for work or in a new one. */
  async run(job: SimulationJob, options: WorkerOptions = {}): Promise<WorkerReport> {
    const data: WorkerData = { bootpath: 'simulation', job, cancel: new SharedArrayBuffer(4) };
    const waiting = this.idle.pop();
    waiting?.postMessage(data);
    const worker = waiting ?? new Worker(this.file, { workerData: data });
    const { result, answered } = await attend(worker, data, options);
    if (answered) this.idle.push(worker);
    else void worker.terminate();
    if (result instanceof Error) throw result;
    return result;
  }

  /** Ends the workers that wait. */
  close(): void {
    for (const worker of this.idle.splice(0)) void worker.terminate();
  }
}

interface Attended {
  readonly result: WorkerReport | Error;
  /** The worker has done its work, and may be given more. */
  readonly answered: boolean;
}

function attend(worker: Worker, { job, cancel }: WorkerData, options: WorkerOptions): Promise<Attended> {
  return new Promise((resolve) => {
    let grace: NodeJS.Timeout | undefined;
    const finish = (result: WorkerReport | Error, answered = false) => {
      clearTimeout(grace);
      options.signal?.removeEventListener('abort', abort);
      worker.off('message', onMessage).off('exit', onExit);
      // A second error, of a worker that is ended already, is nobody's: this listener stays where it does not wait for work.
      if (answered) worker.off('error', onError);
      resolve({ result, answered });
    };
    const abort = () => {
      Atomics.store(new Int32Array(cancel), 0, 1);
      const wait = job.request.save ? SAVING_GRACE_MS : CANCEL_GRACE_MS;
      grace ??= setTimeout(() => finish(cancelledReport(job, wait)), wait);
    };
    const onMessage = (message: FromWorker) => {
      if (message.kind === 'progress') options.onProgress?.(message.instructions, message.text);
      else if (message.kind === 'saved') options.onSaved?.(message.run);
      else if (message.kind === 'report') finish(message.report, true);
      else finish(new Error(message.message), true);
    };
    const onError = (error: Error) => finish(new Error(`The simulation worker failed: ${error.message}`));
    const onExit = (code: number) =>
      finish(new Error(`The simulation worker ended with code ${code} and without a report.`));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    if (options.signal?.aborted) abort();
    else options.signal?.addEventListener('abort', abort);
  });
}

/** A run that has begun. */
export interface Simulation {
  readonly report: Promise<WorkerReport>;
  cancel(): void;
}

/** A boot in the worker bundle beside the caller's. */
export function startSimulation(
  run: BootRun,
  progress: (instructions: number, text: string) => void,
): Simulation {
  const job = jobOf(run);
  if (typeof job === 'string') return { report: Promise.reject(new Error(job)), cancel: () => undefined };
  return startJob(job, progress);
}

/** Runs a job in the worker bundle beside the caller's. */
export function startJob(
  job: SimulationJob,
  progress: (instructions: number, text: string) => void,
  saved?: (run: SavedRun) => void,
): Simulation {
  const abort = new AbortController();
  const options = { onProgress: progress, signal: abort.signal, ...(saved ? { onSaved: saved } : {}) };
  return {
    report: simulateInWorker(join(__dirname, 'worker.js'), job, options),
    cancel: () => abort.abort(),
  };
}

/** The job for a boot. A sentence where the machine cannot be booted. */
export function jobOf({ machine, request, compared }: BootRun): SimulationJob | string {
  const { vmm } = machine;
  const model = vmm === null ? undefined : vmmModel(vmm);
  if (!model) {
    return vmm === null
      ? `"${machine.name}" is a memory map without a VMM, which cannot be booted.`
      : `Bootpath has no model of ${vmm} to boot "${machine.name}" under.`;
  }
  const version = machine.version ?? model.versions.at(-1)!.id;
  const job = { machine, vmm: model.name, version, request };
  if (!compared) return job;
  const other = jobOf({ machine: compared, request });
  return typeof other === 'string' ? other : { ...job, compared: other };
}

/** The machine of a document that is named, or the first; a sentence where there is none. */
export function machineIn({ machines, choice }: Document, name: string | null): Machine | string {
  const machine = name === null ? machines[0] : machines.find((candidate) => candidate.name === name);
  if (!machine) {
    return name === null
      ? 'There is no machine in this file.'
      : `There is no machine named "${name}" in this file.`;
  }
  // A memory map says by a pragma which VMM it is of.
  return machine.vmm === null && choice ? { ...machine, vmm: choice.vmm, version: choice.version } : machine;
}

function cancelledReport({ machine, request }: SimulationJob, waited: number): BootReport {
  return {
    outcome: 'cancelled',
    reason: `Cancelled: the run of "${machine.name}" did not answer for ${waited} ms and was ended, so there is nothing to show of it.`,
    instructions: 0,
    exitStatus: null,
    milliseconds: 0,
    instructionsBefore: 0,
    vcpus: [],
    console: '',
    firmwareLog: '',
    screen: '',
    exits: [],
    timeline: [],
    timelineDropped: 0,
    faultChain: [],
    symbols: null,
    findings: [],
    evidence: null,
    shown: null,
    notModelled: request.taps.length > 0 ? ['whatever the observed firmware wrote: the run was ended'] : [],
  };
}
