/** Random operands of an instruction, in NASM's words, and the instructions that make them usable. */
import type { Random } from './random';

/** Code segment size. */
export type Bits = 16 | 32 | 64;
export type Width = 8 | 16 | 32 | 64;

/** Scratch memory as in images/torture.mac: operands lie well inside, so that string instructions stay inside too. */
export const SCRATCH = 0x5000;
export const FIRST = SCRATCH + 32;
export const SPAN = 56;

const NAMES = ['a', 'c', 'd', 'b', 'sp', 'bp', 'si', 'di'];
export const WORDS: Record<Width, string> = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword' };
const SP = 4;

/** NASM's name of a register; numbers 4 to 7 with width 8 are the low bytes that need REX (spl to dil). */
export function registerName(number: number, width: Width): string {
  if (number >= 8) return `r${number}${{ 8: 'b', 16: 'w', 32: 'd', 64: '' }[width]}`;
  const name = NAMES[number] as string;
  if (width === 8) return `${name}l`;
  const wide = number < 4 ? `${name}x` : name;
  return { 16: '', 32: 'e', 64: 'r' }[width] + wide;
}

/** Makes the operands of one instruction after the other. */
export class Operands {
  private readonly before: string[] = [];
  private labels = 0;
  /** In 64-bit code: r8 to r15 and spl to dil, else ah to bh. One instruction cannot have both. */
  private rex = false;
  /** The template's wish, for one instruction. */
  ripRelative = true;

  constructor(
    readonly bits: Bits,
    readonly random: Random,
  ) {}

  /** Forgets what the last instruction needed; half of all instructions of 64-bit code use the upper registers. */
  begin(): void {
    this.before.length = 0;
    this.ripRelative = true;
    this.rex = this.bits === 64 && this.random.oneIn(2);
  }

  /** What has to run before the instruction, in order. */
  get preparation(): readonly string[] {
    return this.before;
  }

  setup(line: string): void {
    this.before.push(line);
  }

  label(): string {
    return `.l${this.labels++}`;
  }

  /** Widest general register of the mode. */
  get native(): Width {
    return this.bits === 64 ? 64 : 32;
  }

  width(...allowed: readonly Width[]): Width {
    const some = allowed.length > 0 ? allowed : ([8, 16, 32, 64] as const);
    return this.random.pick(some.filter((width) => width <= this.native));
  }

  /** Number of a general register other than the stack pointer. */
  number(avoid: readonly number[] = []): number {
    const count = this.rex ? 16 : 8;
    for (;;) {
      const number = this.random.below(count);
      if (number !== SP && !avoid.includes(number)) return number;
    }
  }

  /** A register of that width, often with a fresh value. */
  register(width: Width, avoid: readonly number[] = []): string {
    if (width === 8 && !this.rex) {
      const choices = [0, 1, 2, 3].filter((number) => !avoid.includes(number));
      const number = this.random.pick(choices);
      this.freshen(number);
      return 'acdb'[number] + this.random.pick(['l', 'h']);
    }
    const number = this.number(avoid);
    this.freshen(number);
    return registerName(number, width);
  }

  private freshen(number: number): void {
    if (this.random.oneIn(2)) this.set(number, this.random.value(this.native));
  }

  /** Loads a value into the full register. */
  set(number: number, value: bigint): void {
    this.setup(`mov ${registerName(number, this.native)}, ${hex(value)}`);
  }

  immediate(width: Width): string {
    // 64-bit instructions take 32 bits, sign-extended.
    if (width === 64) return signed(this.random.value(32), 32);
    if (width !== 8 && this.random.oneIn(3)) return signed(this.random.value(8), 8);
    return hex(this.random.value(width));
  }

  /** A memory operand inside the scratch area, `byte [...]`; the registers that it needs are loaded before. */
  memory(width: Width, avoid: readonly number[] = [], aligned = 1): string {
    const at = FIRST + Math.floor(this.random.below(SPAN) / aligned) * aligned;
    return `${WORDS[width]} [${this.segment()}${this.address(at, avoid)}]`;
  }

