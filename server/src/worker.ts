/** The program of a worker thread: boots a machine and tells its host how it went, then the next one that it is given. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCore } from '../emulator/core';
import { compareBoots, type Boot } from './simulation/comparison';
import { simulate, type SimulationHost } from './simulation/simulate';
import { vmmModel } from './vmm/models';
import type { FromWorker, SimulationJob, WorkerData, WorkerReport } from './workerHost';

const PROGRESS_EVERY_MS = 100;

function work({ job, cancel }: WorkerData, send: (message: FromWorker) => void): void {
  const flag = new Int32Array(cancel);
  let told = 0;
  const host: SimulationHost = {
    createCore,
    cancelled: () => Atomics.load(flag, 0) !== 0,
    saved: (run) => send({ kind: 'saved', run }),
    progress: (instructions, text) => {
      const now = performance.now();
      if (now - told < PROGRESS_EVERY_MS) return;
      told = now;
      send({ kind: 'progress', instructions, text });
    },
  };
  try {
    send({ kind: 'report', report: reportOf(job, host) });
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

function reportOf(job: SimulationJob, host: SimulationHost): WorkerReport {
  const { machine, model, version, request } = bootOf(job);
  if (!job.compared) return simulate(machine, model, version, request, host);
  const { report, divergence, start } = compareBoots(bootOf(job), bootOf(job.compared), host);
  return { ...report, comparison: { divergence, start } };
}

function bootOf({ machine, vmm, version, request }: SimulationJob): Boot {
  const model = vmmModel(vmm);
  if (!model) throw new Error(`Bootpath has no model of ${vmm}.`);
  return { machine, model, version, request };
}

if (!parentPort) throw new Error('This program runs as a worker thread of Bootpath.');
const port = parentPort;
const send = (message: FromWorker) => port.postMessage(message);
work(workerData as WorkerData, send);
// Its host may have more to do.
port.on('message', (data: WorkerData) => work(data, send));
