/** The ALU against BigInt: results and defined flags at 8, 16, 32 and 64 bits (SDM vol. 1, appendix A; vol. 2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lab } from './lab';

const CF = 1n;
const PF = 4n;
const AF = 0x10n;
const ZF = 0x40n;
const SF = 0x80n;
const OF = 0x800n;
const ALL = CF | PF | AF | ZF | SF | OF;

type Bits = 8 | 16 | 32 | 64;
const WIDTHS: readonly Bits[] = [8, 16, 32, 64];

interface Result {
  readonly value: bigint;
  readonly flags: bigint;
  /** Flags that the manual defines. */
  readonly defined: bigint;
}

const mask = (bits: Bits): bigint => (1n << BigInt(bits)) - 1n;
const msb = (value: bigint, bits: Bits): bigint => (value >> BigInt(bits - 1)) & 1n;
const signed = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value);
const flag = (on: boolean | bigint, bit: bigint): bigint => (on === true || on === 1n ? bit : 0n);

function parity(value: bigint): boolean {
  let ones = 0;
  for (let bit = 0n; bit < 8n; bit++) ones += Number((value >> bit) & 1n);
  return ones % 2 === 0;
}
const resultFlags = (value: bigint, bits: Bits): bigint =>
  flag(value === 0n, ZF) | flag(msb(value, bits), SF) | flag(parity(value), PF);

function add(a: bigint, b: bigint, carry: bigint, bits: Bits): Result {
  const sum = a + b + carry;
  const value = sum & mask(bits);
  const exact = signed(a, bits) + signed(b, bits) + carry;
  const flags =
    resultFlags(value, bits) |
    flag(sum !== value, CF) |
    flag(exact !== signed(value, bits), OF) |
    flag((a & 15n) + (b & 15n) + carry > 15n, AF);
  return { value, flags, defined: ALL };
}
function sub(a: bigint, b: bigint, borrow: bigint, bits: Bits): Result {
  const difference = a - b - borrow;
  const value = difference & mask(bits);
  const exact = signed(a, bits) - signed(b, bits) - borrow;
  const flags =
    resultFlags(value, bits) |
    flag(difference < 0n, CF) |
    flag(exact !== signed(value, bits), OF) |
    flag((a & 15n) - (b & 15n) - borrow < 0n, AF);
  return { value, flags, defined: ALL };
}
const logic = (value: bigint, bits: Bits): Result => ({
  value,
  flags: resultFlags(value, bits),
  defined: ALL & ~AF,
});

const REFERENCE: Record<string, (a: bigint, b: bigint, carry: bigint, bits: Bits) => Result> = {
  add: (a, b, _, bits) => add(a, b, 0n, bits),
  or: (a, b, _, bits) => logic(a | b, bits),
  adc: add,
  sbb: sub,
  and: (a, b, _, bits) => logic(a & b, bits),
  sub: (a, b, _, bits) => sub(a, b, 0n, bits),
  xor: (a, b, _, bits) => logic(a ^ b, bits),
  cmp: (a, b, _, bits) => ({ ...sub(a, b, 0n, bits), value: a }),
};

