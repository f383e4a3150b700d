/**
 * Random instructions of MMX and SSE to SSE4.1 on our core and on the CPU of this machine: registers, memory, MXCSR,
 * flags and exceptions agree. BOOTPATH_VECTOR_COUNT sets how many (default 30000), BOOTPATH_VECTOR_SEED the first seed.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { missingHost, runOnHost } from '../oracle/hostCpu';
import { Random } from '../oracle/random';
import { CaseMaker, RECORD } from './cases';
import { describe, differences, opcodeOf } from './compare';
import { VectorBench, type VectorCpu } from './onCore';

const COUNT = Number(process.env['BOOTPATH_VECTOR_COUNT'] ?? 30000);
const SEED = Number(process.env['BOOTPATH_VECTOR_SEED'] ?? 1);
const BATCH = 10000;
/** Failures that are shown, at most one of each instruction. */
const SHOWN = 40;

function hostCpu(): VectorCpu {
  const text = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'latin1') : '';
  return {
    vendor: text.includes('AuthenticAMD') ? 'amd' : 'intel',
    misaligned: text.includes('misalignsse'),
  };
}

for (let done = 0, seed = SEED; done < COUNT; done += BATCH, seed++) {
  const count = Math.min(BATCH, COUNT - done);
  test(
    `${count} random vector instructions, seed ${seed}: core and host agree`,
    { skip: missingHost() },
    () => {
      const cpu = hostCpu();
      const maker = new CaseMaker(new Random(seed), cpu);
      const requests = new Uint8Array(count * RECORD);
      const record = (all: Uint8Array, i: number): Uint8Array => all.subarray(i * RECORD, (i + 1) * RECORD);
      for (let i = 0; i < count; i++) maker.make(record(requests, i));
      const host = runOnHost('vectors', requests);
      assert.equal(host.length, requests.length);
      const bench = new VectorBench(cpu);
      const answer = new Uint8Array(RECORD);
      const failures = new Map<string, string>();
      let differing = 0;
      for (let i = 0; i < count; i++) {
        const request = record(requests, i);
        bench.run(request, answer);
        const found = differences(request, record(host, i), answer);
        if (found.length === 0) continue;
        differing++;
        const { prefix, opcode } = opcodeOf(request);
        const name = `${prefix} 0f ${opcode.toString(16)}`;
        if (!failures.has(name))
          failures.set(name, `${name} (case ${i})\n${found.join('\n')}\n${describe(request)}`);
      }
      if (differing > 0)
        assert.fail(
          `${differing} of ${count} differ\n${[...failures.values()].slice(0, SHOWN).join('\n\n')}`,
        );
    },
  );
}
