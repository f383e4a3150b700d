/** Random instructions of MMX to SSE4.1 with random states, as requests of ../oracle/host/vectors.c. */
import type { Random } from '../oracle/random';

/** Layout of a request, and of an answer, whose first 16 bytes are vector, error code and CR2. */
export const RECORD = 752;
export const LENGTH = 15;
export const GENERAL = 16;
/** RFLAGS takes the place of RSP. */
export const FLAGS = GENERAL + 4 * 8;
export const FX = 144;
export const MEMORY = 656;

export const DATA = 0x200000;
export const CODE = 0x210800;
/** The parts of memory that a request fills. */
export const WINDOWS = [
  { start: DATA + 0xfe0, size: 64 },
  { start: DATA + 0x1fe0, size: 32 },
] as const;

const F32_EDGES = [
  0x00000000, 0x00000001, 0x007fffff, 0x00800000, 0x00800001, 0x34000000, 0x3effffff, 0x3f000000, 0x3f800000, 0x3f800001,
  0x3fc00000, 0x40200000, 0x4effffff, 0x4f000000, 0x4f000001, 0x5effffff, 0x5f000000, 0x7f000000, 0x7f7fffff, 0x7f800000,
  0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fc12345, 0x7fffffff, 0x20000000, 0x1f800000, 0x00400000,
] as const; // prettier-ignore
const F64_EDGES = [
  0x0000000000000000n, 0x0000000000000001n, 0x000fffffffffffffn, 0x0010000000000000n, 0x0010000000000001n,
  0x3690000000000000n, 0x36a0000000000000n, 0x380fffffffffffffn, 0x3810000000000000n, 0x380fffffe0000000n,
  0x3fe0000000000000n, 0x3ff0000000000000n, 0x3ff0000000000001n, 0x3ff8000000000000n, 0x4004000000000000n,
  0x41dfffffffc00000n, 0x41dfffffffe00000n, 0x41e0000000000000n, 0xc1e0000000000000n, 0xc1e0000000100000n,
  0x43dfffffffffffffn, 0x43e0000000000000n, 0x47efffffe0000000n, 0x47effffff0000000n, 0x47f0000000000000n,
  0x7fefffffffffffffn, 0x7ff0000000000000n, 0x7ff0000000000001n, 0x7ff8000000000000n, 0x7ff8123456789abcn,
  0x1ff0000000000000n, 0x0008000000000000n,
] as const; // prettier-ignore

/** Opcodes by map: behind 0F, 0F 38 and 0F 3A. In the first map's ranges what doesn't exist is tried as well. */
const RANGES: readonly (readonly [map: number, ...ranges: (readonly [from: number, to: number])[]])[] = [
  [0, [0x10, 0x17], [0x28, 0x2f], [0x50, 0x7f], [0xc2, 0xc2], [0xc4, 0xc6], [0xd0, 0xfe]],
  [
    0x38,
    [0x00, 0x0b],
    [0x10, 0x10],
    [0x14, 0x15],
    [0x17, 0x17],
    [0x1c, 0x1e],
    [0x20, 0x25],
    [0x28, 0x2b],
    [0x30, 0x35],
  ],
  [0x38, [0x38, 0x41]],
  [0x3a, [0x08, 0x0f], [0x14, 0x17], [0x20, 0x22], [0x40, 0x42]],
];
const OPCODES = RANGES.flatMap(([map, ...ranges]) =>
  ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => ({ map, opcode: from + i })),
  ),
);
const PREFIXES = [
  '',
  '',
  '',
  '66',
  '66',
  '66',
  'f3',
  'f3',
  'f2',
  'f2',
  '66f3',
  'f266',
  'f2f3',
  'f3f2',
] as const;
const WITH_IMMEDIATE = new Set([0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6]);

const prefixBytes = (text: string): number[] =>
  Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));

export interface CaseOptions {
  /** The host has AMD's misaligned SSE mode. */
  readonly misaligned: boolean;
}

export class CaseMaker {
  constructor(
    private readonly random: Random,
    private readonly options: CaseOptions,
  ) {}

  /** Writes one request into `record`. */
  make(record: Uint8Array): void {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const { random } = this;
    for (let i = 0; i < 16; i++)
      view.setBigUint64(GENERAL + 8 * i, random.value(random.pick([8, 32, 64])), true);
    // Arithmetic flags and AC.
    const flags = (random.word() & 0x8d5) | 2 | (random.oneIn(8) ? 0x40000 : 0);
    view.setBigUint64(FLAGS, BigInt(flags), true);
    this.writeFx(record.subarray(FX, FX + 512));
    for (let at = MEMORY; at < RECORD; at += 16) this.writeVector(record.subarray(at, at + 16));
    this.writeCode(record, view);
  }

  private writeFx(fx: Uint8Array): void {
    const { random } = this;
    const view = new DataView(fx.buffer, fx.byteOffset, fx.byteLength);
    fx.fill(0);
    const pending = random.oneIn(40);
    // An unmasked exception (here: precision) makes ES and B one.
    view.setUint16(0, pending ? 0x35f : 0x37f, true);
    view.setUint16(2, (random.word() & 0x7f00) | (pending ? 0x80a0 : random.word() & 0x3f), true);
    fx[4] = random.word();
    view.setUint32(24, this.mxcsr(), true);
    for (let i = 0; i < 8; i++) {
      this.writeVector(fx.subarray(32 + 16 * i, 48 + 16 * i));
      fx.fill(0, 42 + 16 * i, 48 + 16 * i);
    }
    for (let i = 0; i < 16; i++) this.writeVector(fx.subarray(160 + 16 * i, 176 + 16 * i));
  }