/** Shifts and rotates by ModRM.reg: result, and CF and OF where they are defined. */
const SHIFTS: Record<string, (a: bigint, n: number, carry: bigint, bits: Bits) => Result> = {
  rol: (a, n, _, bits) => {
    const by = BigInt(n % bits);
    const value = ((a << by) | (a >> (BigInt(bits) - by))) & mask(bits);
    const c = value & 1n;
    return { value, flags: flag(c, CF) | flag(msb(value, bits) ^ c, OF), defined: CF | (n === 1 ? OF : 0n) };
  },
  ror: (a, n, _, bits) => {
    const by = BigInt(n % bits);
    const value = ((a >> by) | (a << (BigInt(bits) - by))) & mask(bits);
    const top = msb(value, bits);
    const next = (value >> BigInt(bits - 2)) & 1n;
    return { value, flags: flag(top, CF) | flag(top ^ next, OF), defined: CF | (n === 1 ? OF : 0n) };
  },
  rcl: (a, n, carry, bits) => {
    const width = BigInt(bits + 1);
    const by = BigInt(n) % width;
    const wide = (carry << BigInt(bits)) | a;
    const turned = ((wide << by) | (wide >> (width - by))) & ((1n << width) - 1n);
    const value = turned & mask(bits);
    const c = turned >> BigInt(bits);
    return { value, flags: flag(c, CF) | flag(msb(value, bits) ^ c, OF), defined: CF | (n === 1 ? OF : 0n) };
  },
  rcr: (a, n, carry, bits) => {
    const width = BigInt(bits + 1);
    const by = BigInt(n) % width;
    const wide = (carry << BigInt(bits)) | a;
    const turned = ((wide >> by) | (wide << (width - by))) & ((1n << width) - 1n);
    const value = turned & mask(bits);
    const next = (value >> BigInt(bits - 2)) & 1n;
    return {
      value,
      flags: flag(turned >> BigInt(bits), CF) | flag(msb(value, bits) ^ next, OF),
      defined: CF | (n === 1 ? OF : 0n),
    };
  },
  shl: (a, n, _, bits) => {
    const value = (a << BigInt(n)) & mask(bits);
    const c = (a >> BigInt(bits - n)) & 1n;
    const flags = resultFlags(value, bits) | flag(n <= bits ? c : 0n, CF) | flag(msb(value, bits) ^ c, OF);
    return { value, flags, defined: SF | ZF | PF | (n <= bits ? CF : 0n) | (n === 1 ? OF : 0n) };
  },
  shr: (a, n, _, bits) => {
    const value = a >> BigInt(n);
    const flags = resultFlags(value, bits) | flag((a >> BigInt(n - 1)) & 1n, CF) | flag(msb(a, bits), OF);
    return { value, flags, defined: SF | ZF | PF | (n <= bits ? CF : 0n) | (n === 1 ? OF : 0n) };
  },
  sar: (a, n, _, bits) => {
    const exact = signed(a, bits);
    const value = (exact >> BigInt(n)) & mask(bits);
    const flags = resultFlags(value, bits) | flag((exact >> BigInt(n - 1)) & 1n, CF);
    return { value, flags, defined: SF | ZF | PF | CF | (n === 1 ? OF : 0n) };
  },
};
const SHIFT_NUMBERS: Record<string, number> = { rol: 0, ror: 1, rcl: 2, rcr: 3, shl: 4, shr: 5, sar: 7 };

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
/** Prefixes and opcode for RAX op= RBX: the opcode of the 8-bit form. */
function encode(opcode: number, bits: Bits, modrm: number): string {
  const prefix = bits === 16 ? '66' : bits === 64 ? '48' : '';
  return `${prefix}${hex(bits === 8 ? opcode : opcode + 1)}${hex(modrm)}`;
}

/** Values around the edges, and any. */
const operand = (bits: Bits): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.constantFrom(0n, 1n, mask(bits), mask(bits) >> 1n, (mask(bits) >> 1n) + 1n, 0xfn, 0x10n),
    fc.bigInt({ min: 0n, max: mask(bits) }),
  );

/** What a write of `bits` leaves in a 64-bit register. */
function merged(old: bigint, value: bigint, bits: Bits): bigint {
  if (bits === 64) return value;
  return bits === 32 ? value : (old & ~mask(bits)) | value;
}

const lab = new Lab({ mode: 'long' });
const UPPER = 0x5a5a5a5a_00000000n;

function compute(code: string, registers: Record<string, bigint>, flags: bigint) {
  lab.core.setActivity(0, 'running');
  lab.set(registers, { rip: 0x8000n, rflags: flags | 2n });
  return lab.run(code);
}

