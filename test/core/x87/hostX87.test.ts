/**
 * Every x87 instruction on our core and natively on the host's CPU, from random states: registers, status, control and tag
 * words, memory and EFLAGS afterwards. BOOTPATH_ORACLE_COUNT sets the number of states for each instruction (default 100).
 *
 * What is computed by a series may differ by one unit in the last place, and in C1 (rounded up) then: no manual promises
 * more (SDM vol. 1, 8.3.10), and vendors differ. Everything else must be equal.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingHost, runNatively } from '../oracle/hostCpu';
import { Random } from '../oracle/random';
import { X87_INSTRUCTIONS } from './instructions';
import type { X87Instruction } from './instructions';
import { CoreRunner } from './onCore';
import { AFTER, codeOf, FLAGS_AFTER, OPERAND, putRecord, RAX_AFTER, RECORD } from './records';

const COUNT = Number(process.env['BOOTPATH_ORACLE_COUNT'] ?? 100);
const SEED = Number(process.env['BOOTPATH_ORACLE_SEED'] ?? 1);
const ONLY = process.env['BOOTPATH_X87_ONLY'];
const BATCH = 2000;

const instructions = X87_INSTRUCTIONS.filter(({ name }) => ONLY === undefined || name.startsWith(ONLY));

interface Batch {
  readonly instruction: X87Instruction;
  readonly code: Uint8Array;
  readonly count: number;
  readonly records: Uint8Array;
}

function makeBatches(random: Random): Batch[] {
  return instructions.flatMap((instruction) => {
    const batches: Batch[] = [];
    for (let left = COUNT; left > 0; left -= BATCH) {
      const count = Math.min(left, BATCH);
      const records = new Uint8Array(RECORD * count);
      for (let i = 0; i < count; i++)
        putRecord(random, new DataView(records.buffer, RECORD * i, RECORD), instruction);
      batches.push({ instruction, code: Buffer.from(codeOf(instruction), 'hex'), count, records });
    }
    return batches;
  });
}

const hex = (view: DataView, at: number, size: number): string =>
  Array.from({ length: size }, (_, i) =>
    view
      .getUint8(at + size - 1 - i)
      .toString(16)
      .padStart(2, '0'),
  ).join('');

/** What an instruction left, in words that compare and read. */
function resultOf(view: DataView, { memory, name }: X87Instruction): Record<string, string> {
  const registers = Array.from(
    { length: 8 },
    (_, i) => [`st${i}`, hex(view, AFTER + 32 + 16 * i, 10)] as const,
  );
  // Pointers to the last instruction are not the same on both sides.
  const words = memory === 'environment' || memory === 'state' ? 12 : 16;
  return {
    control: hex(view, AFTER, 2),
    status: hex(view, AFTER + 2, 2),
    tags: hex(view, AFTER + 4, 1),
    ...Object.fromEntries(registers),
    memory: hex(view, OPERAND, words),
    ...(memory === 'state' ? { image: hex(view, OPERAND + 28, 80) } : {}),
    flags: (view.getUint32(FLAGS_AFTER, true) & 0x8d5).toString(16),
    ...(name === 'fnstsw ax' ? { ax: hex(view, RAX_AFTER, 2) } : {}),
  };
}

const ulps = (a: string, b: string): bigint => {
  const [x, y] = [BigInt(`0x${a}`), BigInt(`0x${b}`)];
  if (x >> 79n !== y >> 79n) return 1n << 80n;
  // The integer bit carries nothing between neighbours.
  const line = (v: bigint): bigint => (((v >> 64n) & 0x7fffn) << 63n) | (v & ((1n << 63n) - 1n));
  const distance = line(x) - line(y);
  return distance < 0n ? -distance : distance;
};

/** Names of what differs; for a series without what may. */
function differences(
  ours: Record<string, string>,
  theirs: Record<string, string>,
  { series }: X87Instruction,
): string[] {
  return Object.keys(ours).filter((name) => {
    const [a, b] = [ours[name]!, theirs[name]!];
    if (a === b) return false;
    if (series === true && /^st\d$/.test(name)) return ulps(a, b) > 1n;
    if (series === true && name === 'status') return ((parseInt(a, 16) ^ parseInt(b, 16)) & ~0x200) !== 0;
    return true;
  });
}

function describe(view: DataView, ours: Record<string, string>, theirs: Record<string, string>): string {
  const before = [
    `FCW ${hex(view, 0, 2)} FSW ${hex(view, 2, 2)} tags ${hex(view, 4, 1)}`,
    `st0 ${hex(view, 32, 10)} st1 ${hex(view, 48, 10)}`,
    `memory ${hex(view, OPERAND, 16)}`,
  ].join(' ');
  const changed = Object.keys(ours)
    .filter((name) => ours[name] !== theirs[name])
    .map((name) => `${name} ${ours[name]}, host ${theirs[name]}`);
  return `${before}: ${changed.join('; ')}`;
}

test(
  `${instructions.length} x87 instructions, ${COUNT} states each, give what the host CPU gives`,
  { skip: missingHost() },
  async (t) => {
    const batches = makeBatches(new Random(SEED));
    const native = runNatively(batches);
    const runner = new CoreRunner();
    for (const instruction of instructions)
      await t.test(instruction.name, () => {
        const wrong: string[] = [];
        let bits = 0;
        batches.forEach((batch, number) => {
          if (batch.instruction !== instruction) return;
          const core = runner.run(batch);
          for (let i = 0; i < batch.count; i++) {
            const at = (bytes: Uint8Array): DataView =>
              new DataView(bytes.buffer, bytes.byteOffset + RECORD * i, RECORD);
            const ours = resultOf(at(core), instruction);
            const theirs = resultOf(at(native[number]!), instruction);
            if (differences(ours, theirs, instruction).length > 0)
              wrong.push(describe(at(batch.records), ours, theirs));
            else if (ours['st0'] !== theirs['st0']) bits++;
          }
        });
        if (bits > 0) t.diagnostic(`${instruction.name}: ${bits} of ${COUNT} differ in the last bit`);
        assert.deepEqual(wrong.slice(0, 4), [], `${wrong.length} of ${COUNT} differ`);
      });
  },
);
