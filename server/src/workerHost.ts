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
  const cancel = new SharedArrayBuffer(4);
  const data: WorkerData = { bootpath: 'simulation', job, cancel };
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile, { workerData: data });
    let grace: NodeJS.Timeout | undefined;
    const abort = () => {
      Atomics.store(new Int32Array(cancel), 0, 1);
      const wait = job.request.save ? SAVING_GRACE_MS : CANCEL_GRACE_MS;
      grace ??= setTimeout(() => finish(() => resolve(cancelledReport(job, wait))), wait);
    };
    let finished = false;
    const finish = (settle: () => void) => {
      if (finished) return;
      finished = true;
      clearTimeout(grace);
      options.signal?.removeEventListener('abort', abort);
      void worker.terminate();
      settle();
    };
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'progress') options.onProgress?.(message.instructions, message.text);
      else if (message.kind === 'saved') options.onSaved?.(message.run);
      else if (message.kind === 'report') finish(() => resolve(message.report));
      else finish(() => reject(new Error(message.message)));
    });
    worker.on('error', (error) =>
      finish(() => reject(new Error(`The simulation worker failed: ${error.message}`))),
    );
    worker.on('exit', (code) =>
      finish(() => reject(new Error(`The simulation worker ended with code ${code} and without a report.`))),
    );
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