for (const bits of WIDTHS)
  for (const [number, name] of Object.keys(REFERENCE).entries())
    test(`${name}, ${bits} bits`, () => {
      const reference = REFERENCE[name];
      assert.ok(reference);
      fc.assert(
        fc.property(operand(bits), operand(bits), fc.boolean(), (a, b, carry) => {
          const old = bits === 64 ? a : (UPPER & ~mask(bits)) | a;
          const expected = reference(a, b, carry ? 1n : 0n, bits);
          for (const form of ['register', 'memory', 'immediate'] as const) {
            if (form === 'immediate' && bits !== 8 && b !== BigInt.asUintN(bits, signed(b, 8))) continue;
            const code =
              form === 'register'
                ? encode(number * 8, bits, 0xd8) // op rax, rbx
                : form === 'memory'
                  ? encode(number * 8, bits, 0x1e) // op [rsi], rbx
                  : `${encode(0x80, bits, 0xc0 + number * 8).replace(/81(..)$/, '83$1')}${hex(Number(b & 0xffn))}`;
            lab.put(0x9000n, a, 8);
            const { state } = compute(code, { rax: old, rbx: b, rsi: 0x9000n }, carry ? CF : 0n);
            const got = form === 'memory' ? lab.get(0x9000n, bits / 8) : state.general.rax;
            const left = name === 'cmp' ? old : merged(old, expected.value, bits);
            assert.equal(got, form === 'memory' ? expected.value : left, `${form}: value`);
            assert.equal(
              state.rflags & expected.defined,
              expected.flags & expected.defined,
              `${form}: flags`,
            );
          }
        }),
        { numRuns: 60, seed: 7 },
      );
    });

for (const bits of WIDTHS)
  for (const name of Object.keys(SHIFTS))
    test(`${name}, ${bits} bits`, () => {
      const reference = SHIFTS[name];
      assert.ok(reference);
      fc.assert(
        fc.property(operand(bits), fc.integer({ min: 0, max: 255 }), fc.boolean(), (a, count, carry) => {
          const n = count & (bits === 64 ? 63 : 31);
          const old = bits === 64 ? a : (UPPER & ~mask(bits)) | a;
          const before = (carry ? CF : 0n) | OF | AF | PF;
          for (const form of ['immediate', 'CL'] as const) {
            const modrm = 0xc0 + (SHIFT_NUMBERS[name] ?? 0) * 8;
            const code =
              form === 'CL' ? encode(0xd2, bits, modrm) : `${encode(0xc0, bits, modrm)}${hex(count)}`;
            const { state } = compute(code, { rax: old, rcx: BigInt(count) }, before);
            if (n === 0) {
              assert.equal(state.general.rax, bits === 32 ? a : old);
              assert.equal(state.rflags & ALL, before, 'a count of 0 keeps the flags');
              continue;
            }
            const expected = reference(a, n, carry ? 1n : 0n, bits);
            assert.equal(state.general.rax, merged(old, expected.value, bits), `${form}: value`);
            assert.equal(
              state.rflags & expected.defined,
              expected.flags & expected.defined,
              `${form}: flags`,
            );
            if (SHIFT_NUMBERS[name] !== undefined && SHIFT_NUMBERS[name] < 4)
              assert.equal(
                state.rflags & (SF | ZF | PF | AF),
                before & (SF | ZF | PF | AF),
                'rotates keep these',
              );
          }
        }),
        { numRuns: 80, seed: 7 },
      );
    });