  private segment(): string {
    return this.random.oneIn(12) ? `${this.random.pick(['es', 'ds', 'ss', 'fs', 'gs'])}:` : '';
  }

  /** An expression whose value is `at`, of the mode's address size or of the other. */
  address(at: number, avoid: readonly number[]): string {
    const other = this.random.oneIn(5);
    if (this.bits === 16 ? !other : this.bits === 32 && other) return this.address16(at, avoid);
    const size: Width = this.bits === 64 && !other ? 64 : 32;
    return this.address32(at, size, avoid);
  }

  private address16(at: number, avoid: readonly number[]): string {
    const forms = ['', 'bx', 'bp', 'si', 'di', 'bx+si', 'bx+di', 'bp+si', 'bp+di'];
    const usable = forms.filter(
      (form) =>
        form === '' ||
        form
          .split('+')
          .every((name) => !avoid.includes(['', '', '', 'bx', '', 'bp', 'si', 'di'].indexOf(name))),
    );
    const form = this.random.pick(usable);
    if (form === '') return `word ${hex(BigInt(at))}`;
    const displacement = this.random.pick([
      0,
      this.random.between(-128, 127),
      this.random.between(-1000, 1000),
    ]);
    const names = form.split('+');
    let rest = at - displacement;
    names.forEach((name, index) => {
      const number = name === 'bx' ? 3 : name === 'bp' ? 5 : name === 'si' ? 6 : 7;
      const value = index === names.length - 1 ? rest : this.random.below(0x10000);
      rest -= value;
      // The upper half must not matter.
      this.set(number, (BigInt(this.random.word()) & 0xffff0000n) | (BigInt(value) & 0xffffn));
    });
    return `${form}${plus(displacement)}`;
  }

  private address32(at: number, size: Width, avoid: readonly number[]): string {
    const displacement = this.random.pick([
      0,
      this.random.between(-128, 127),
      this.random.between(-1000, 1000),
    ]);
    const shape = this.random.below(this.ripRelative && size === 64 ? 5 : 4);
    if (shape === 4) return `rel image_start - IMAGE_START + ${hex(BigInt(at))}`;
    // In 16-bit code a 32-bit offset must still be below 64 KiB, as the limit is; no wrapping there.
    if (shape === 0)
      return `${this.bits === 16 ? 'dword' : this.bits === 64 ? 'abs' : ''} ${hex(BigInt(at))}`;
    const mask = size === 64 ? 0xffffffffffffffffn : 0xffffffffn;
    const garbage = size === 32 && this.bits === 64 ? BigInt(this.random.word()) << 32n : 0n;
    const base = this.number(avoid);
    if (shape === 1) {
      this.set(base, (BigInt(at - displacement) & mask) | garbage);
      return `${registerName(base, size)}${plus(displacement)}`;
    }
    const index = this.number([...avoid, base]);
    const scale = this.random.pick([1, 2, 4, 8]);
    const steps = this.random.between(-9, 9);
    this.set(index, (BigInt(steps) & mask) | garbage);
    if (shape === 2) {
      this.set(base, (BigInt(at - displacement - steps * scale) & mask) | garbage);
      return `${registerName(base, size)}+${registerName(index, size)}*${scale}${plus(displacement)}`;
    }
    return `${registerName(index, size)}*${scale}${plus(at - steps * scale)}`;
  }

  /** A register or a memory operand. */
  place(width: Width, avoid: readonly number[] = []): string {
    return this.random.oneIn(2) ? this.register(width, avoid) : this.memory(width, avoid);
  }

  lock(destination: string): string {
    return destination.includes('[') && this.random.oneIn(6) ? 'lock ' : '';
  }
}

export const hex = (value: bigint): string => `0x${value.toString(16)}`;
const plus = (value: number): string => (value === 0 ? '' : value < 0 ? `-${-value}` : `+${value}`);
export const signed = (value: bigint, bits: number): string => {
  const wide = BigInt.asIntN(bits, value);
  return wide < 0n ? `-0x${(-wide).toString(16)}` : hex(wide);
};
