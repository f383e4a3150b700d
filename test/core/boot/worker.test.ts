import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as esbuild from 'esbuild';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import {
  jobOf,
  machineIn,
  simulateInWorker,
  Workers,
  type SimulationJob,
} from '../../../server/src/workerHost';
import { SourceText } from '../../../server/src/text/sourceText';
import { vmconf } from '../../../server/src/vmm/vmd/language';
import { elfFile } from '../../unit/simulation/elfFile';

const ROOT = process.env.BOOTPATH_ROOT ?? process.cwd();
const CONFIG = 'vm "guest" {\n\tmemory 64M\n\tdisk "/home/guest.img"\n}\n';
let folder = '';
let workerFile = '';

before(async () => {
  folder = mkdtempSync(join(ROOT, 'dist/worker-test-'));
  workerFile = join(folder, 'worker.js');
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ['server/src/worker.ts'],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2022',
    loader: { '.wasm': 'binary', '.bin': 'binary' },
  });
});
after(() => rmSync(folder, { recursive: true, force: true }));

function job(asked: Partial<SimulationRequest>): SimulationJob {
  const document = vmconf.parse(new SourceText('file:///vm.conf', CONFIG), {
    files: new Map(),
    choice: { vmm: 'vmd', version: '7.8' },
  });
  const request = {
    machine: 'guest',
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 100_000_000,
    reboots: 0,
    ...asked,
  };
  const made = jobOf({ machine: document.machines[0]!, request });
  if (typeof made === 'string') throw new Error(made);
  return made;
}

/** A ROM that jumps to itself with interrupts off. */
function endlessLoop(): Uint8Array {
  const rom = new Uint8Array(0x10000);
  rom.set([0xfa, 0xeb, 0xfe], 0xfff0);
  return rom;
}

test('a worker boots the default probe and sends the report back', async () => {
  const report = await simulateInWorker(workerFile, job({}));
  assert.equal(report.outcome, 'halted', report.reason);
  assert.match(report.console, /status complete/);
  assert.equal(typeof report.vcpus[0]?.registers.rip, 'bigint');
});

