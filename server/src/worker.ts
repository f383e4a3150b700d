/** The program of a worker thread: boots one machine and tells its host how it went. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCore } from '../emulator/core';
import { simulate } from './simulation/simulate';
import { vmmModel } from './vmm/models';
import type { FromWorker, WorkerData } from './workerHost';

const PROGRESS_EVERY_MS = 100;

function work({ job, cancel }: WorkerData, send: (message: FromWorker) => void): void {
  const flag = new Int32Array(cancel);
  const model = vmmModel(job.vmm);
  if (!model) return send({ kind: 'failed', message: `Bootpath has no model of ${job.vmm}.` });
  let told = 0;
  try {
    const report = simulate(job.machine, model, job.version, job.request, {
      createCore,
      cancelled: () => Atomics.load(flag, 0) !== 0,
      saved: (run) => send({ kind: 'saved', run }),
      progress: (instructions, text) => {
        const now = performance.now();
        if (now - told < PROGRESS_EVERY_MS) return;
        told = now;
        send({ kind: 'progress', instructions, text });
      },
    });
    send({ kind: 'report', report });
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

if (!parentPort) throw new Error('This program runs as a worker thread of Bootpath.');
const port = parentPort;
work(workerData as WorkerData, (message) => port.postMessage(message));
