/** The engine against JavaScript's arithmetic (binary64 and Math.fround, to nearest), and the masked responses of the SDM. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { floatEngine } from './engine';

const engine = floatEngine();
const scratch = new DataView(new ArrayBuffer(8));

const bits64 = (value: number): bigint => {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
};
const value64 = (bits: bigint): number => {
  scratch.setBigUint64(0, BigInt.asUintN(64, bits));
  return scratch.getFloat64(0);
};
const bits32 = (value: number): number => {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
};
const value32 = (bits: number): number => {
  scratch.setUint32(0, bits >>> 0);
  return scratch.getFloat32(0);
};

/** MXCSR after RESET, and with PE already set, where the engine may use the host's arithmetic. */
const CONTROLS = [
  ['nothing known', 0x1f80],
  ['PE set before', 0x1fa0],
] as const;

const any64 = fc.double();
const any32 = fc.float();

for (const [title, mxcsr] of CONTROLS) {
  const sum64 = (run: (a: bigint, b: bigint) => bigint, native: (a: number, b: number) => number) =>
    fc.assert(
      fc.property(any64, any64, (a, b) => {
        engine.beginSse(mxcsr);
        assert.equal(value64(run(bits64(a), bits64(b))), native(a, b));
      }),
      { numRuns: 3000 },
    );
  const sum32 = (run: (a: number, b: number) => number, native: (a: number, b: number) => number) =>
    fc.assert(
      fc.property(any32, any32, (a, b) => {
        engine.beginSse(mxcsr);
        assert.equal(value32(run(bits32(a), bits32(b))), Math.fround(native(a, b)));
      }),
      { numRuns: 3000 },
    );
  test(`binary64 to nearest equals the host language's, ${title}`, () => {
    sum64(engine.addF64, (a, b) => a + b);
    sum64(engine.subF64, (a, b) => a - b);
    sum64(engine.mulF64, (a, b) => a * b);
    sum64(engine.divF64, (a, b) => a / b);
    sum64(engine.sqrtF64, (a) => Math.sqrt(a));
  });
  test(`binary32 to nearest equals the host language's, ${title}`, () => {
    sum32(engine.addF32, (a, b) => a + b);
    sum32(engine.subF32, (a, b) => a - b);
    sum32(engine.mulF32, (a, b) => a * b);
    sum32(engine.divF32, (a, b) => a / b);
    sum32(engine.sqrtF32, (a) => Math.sqrt(a));
  });
}

test('conversions equal the host language’s', () => {
  fc.assert(
    fc.property(any64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (a, i) => {
      engine.beginSse(0x1f80);
      assert.equal(value32(engine.f64ToF32(bits64(a))), Math.fround(a));
      assert.equal(value64(engine.f32ToF64(bits32(a))), Math.fround(a));
      assert.equal(value64(engine.i64ToF64(i)), Number(i));
      const whole = Math.trunc(a);
      const fits = Math.abs(whole) < 2 ** 31;
      assert.equal(engine.f64ToI32(bits64(a), 1), fits ? whole | 0 : -(2 ** 31));
    }),
    { numRuns: 3000 },
  );
});

const IE = 1;
const DE = 2;
const ZE = 4;
const OE = 8;
const UE = 16;
const PE = 32;