for (const bits of WIDTHS) {
  const wide = (low: bigint, high: bigint): bigint =>
    bits === 8 ? low & 0xffffn : ((high & mask(bits)) << BigInt(bits)) | (low & mask(bits));

  test(`mul and imul of rAX, ${bits} bits`, () => {
    fc.assert(
      fc.property(operand(bits), operand(bits), (a, b) => {
        for (const isSigned of [false, true]) {
          const { state } = compute(
            encode(0xf6, bits, isSigned ? 0xeb : 0xe3),
            { rax: a, rbx: b, rdx: 0n },
            0n,
          );
          const exact = isSigned ? signed(a, bits) * signed(b, bits) : a * b;
          assert.equal(
            wide(state.general.rax, state.general.rdx),
            BigInt.asUintN(2 * bits, exact),
            `product, ${isSigned ? 'signed' : 'unsigned'}`,
          );
          const cut = isSigned ? exact !== signed(exact, bits) : exact > mask(bits);
          assert.equal(state.rflags & (CF | OF), cut ? CF | OF : 0n);
        }
      }),
      { numRuns: 80, seed: 7 },
    );
  });

  test(`div and idiv, ${bits} bits: quotient, remainder, #DE`, () => {
    fc.assert(
      fc.property(operand(bits), operand(bits), operand(bits), (low, high, divisor) => {
        for (const isSigned of [false, true]) {
          const registers =
            bits === 8
              ? { rax: (high << 8n) | low, rbx: divisor, rdx: 0n }
              : { rax: low, rdx: high, rbx: divisor };
          const fresh = new Lab({ mode: 'long' }).set(registers);
          const { fault, state } = fresh.run(encode(0xf6, bits, isSigned ? 0xfb : 0xf3));
          const whole = (high << BigInt(bits)) | low;
          const n = isSigned ? signed(whole, 2 * bits) : whole;
          const d = isSigned ? signed(divisor, bits) : divisor;
          const q = d === 0n ? null : n / d;
          const fits = q !== null && (isSigned ? q === signed(q, bits) : q <= mask(bits));
          if (!fits) {
            assert.equal(fault?.vector, 0);
            assert.equal(fault.state.general.rax, registers.rax, 'rAX is kept');
            continue;
          }
          assert.equal(fault, null);
          const [quotient, remainder] =
            bits === 8
              ? [state.general.rax & 0xffn, (state.general.rax >> 8n) & 0xffn]
              : [state.general.rax & mask(bits), state.general.rdx & mask(bits)];
          assert.equal(quotient, BigInt.asUintN(bits, q));
          assert.equal(remainder, BigInt.asUintN(bits, n % d));
        }
      }),
      { numRuns: 40, seed: 7 },
    );
  });
}

test('inc and dec keep CF', () => {
  for (const [code, start, expected] of [
    ['48ffc0', mask(64), 0n],
    ['48ffc8', 0n, mask(64)],
  ] as const)
    for (const carry of [0n, CF]) {
      const { state } = compute(code, { rax: start }, carry);
      assert.equal(state.general.rax, expected);
      assert.equal(state.rflags & CF, carry);
    }
});

test('imul by an immediate sets CF and OF where the product is cut', () => {
  for (const [a, b, cut] of [
    [0x7fffffffn, 2n, true],
    [0x3fffffffn, 2n, false],
    [0xffffffffn, 0x7fn, false],
  ] as const) {
    const { state } = compute(`6bc0${hex(Number(b))}`, { rax: a }, 0n);
    assert.equal(state.general.rax, BigInt.asUintN(32, signed(a, 32) * b));
    assert.equal(state.rflags & (CF | OF), cut ? CF | OF : 0n);
  }
});

for (const [title, code, registers, expected] of [
  [
    'shld by CL',
    '480fa5d8',
    { rax: 0x1122334455667788n, rbx: 0xaabbccddeeff0011n, rcx: 8n },
    0x22334455667788aan,
  ],
  ['shrd by 8', '480facd808', { rax: 0x1122334455667788n, rbx: 0xaabbccddeeff0011n }, 0x1111223344556677n],
  ['bswap', '480fc8', { rax: 0x0102030405060708n }, 0x0807060504030201n],
  ['bsf', '480fbcc3', { rbx: 0x80n }, 7n],
  ['bsr', '480fbdc3', { rbx: 0x80n }, 7n],
  ['bsf of 0 keeps the destination', '480fbcc3', { rax: 5n, rbx: 0n }, 5n],
  ['movsx', '480fbec3', { rbx: 0x80n }, 0xffffffffffffff80n],
  ['cdqe', '4898', { rax: 0x80000000n }, 0xffffffff80000000n],
  ['cmov not taken clears the upper half', '0f44c3', { rax: 0x1122334455667788n, rbx: 1n }, 0x55667788n],
  ['xadd', '480fc1d8', { rax: 5n, rbx: 7n }, 12n],
] as const)
  test(title, () => {
    const { state } = compute(code, { rcx: 0n, rbx: 0n, rax: 0n, ...registers }, 0n);
    assert.equal(state.general.rax, expected);
  });
