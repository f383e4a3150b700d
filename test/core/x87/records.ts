/** Random states and operands for one x87 instruction: an FXSAVE image, an operand in memory, flags. */
import type { Random } from '../oracle/random';
import { pairF32, pairF64 } from '../float/operands';
import type { Domain, X87Instruction } from './instructions';

/** In a record: the image before, the image after, the memory operand, EFLAGS before and after, RAX after. */
export const AFTER = 0x200;
export const OPERAND = 0x400;
export const FLAGS = 0x480;
export const FLAGS_AFTER = 0x488;
export const RAX_AFTER = 0x490;
export const RECORD = 0x4c0;

/** fxrstor [rsi]; push [rsi+480]; popfq; …; pushfq; pop [rsi+488]; mov [rsi+490], rax; fxsave [rsi+200]; next record. */
export const codeOf = ({ code }: X87Instruction): string => {
  const body = [
    '0fae0e',
    'ffb680040000',
    '9d',
    code,
    '9c',
    '8f8688040000',
    '48898690040000',
    '0fae8600020000',
    '4881c6c0040000',
    '48ffc9',
  ].join('');
  const back = -(body.length / 2 + 6);
  const displacement = Buffer.alloc(4);
  displacement.writeInt32LE(back);
  return `${body}0f85${displacement.toString('hex')}`;
};

const significand = (random: Random): bigint => {
  const wide = (BigInt(random.word()) << 32n) | BigInt(random.word());
  switch (random.below(7)) {
    case 0:
      return 0n;
    case 1:
      return (1n << 63n) - 1n - BigInt(random.below(3));
    case 2:
      return 1n << (wide % 63n);
    case 3:
      return ((1n << 63n) - (1n << (wide % 63n))) & ((1n << 63n) - 1n);
    case 4:
      // Ends where 24 or 53 bits end, and half a unit further.
      return wide & ~((1n << (random.oneIn(2) ? 39n : 10n)) - 1n) & ((1n << 63n) - 1n);
    default:
      return wide & ((1n << 63n) - 1n);
  }
};

function exponentOf(random: Random, domain: Domain, near: number): number {
  const bias = 0x3fff;
  switch (domain) {
    case 'unit':
      return random.oneIn(8) ? random.below(bias) : bias - 1 - random.below(70);
    case 'angle':
      return random.oneIn(8) ? random.below(bias) : bias + random.between(-68, 64);
    case 'near-one':
      return bias - 3 - random.below(70);
    case 'logarithm':
      return random.oneIn(3) ? bias - random.below(2) : random.below(0x7fff);
    case 'scale':
      if (random.oneIn(2)) return near + random.between(-4, 80);
      break;
    case 'any':
  }
  switch (random.below(7)) {
    case 0:
      return random.below(3);
    case 1:
      return 0x7fff - random.below(3);
    case 2:
      return bias + random.between(-40, 70);
    case 3:
      return near + random.between(-3, 3);
    case 4:
      return 2 * bias - near + random.between(-70, 3);
    case 5:
      // At the ends of the formats in memory.
      return (
        bias + random.pick([-1074, -1022, -149, -126, 127, 1023, 15, 31, 63, 59]) + random.between(-3, 3)
      );
    default:
      return random.below(0x8000);
  }
}

/** Sign and exponent, and significand. */
function numberOf(random: Random, domain: Domain, near: number): readonly [number, bigint] {
  const exponent = Math.min(Math.max(exponentOf(random, domain, near), 0), 0x7fff);
  let integer = exponent === 0 ? 0n : 1n;
  // Pseudo-denormals, unnormals, pseudo-infinities and pseudo-NaNs.
  if (domain === 'any' && random.oneIn(16)) integer ^= 1n;
  return [(random.below(2) << 15) | exponent, (integer << 63n) | significand(random)];
}

function putNumber(view: DataView, at: number, [head, bits]: readonly [number, bigint]): void {
  view.setBigUint64(at, bits, true);
  view.setUint16(at + 8, head, true);
}

function controlWord(random: Random): number {
  const masks = random.oneIn(4) ? random.below(64) : 63;
  return (random.below(4) << 10) | (random.below(4) << 8) | 0x40 | masks;
}

function tags(random: Random, top: number, pushes: boolean): number {
  const last = 1 << ((top + 7) & 7);
  if (random.oneIn(6)) return random.below(256);
  return pushes !== random.oneIn(10) ? 0xff & ~last : 0xff;
}

/** An FXSAVE image without XMM registers; for an instruction, one with operands of its domain. */
export function putState(
  random: Random,
  view: DataView,
  instruction: Pick<X87Instruction, 'domain' | 'pushes'>,
): void {
  const control = controlWord(random);
  const top = random.below(8);
  // Exceptions that are masked may be set already.
  const flags = random.oneIn(3) ? random.below(64) & control : 0;
  const status = (random.word() & 0x4700) | (top << 11) | flags;
  view.setUint16(0, control, true);
  view.setUint16(2, status, true);
  view.setUint8(4, tags(random, top, instruction.pushes === true));
  view.setUint32(24, 0x1f80, true);
  const domain = instruction.domain ?? 'any';
  let near = 0x3fff;
  // ST(1) first: it is the scale or the divisor that ST(0) goes with.
  for (const i of [1, 0, 2, 3, 4, 5, 6, 7]) {
    let number = numberOf(random, i === 0 && !random.oneIn(16) ? domain : 'any', near);
    if (i === 1 && domain === 'scale' && random.oneIn(2))
      number = [(number[0] & 0x8000) | (0x3fff + random.between(-1, 17)), number[1] | (1n << 63n)];
    near = number[0] & 0x7fff;
    putNumber(view, 32 + 16 * i, number);
  }
}

function digits(random: Random): bigint {
  let value = 0n;
  for (let i = 0; i < 18; i++) value = (value << 4n) | BigInt(random.below(10));
  return random.oneIn(4) ? 0n : value;
}

function putOperand(random: Random, view: DataView, { memory }: X87Instruction): void {
  switch (memory) {
    case 'm32':
      view.setUint32(OPERAND, Number(random.pick(pairF32(random))), true);
      return;
    case 'm64':
      view.setBigUint64(OPERAND, random.pick(pairF64(random)), true);
      return;
    case 'm80':
      putNumber(view, OPERAND, numberOf(random, 'any', 0x3fff));
      return;
    case 'bcd': {
      const value = digits(random);
      view.setBigUint64(OPERAND, BigInt.asUintN(64, value), true);
      view.setUint16(OPERAND + 8, Number(value >> 64n) | (random.below(2) << 15), true);
      return;
    }
    case 'control':
      view.setUint16(OPERAND, random.word() & 0xffff, true);
      return;
    case 'environment':
    case 'state':
      for (let i = 0; i < 108; i += 4) view.setUint32(OPERAND + i, random.word(), true);
      return;
    default: {
      const bits = memory === 'i16' ? 16 : memory === 'i32' ? 32 : 64;
      view.setBigUint64(OPERAND, random.value(bits), true);
    }
  }
}

/** A record before the instruction runs. */
export function putRecord(random: Random, view: DataView, instruction: X87Instruction): void {
  putState(random, view, instruction);
  putOperand(random, view, instruction);
  view.setUint32(FLAGS, (random.word() & 0x8d5) | 2, true);
}
