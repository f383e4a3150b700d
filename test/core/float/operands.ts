/** Bit patterns where floating-point arithmetic has its corners, of 32 and 64 bits. */
import type { Random } from '../oracle/random';

interface Format {
  readonly exponentBits: bigint;
  readonly fractionBits: bigint;
}
const F32: Format = { exponentBits: 8n, fractionBits: 23n };
const F64: Format = { exponentBits: 11n, fractionBits: 52n };

function fractionOf(random: Random, bits: bigint): bigint {
  const all = (1n << bits) - 1n;
  const wide = (BigInt(random.word()) << 32n) | BigInt(random.word());
  switch (random.below(6)) {
    case 0:
      return 0n;
    case 1:
      return random.oneIn(2) ? all : all - BigInt(random.below(4));
    case 2:
      return 1n << (wide % bits);
    case 3:
      return ((1n << bits) - (1n << (wide % bits))) & all;
    default:
      return wide & all;
  }
}

function numberOf(random: Random, { exponentBits, fractionBits }: Format, near: bigint | null): bigint {
  const greatest = (1n << exponentBits) - 1n;
  const bias = greatest >> 1n;
  let exponent: bigint;
  switch (random.below(8)) {
    case 0:
      exponent = BigInt(random.below(3));
      break;
    case 1:
      exponent = greatest - BigInt(random.below(3));
      break;
    case 2:
    case 3:
      exponent = bias + BigInt(random.between(-40, 70));
      break;
    case 4:
    case 5:
      // Near the other operand, so that sums cancel and quotients are close to 1.
      exponent = (near ?? bias) + BigInt(random.between(-3, 3));
      break;
    case 6:
      // Products and quotients at the end of the range.
      exponent = (near === null ? bias : bias + bias - near) + BigInt(random.between(-60, 3));
      break;
    default:
      exponent = BigInt(random.word()) & greatest;
  }
  if (exponent < 0n) exponent = 0n;
  if (exponent > greatest) exponent = greatest;
  return (
    (BigInt(random.below(2)) << (exponentBits + fractionBits)) |
    (exponent << fractionBits) |
    fractionOf(random, fractionBits)
  );
}

function pair(random: Random, format: Format): [bigint, bigint] {
  const a = numberOf(random, format, null);
  const exponent = (a >> format.fractionBits) & ((1n << format.exponentBits) - 1n);
  return [a, random.oneIn(12) ? a : numberOf(random, format, exponent)];
}

export const pairF32 = (random: Random): [bigint, bigint] => pair(random, F32);
export const pairF64 = (random: Random): [bigint, bigint] => pair(random, F64);