  private mxcsr(): number {
    const { random } = this;
    if (random.oneIn(4)) return 0x1f80;
    const control = random.word() & 0xe040;
    const flags = random.oneIn(2) ? random.word() & 0x3f : 0;
    const masks = random.oneIn(3) ? random.word() & random.pick([0x1f80, 0x1000, 0x1e00]) : 0x1f80;
    const misaligned = this.options.misaligned && random.oneIn(10) ? 0x20000 : 0;
    return control | flags | masks | misaligned;
  }

  private single(): number {
    const { random } = this;
    const sign = (random.word() & 0x80000000) >>> 0;
    if (random.oneIn(2)) return (random.pick(F32_EDGES) | sign) >>> 0;
    // Exponents near one another, so that additions have something to round.
    const exponent = random.oneIn(3) ? random.below(256) : random.between(120, 136);
    const fraction = random.oneIn(3) ? random.word() & 0x7f0000 : random.word() & 0x7fffff;
    return (sign | (exponent << 23) | fraction) >>> 0;
  }
  private double(): bigint {
    const { random } = this;
    const sign = BigInt(random.word() >>> 31) << 63n;
    if (random.oneIn(2)) return random.pick(F64_EDGES) | sign;
    const exponent = random.oneIn(3)
      ? random.below(2048)
      : random.oneIn(4)
        ? random.between(870, 900)
        : random.between(1015, 1090);
    const fraction = ((BigInt(random.word()) << 32n) | BigInt(random.word())) & 0xfffffffffffffn;
    return sign | (BigInt(exponent) << 52n) | (random.oneIn(3) ? fraction & 0xffffe00000000n : fraction);
  }

  /** 16 bytes: numbers of one kind. */
  private writeVector(bytes: Uint8Array): void {
    const { random } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const kind = random.below(8);
    if (kind < 3) for (let i = 0; i < 16; i += 4) view.setUint32(i, this.single(), true);
    else if (kind < 5) for (let i = 0; i < 16; i += 8) view.setBigUint64(i, this.double(), true);
    else if (kind === 5) {
      // Counts and masks: mostly zeros.
      bytes.fill(0);
      for (let n = random.below(4); n >= 0; n--)
        bytes[random.below(16)] = random.pick([1, 7, 15, 31, 64, 0x80, 0xff]);
    } else if (kind === 6) {
      for (let i = 0; i < 16; i++) bytes[i] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.word() & 0xff]);
    } else for (let i = 0; i < 16; i += 4) view.setUint32(i, random.word(), true);
  }

  private target(): number {
    const { random } = this;
    const [border, end] = WINDOWS;
    if (random.oneIn(5)) return border.start + random.below(border.size - 15);
    if (random.oneIn(10)) return end.start + random.below(end.size + 8);
    return random.pick([
      border.start,
      border.start + 16,
      border.start + 32,
      border.start + 48,
      end.start,
      end.start + 16,
    ]);
  }

  private writeCode(record: Uint8Array, view: DataView): void {
    const { random } = this;
    const { map, opcode: last } = random.pick(OPCODES);
    const opcode = (map << 8) | last;
    const code = prefixBytes(random.pick(PREFIXES));
    const rex = random.oneIn(2) ? 0x40 | random.below(16) : 0;
    if (rex) code.push(rex);
    code.push(0x0f, ...(map ? [map] : []), last);
    const immediate =
      map === 0x3a || WITH_IMMEDIATE.has(opcode)
        ? [random.oneIn(2) ? random.below(66) : random.word() & 0xff]
        : [];
    const memory = random.oneIn(2) && opcode !== 0xf7;
    const reg = this.registerNumber(rex & 4);
    const target = this.target();
    if (opcode === 0xf7) view.setBigUint64(GENERAL + 8 * 7, BigInt(target), true);
    // EMMS has no ModRM byte.
    if (opcode === 0x77) immediate.length = 0;
    else if (!memory) code.push(0xc0 | ((reg & 7) << 3) | this.registerNumber(rex & 1));
    else if (random.oneIn(4)) {
      code.push(5 | ((reg & 7) << 3));
      const displacement = target - (CODE + code.length + 4 + immediate.length);
      code.push(...[0, 8, 16, 24].map((shift) => (displacement >> shift) & 0xff));
    } else {
      const base = random.pick([1, 3, 6, 7]);
      const displacement = random.between(-128, 127);
      code.push(0x40 | ((reg & 7) << 3) | base, displacement & 0xff);
      const register = base | ((rex & 1) << 3);
      view.setBigUint64(GENERAL + 8 * register, BigInt(target - displacement), true);
    }
    code.push(...immediate);
    record.set(code);
    record[LENGTH] = code.length;
  }

  /** Not 4 where REX adds nothing: that could be RSP. */
  private registerNumber(extended: number): number {
    const number = this.random.below(8);
    return number === 4 && !extended ? 5 : number;
  }
}
