/** The engine against the host's SSE instructions: results and flags, in all modes, with exceptions masked and unmasked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingHost, runOnHost } from '../oracle/hostCpu';
import { Random } from '../oracle/random';
import { floatEngine } from './engine';
import type { Engine } from './engine';
import { pairF32, pairF64 } from './operands';

const COUNT = Number(process.env['BOOTPATH_ORACLE_COUNT'] ?? 100_000);
const SEED = Number(process.env['BOOTPATH_ORACLE_SEED'] ?? 1);

type Operand = 'f32' | 'f64' | 'i32' | 'i64';
interface Operation {
  readonly name: string;
  readonly takes: Operand;
  readonly run: (engine: Engine, a: bigint, b: bigint) => bigint;
}

const low32 = (value: number): bigint => BigInt(value >>> 0);
const low64 = (value: bigint): bigint => BigInt.asUintN(64, value);
/** ZF, PF and CF as COMISS sets them (SDM vol. 2, COMISS). */
const ORDER = [0x40n, 0x01n, 0n, 0x45n];
const order = (relation: number): bigint => ORDER[relation]!;

type Binary = 'add' | 'sub' | 'mul' | 'div';
const binaryF32 = (name: Binary): Operation => ({
  name: `${name}ss`,
  takes: 'f32',
  run: (engine, a, b) => low32(engine[`${name}F32`](Number(a), Number(b))),
});
const binaryF64 = (name: Binary): Operation => ({
  name: `${name}sd`,
  takes: 'f64',
  run: (engine, a, b) => low64(engine[`${name}F64`](a, b)),
});
const of = (name: string, takes: Operand, run: Operation['run']): Operation => ({ name, takes, run });

/** In the order of the numbers in host/sse.c. */
const OPERATIONS: readonly Operation[] = [
  ...(['add', 'sub', 'mul', 'div'] as const).map(binaryF32),
  of('sqrtss', 'f32', (e, a) => low32(e.sqrtF32(Number(a)))),
  ...(['add', 'sub', 'mul', 'div'] as const).map(binaryF64),
  of('sqrtsd', 'f64', (e, a) => low64(e.sqrtF64(a))),
  of('ucomiss', 'f32', (e, a, b) => order(e.compareF32(Number(a), Number(b), 0))),
  of('comiss', 'f32', (e, a, b) => order(e.compareF32(Number(a), Number(b), 1))),
  of('ucomisd', 'f64', (e, a, b) => order(e.compareF64(a, b, 0))),
  of('comisd', 'f64', (e, a, b) => order(e.compareF64(a, b, 1))),
  of('cvtss2sd', 'f32', (e, a) => low64(e.f32ToF64(Number(a)))),
  of('cvtsd2ss', 'f64', (e, a) => low32(e.f64ToF32(a))),
  of('cvtss2si r32', 'f32', (e, a) => low32(e.f32ToI32(Number(a), 0))),
  of('cvttss2si r32', 'f32', (e, a) => low32(e.f32ToI32(Number(a), 1))),
  of('cvtss2si r64', 'f32', (e, a) => low64(e.f32ToI64(Number(a), 0))),
  of('cvttss2si r64', 'f32', (e, a) => low64(e.f32ToI64(Number(a), 1))),
  of('cvtsd2si r32', 'f64', (e, a) => low32(e.f64ToI32(a, 0))),
  of('cvttsd2si r32', 'f64', (e, a) => low32(e.f64ToI32(a, 1))),
  of('cvtsd2si r64', 'f64', (e, a) => low64(e.f64ToI64(a, 0))),
  of('cvttsd2si r64', 'f64', (e, a) => low64(e.f64ToI64(a, 1))),
  of('cvtsi2ss r32', 'i32', (e, a) => low32(e.i32ToF32(Number(a)))),
  of('cvtsi2ss r64', 'i64', (e, a) => low32(e.i64ToF32(a))),
  of('cvtsi2sd r32', 'i32', (e, a) => low64(e.i32ToF64(Number(a)))),
  of('cvtsi2sd r64', 'i64', (e, a) => low64(e.i64ToF64(a))),
];

interface Case {
  readonly operation: number;
  readonly mxcsr: number;
  readonly a: bigint;
  readonly b: bigint;
}

function operandsOf(random: Random, takes: Operand): readonly [bigint, bigint] {
  if (takes === 'f32') return pairF32(random);
  if (takes === 'f64') return pairF64(random);
  return [random.value(takes === 'i32' ? 32 : 64), 0n];
}

function makeCase(random: Random): Case {
  const operation = random.below(OPERATIONS.length);
  // All masked in most cases; FTZ, DAZ, rounding and PE that is already set at random.
  const masks = random.oneIn(4) ? random.below(64) : 63;
  const known = masks === 63 && random.oneIn(2) ? 32 : 0;
  const modes = (random.below(8) << 13) | (random.below(2) << 6);
  const [a, b] = operandsOf(random, OPERATIONS[operation]!.takes);
  return { operation, mxcsr: modes | (masks << 7) | known, a, b };
}

const hex = (value: bigint | number): string => value.toString(16);

test(`${COUNT} scalar SSE operations give the host CPU's results and flags`, { skip: missingHost() }, () => {
  const random = new Random(SEED);
  const cases = Array.from({ length: COUNT }, () => makeCase(random));
  const requests = new DataView(new ArrayBuffer(24 * cases.length));
  cases.forEach(({ operation, mxcsr, a, b }, i) => {
    requests.setUint32(24 * i, operation, true);
    requests.setUint32(24 * i + 4, mxcsr, true);
    requests.setBigUint64(24 * i + 8, a, true);
    requests.setBigUint64(24 * i + 16, b, true);
  });
  const answers = runOnHost('sse', new Uint8Array(requests.buffer));
  const view = new DataView(answers.buffer, answers.byteOffset, answers.byteLength);
  const engine = floatEngine();
  const wrong: string[] = [];
  cases.forEach(({ operation, mxcsr, a, b }, i) => {
    const { name, run } = OPERATIONS[operation]!;
    engine.beginSse(mxcsr);
    const result = run(engine, a, b);
    const trapped = engine.unmasked() ? 1 : 0;
    const ours = [trapped ? 0n : result, BigInt((mxcsr | engine.reported()) & 63), BigInt(trapped)];
    const theirs = [
      view.getBigUint64(16 * i, true),
      BigInt(view.getUint32(16 * i + 8, true)),
      BigInt(view.getUint32(16 * i + 12, true)),
    ];
    if (ours.some((value, j) => value !== theirs[j]))
      wrong.push(
        `${name} ${hex(a)}, ${hex(b)} MXCSR ${hex(mxcsr)}: ${ours.map(hex).join(' ')}, host ${theirs.map(hex).join(' ')}`,
      );
  });
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} of ${COUNT} differ`);
});
