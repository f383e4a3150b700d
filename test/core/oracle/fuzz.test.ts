/**
 * Some of what `npm run fuzz:core` does, each time: random instructions in every mode against QEMU, random bytes in user
 * mode against the CPU of this machine. 50,000 instructions in all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan, run } from './fuzz/main';
import { missingHost } from './hostCpu';
import { rulesKnowHost } from './stepper/runners';
import { missingTools } from './tools';

const tools = missingTools('nasm', 'qemu-system-x86_64');
const SUITES = [
  { oracle: 'qemu', kind: 'sequences', count: 28_000, skip: tools },
  {
    oracle: 'host',
    kind: 'bytes',
    count: 22_000,
    skip: missingTools('nasm') || missingHost() || rulesKnowHost(),
  },
] as const;

for (const { oracle, kind, count, skip } of SUITES)
  test(`${count} random instructions (${kind}): the core and ${oracle} agree`, { skip }, async (t) => {
    for (const job of plan({ oracle, kind, count, mode: null, seed: 1 }))
      await t.test(`${job.mode}: ${job.count} cases`, async () => {
        const { failures, instructions } = await run(job);
        assert.deepEqual(failures, []);
        assert.ok(instructions >= job.count, `only ${instructions} instructions were run`);
      });
  });