test('an endless loop is cancelled, and says how far it came', async () => {
  const abort = new AbortController();
  const report = await simulateInWorker(workerFile, job({ firmware: endlessLoop(), maxInstructions: 1e12 }), {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  assert.equal(report.outcome, 'cancelled');
  assert.ok(report.instructions > 0);
});

test('a run that was cancelled before it began is cancelled', async () => {
  const abort = new AbortController();
  abort.abort();
  const asked = job({ firmware: endlessLoop(), maxInstructions: 1e12 });
  assert.equal((await simulateInWorker(workerFile, asked, { signal: abort.signal })).outcome, 'cancelled');
});

for (const [name, asked, reason] of [
  ['a ROM of garbage', { firmware: new Uint8Array(7).fill(0x5a) }, /7 bytes, fewer than the 15/],
  [
    'an ELF with lying headers',
    {
      kernel: elfFile({
        entry: 0x100000n,
        segments: [{ physical: 0x100000n, virtual: 0x100000n, bytes: Uint8Array.of(0xf4) }],
        patch: (file) => file.setBigUint64(64 + 32, 1n << 63n, true),
      }),
    },
    /p_filesz 0x8000000000000000/,
  ],
] as const) {
  test(`${name} ends in a clear message`, async () => {
    const report = await simulateInWorker(workerFile, job(asked));
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, reason);
  });
}

test('an unknown probe and a missing worker reject with a sentence', async () => {
  await assert.rejects(
    simulateInWorker(workerFile, job({ probe: 'nonsense' })),
    /no probe guest named "nonsense"/,
  );
  await assert.rejects(simulateInWorker(join(folder, 'missing.js'), job({})), /simulation worker failed: /);
});

for (const [machine, text, message] of [
  ['other', CONFIG, /no machine named "other"/],
  [null, '# nothing\n', /no machine in this file/],
] as const) {
  test(`no machine: ${message.source}`, () => {
    const document = vmconf.parse(new SourceText('file:///vm.conf', text), { files: new Map() });
    const found = machineIn(document, machine);
    assert.match(typeof found === 'string' ? found : 'a machine', message);
  });
}

test('a worker that does not answer a cancel is ended, and the report says so', async () => {
  const stuck = join(folder, 'stuck.js');
  writeFileSync(stuck, 'for (;;) {}\n');
  const abort = new AbortController();
  abort.abort();
  const report = await simulateInWorker(stuck, job({}), { signal: abort.signal });
  assert.equal(report.outcome, 'cancelled');
  assert.match(report.reason, /did not answer for 500 ms/);
});

test('a worker that ends without a report rejects', async () => {
  const silent = join(folder, 'silent.js');
  writeFileSync(silent, 'process.exit(3);\n');
  await assert.rejects(simulateInWorker(silent, job({})), /ended with code 3 and without a report/);
});

const THREADS = '/proc/self/task';
/** Threads of this process and its open files. */
const held = (): [threads: number, files: number] => [
  readdirSync(THREADS).length,
  readdirSync('/proc/self/fd').length,
];
const noProc = existsSync(THREADS)
  ? { timeout: 120_000 }
  : { skip: `${THREADS} is not there: threads are counted on Linux` };

test(
  'workers that are killed in the middle of a run leave no thread, no handle and no file',
  noProc,
  async () => {
    const temporary = mkdtempSync(join(folder, 'tmp-'));
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = temporary;
    try {
      const stuck = join(folder, 'stuck-in-the-middle.js');
      writeFileSync(
        stuck,
        "require('node:worker_threads').parentPort.postMessage({ kind: 'progress' }); for (;;) {}\n",
      );
      const kill = (file: string): Promise<unknown> => {
        const abort = new AbortController();
        return simulateInWorker(file, job({ firmware: endlessLoop(), maxInstructions: 1e12 }), {
          signal: abort.signal,
          onProgress: () => abort.abort(),
        });
      };
      // The first worker starts threads of the process that stay.
      await kill(workerFile);
      const [threads, files] = held();
      const resources = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length;
      for (const file of [workerFile, workerFile, stuck]) await kill(file);
      // A thread ends a little after its worker is told to: as many turns as that takes.
      while (held()[0] > threads || held()[1] > files)
        await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length <= resources);
      assert.deepEqual(readdirSync(temporary), []);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  },
);

test('a worker that is kept boots one machine after the other, also behind a cancelled and a failed one', async () => {
  const workers = new Workers(workerFile);
  const same = ({ outcome, instructions, console: text, exits }: BootReport) => ({
    outcome,
    instructions,
    text,
    exits,
  });
  try {
    const first = await workers.run(job({}));
    const abort = new AbortController();
    const endless = job({ firmware: endlessLoop(), maxInstructions: 1e12 });
    const cancelled = await workers.run(endless, { signal: abort.signal, onProgress: () => abort.abort() });
    assert.equal(cancelled.outcome, 'cancelled');
    await assert.rejects(workers.run(job({ probe: 'nothing' })), /no probe guest named "nothing"/);
    assert.deepEqual(same(await workers.run(job({}))), same(first));
    const [left, right] = await Promise.all([workers.run(job({})), workers.run(job({}))]);
    assert.deepEqual([same(left), same(right)], [same(first), same(first)]);
  } finally {
    workers.close();
  }
});

test('a worker whose program does not load is told, each time', async () => {
  const broken = join(folder, 'broken.js');
  writeFileSync(broken, 'throw new Error("no program")');
  const workers = new Workers(broken);
  for (let i = 0; i < 2; i++)
    await assert.rejects(workers.run(job({})), /The simulation worker failed: no program/);
  workers.close();
});
