/**
 * A snapshot taken at any instruction resumes identically: restored into a fresh core, the run ends in the same state,
 * at the same instruction, with the same output as the run that was never interrupted.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROBES } from '../../../server/src/simulation/probes/probes';
import { probeRom } from '../../../server/src/simulation/probes/rom';
import { TestBoard, type BoardExit, type BoardOptions } from './board';
import { assemble, missingTools } from './tools';

const LIMIT = 100_000_000;
const RUNS = Number(process.env['BOOTPATH_SNAPSHOT_RUNS'] ?? 40);

/** Everything that two equal runs have in common. */
function finish(board: TestBoard, exit: BoardExit): Record<string, unknown> {
  const { core, state } = board;
  return {
    exit: exit.reason,
    instructions: core.instructions,
    now: core.now,
    output: state.output,
    board: { ...state, mmio: state.mmio.join(',') },
    vcpus: Array.from({ length: core.vcpus }, (_, vcpu) => [core.activity(vcpu), core.state(vcpu)]),
    touched: core.touchedPages,
    low: Buffer.from(core.read(0n, 0xa0000) ?? []).toString('base64'),
    high: Buffer.from(core.read(0x200000n, 0x8000) ?? []).toString('base64'),
  };
}

function property(options: BoardOptions, check?: (output: string) => void): void {
  const whole = new TestBoard(options);
  const expected = finish(whole, whole.run(LIMIT));
  check?.(whole.state.output);
  const again = new TestBoard(options);
  assert.deepEqual(finish(again, again.run(LIMIT)), expected, 'two runs differ');
  const last = whole.core.now;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last - 1 }), (at) => {
      const first = new TestBoard(options);
      first.run(at);
      const snapshot = structuredClone(first.core.snapshot());
      const board = structuredClone(first.state);
      assert.deepEqual(finish(first, first.run(LIMIT)), expected, `going on after a snapshot at ${at}`);
      const second = new TestBoard(options);
      second.core.restore(snapshot);
      second.state = board;
      assert.deepEqual(finish(second, second.run(LIMIT)), expected, `restored from a snapshot at ${at}`);
    }),
    { numRuns: RUNS, seed: 1, examples: [[0], [1], [last - 2], [last - 1]] },
  );
}

const MAP = [
  { start: 0n, end: 0xa0000n, type: 1 },
  { start: 0x100000n, end: 0x4000000n, type: 1 },
];

test('two CPUs, interrupts, moving pages, REP on MMIO', { skip: missingTools('nasm') }, () => {
  const source = readFileSync(
    join(process.env['BOOTPATH_ROOT'] ?? '.', 'test/core/oracle/images/interleaved.asm'),
    'utf8',
  );
  property({ rom: assemble(source), vcpus: 2, timer: 777 }, (output) => {
    // 40 rounds by one CPU, 3000 by the other, and every MMIO round trip the same bytes.
    assert.match(output, /shared 0xbe0\nstatus complete/);
    assert.match(output, /^0x27 0x[0-9a-f]+ 0x[0-9a-f]+$/m);
  });
});

test('the same with a quantum of one instruction', { skip: missingTools('nasm') }, () => {
  const source = readFileSync(
    join(process.env['BOOTPATH_ROOT'] ?? '.', 'test/core/oracle/images/interleaved.asm'),
    'utf8',
  );
  property({ rom: assemble(source), vcpus: 2, timer: 501, quantum: 1 });
});

for (const probe of PROBES.filter(({ name }) => ['boot-path', 'linux-reboot-bios'].includes(name))) {
  test(`the probe ${probe.name}`, () => {
    property({ rom: probeRom(probe), memoryMap: MAP }, (output) => assert.match(output, /^status /m));
  });
}
