/** Random tables, rights and accesses in every paging mode: the core against a naive walker (SDM vol. 3, chapter 4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../oracle/random';
import { PagingMachine } from './machine';
import { describe, judge, randomCase } from './randomWalk';
import type { Cpu } from './walker';

/** More by hand: BOOTPATH_WALKS=20000 node test/scripts/node-suite.mjs core paging/walks */
const CASES = Number(process.env['BOOTPATH_WALKS'] ?? 400);
const SEED = Number(process.env['BOOTPATH_SEED'] ?? 1);

const CPUS: readonly Cpu[] = [
  { width: 36, amd: false, pages1g: false, pse36: true },
  { width: 39, amd: false, pages1g: true, pse36: true },
  { width: 40, amd: true, pages1g: true, pse36: true },
  { width: 46, amd: false, pages1g: true, pse36: false },
  { width: 52, amd: true, pages1g: false, pse36: true },
  { width: 52, amd: false, pages1g: true, pse36: true },
];

for (const cpu of CPUS)
  test(`${CASES} random accesses, ${cpu.amd ? 'AMD' : 'Intel'}, MAXPHYADDR ${cpu.width}${cpu.pages1g ? ', 1 GiB pages' : ''}`, () => {
    const machine = new PagingMachine(cpu);
    const counts = { fault: 0, done: 0, skipped: 0 };
    for (let i = 0; i < CASES; i++) {
      const random = new Random(SEED * 1_000_003 + i);
      const subject = randomCase(random, machine);
      try {
        counts[judge(random, machine, subject)]++;
      } catch (error) {
        throw new Error(`case ${i} of seed ${SEED}: ${describe(subject)}\n${String(error)}`, {
          cause: error,
        });
      }
    }
    // Neither side of the comparison is empty.
    assert.ok(
      counts.fault > CASES / 10 && counts.done > CASES / 10 && counts.skipped < CASES / 10,
      JSON.stringify(counts),
    );
  });