/** SDM vol. 1: Table 4-7 (NaNs), 4.9.1 (exceptions), 10.2.3 (MXCSR). */
const RESPONSES: readonly (readonly [
  title: string,
  mxcsr: number,
  run: () => number,
  result: number | null,
  flags: number,
])[] = [
  ['1 + 2 is exact', 0x1f80, () => engine.addF32(0x3f800000, 0x40000000), 0x40400000, 0],
  ['0 / 0 is the indefinite NaN', 0x1f80, () => engine.divF32(0, 0), 0xffc00000, IE],
  ['1 / -0 is -infinity', 0x1f80, () => engine.divF32(0x3f800000, 0x80000000), 0xff800000, ZE],
  ['infinity - infinity', 0x1f80, () => engine.subF32(0x7f800000, 0x7f800000), 0xffc00000, IE],
  ['of two quiet NaNs the first', 0x1f80, () => engine.addF32(0x7fc00001, 0xffc00002), 0x7fc00001, 0],
  ['a signalling NaN made quiet', 0x1f80, () => engine.addF32(0x3f800000, 0x7f800001), 0x7fc00001, IE],
  ['the square root of -0', 0x1f80, () => engine.sqrtF32(0x80000000), 0x80000000, 0],
  ['the square root of -1', 0x1f80, () => engine.sqrtF32(0xbf800000), 0xffc00000, IE],
  ['largest × 2', 0x1f80, () => engine.mulF32(0x7f7fffff, 0x40000000), 0x7f800000, OE | PE],
  ['largest × 2, toward zero', 0x7f80, () => engine.mulF32(0x7f7fffff, 0x40000000), 0x7f7fffff, OE | PE],
  ['largest × 2, OE unmasked', 0x1b80, () => engine.mulF32(0x7f7fffff, 0x40000000), null, OE],
  ['an exact denormal result', 0x1f80, () => engine.mulF32(0x00800000, 0x3f000000), 0x00400000, 0],
  ['the same, UE unmasked', 0x1780, () => engine.mulF32(0x00800000, 0x3f000000), null, UE],
  ['the same, flushed to zero', 0x9f80, () => engine.mulF32(0x00800000, 0x3f000000), 0, UE | PE],
  ['an inexact denormal result', 0x1f80, () => engine.mulF32(0x00800001, 0x3f000000), 0x00400000, UE | PE],
  ['tiny before rounding only', 0x1f80, () => engine.mulF32(0x00800400, 0x3f7ff800), 0x00800000, PE],
  ['a denormal operand', 0x1f80, () => engine.addF32(0x3f800000, 1), 0x3f800000, DE | PE],
  ['the same as zero (DAZ)', 0x1fc0, () => engine.addF32(0x3f800000, 1), 0x3f800000, 0],
  ['DE unmasked stops before rounding', 0x1e80, () => engine.addF32(0x3f800000, 1), null, DE],
  ['x - x is +0', 0x1f80, () => engine.subF32(0x3f800000, 0x3f800000), 0, 0],
  ['x - x is -0 rounding down', 0x3f80, () => engine.subF32(0x3f800000, 0x3f800000), 0x80000000, 0],
  ['2^31 to an i32', 0x1f80, () => engine.f32ToI32(0x4f000000, 0), 0x80000000, IE],
  ['-2^31 to an i32', 0x1f80, () => engine.f32ToI32(0xcf000000, 0), 0x80000000, 0],
  ['2.5 to an i32, to nearest', 0x1f80, () => engine.f32ToI32(0x40200000, 0), 2, PE],
  ['2.5 to an i32, up', 0x5f80, () => engine.f32ToI32(0x40200000, 0), 3, PE],
  ['a quiet NaN compared quietly', 0x1f80, () => engine.compareF32(0x7fc00000, 0, 0), 3, 0],
  ['a quiet NaN compared', 0x1f80, () => engine.compareF32(0x7fc00000, 0, 1), 3, IE],
];

for (const [title, mxcsr, run, result, flags] of RESPONSES)
  test(`SSE response: ${title}`, () => {
    engine.beginSse(mxcsr);
    const got = run() >>> 0;
    if (result !== null) assert.equal(got, result);
    assert.equal(engine.reported(), flags);
    assert.equal(engine.unmasked() !== 0, result === null);
  });

test('an unmasked IE, DE or ZE in one element leaves OE, UE and PE of the others unreported', () => {
  engine.beginSse(0x1f00);
  engine.divF32(0x3f800000, 0x40400000);
  engine.addF32(0x7f800001, 0);
  assert.equal(engine.reported(), IE);
  assert.equal(engine.unmasked(), IE);
});
