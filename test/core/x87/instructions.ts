/** Every x87 instruction that computes, for the comparison with the host's CPU. */

/** What the memory operand is, or how many registers an instruction looks at. */
export type MemoryOperand =
  'm32' | 'm64' | 'm80' | 'i16' | 'i32' | 'i64' | 'bcd' | 'control' | 'environment' | 'state';

/** Where operands lie that a function is defined for; `any` is every bit pattern. */
export type Domain = 'any' | 'unit' | 'angle' | 'logarithm' | 'near-one' | 'scale';

export interface X87Instruction {
  readonly name: string;
  /** Bytes in hex; of a memory form the opcode and ModRM.reg only. */
  readonly code: string;
  readonly memory?: MemoryOperand;
  readonly domain?: Domain;
  /** Computed by a series: vendors differ in the last bits. */
  readonly series?: true;
  /** Needs the arithmetic flags. */
  readonly flags?: true;
  /** Pushes: a free register is the usual case. */
  readonly pushes?: true;
}

const memory = (name: string, opcode: number, reg: number, operand: MemoryOperand): X87Instruction => ({
  name: `${name} ${operand}`,
  // [RSI + 0x400].
  code: Buffer.from([opcode, 0x86 | (reg << 3), 0, 4, 0, 0]).toString('hex'),
  memory: operand,
  ...(/^f(ld|ild|bld)$/.test(name) ? { pushes: true } : {}),
});
const plain = (name: string, code: string, more: Partial<X87Instruction> = {}): X87Instruction => ({
  name,
  code,
  ...more,
});
const byte = (value: number): string => value.toString(16).padStart(2, '0');
/** The forms with ST(0), ST(1) and ST(5) of a group that begins at `modrm`. */
const stack = (
  name: string,
  opcode: string,
  modrm: number,
  more: Partial<X87Instruction> = {},
): X87Instruction[] => [0, 1, 5].map((i) => plain(`${name} st(${i})`, opcode + byte(modrm + i), more));

const ARITHMETIC = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'] as const;
const SOURCES = [
  [0xd8, 'm32', ''],
  [0xdc, 'm64', ''],
  [0xda, 'i32', 'i'],
  [0xde, 'i16', 'i'],
] as const;

export const X87_INSTRUCTIONS: readonly X87Instruction[] = [
  ...SOURCES.flatMap(([opcode, operand, letter]) =>
    ARITHMETIC.map((name, reg) => memory(name.replace('f', `f${letter}`), opcode, reg, operand)),
  ),
  ...ARITHMETIC.flatMap((name, reg) => stack(name, 'd8', 0xc0 + 8 * reg)),
  ...stack('fadd to', 'dc', 0xc0),
  ...stack('fmul to', 'dc', 0xc8),
  ...stack('fcom2', 'dc', 0xd0),
  ...stack('fcomp3', 'dc', 0xd8),
  ...stack('fsubr to', 'dc', 0xe0),
  ...stack('fsub to', 'dc', 0xe8),
  ...stack('fdivr to', 'dc', 0xf0),
  ...stack('fdiv to', 'dc', 0xf8),
  ...stack('faddp', 'de', 0xc0),
  ...stack('fmulp', 'de', 0xc8),
  ...stack('fcomp5', 'de', 0xd0),
  plain('fcompp', 'ded9'),
  ...stack('fsubrp', 'de', 0xe0),
  ...stack('fsubp', 'de', 0xe8),
  ...stack('fdivrp', 'de', 0xf0),
  ...stack('fdivp', 'de', 0xf8),

  memory('fld', 0xd9, 0, 'm32'),
  memory('fld', 0xdd, 0, 'm64'),
  memory('fld', 0xdb, 5, 'm80'),
  memory('fst', 0xd9, 2, 'm32'),
  memory('fst', 0xdd, 2, 'm64'),
  memory('fstp', 0xd9, 3, 'm32'),
  memory('fstp', 0xdd, 3, 'm64'),
  memory('fstp', 0xdb, 7, 'm80'),
  memory('fild', 0xdf, 0, 'i16'),
  memory('fild', 0xdb, 0, 'i32'),
  memory('fild', 0xdf, 5, 'i64'),
  memory('fist', 0xdf, 2, 'i16'),
  memory('fist', 0xdb, 2, 'i32'),
  memory('fistp', 0xdf, 3, 'i16'),
  memory('fistp', 0xdb, 3, 'i32'),
  memory('fistp', 0xdf, 7, 'i64'),
  memory('fisttp', 0xdf, 1, 'i16'),
  memory('fisttp', 0xdb, 1, 'i32'),
  memory('fisttp', 0xdd, 1, 'i64'),
  memory('fbld', 0xdf, 4, 'bcd'),
  memory('fbstp', 0xdf, 6, 'bcd'),
  ...stack('fld', 'd9', 0xc0, { pushes: true }),
  ...stack('fxch', 'd9', 0xc8),
  ...stack('fxch4', 'dd', 0xc8),
  ...stack('fxch7', 'df', 0xc8),
  ...stack('fst', 'dd', 0xd0),
  ...stack('fstp', 'dd', 0xd8),
  ...stack('fstp1', 'd9', 0xd8),
  ...stack('fstp8', 'df', 0xd0),
  ...stack('fstp9', 'df', 0xd8),

  plain('fnop', 'd9d0'),
  plain('fchs', 'd9e0'),
  plain('fabs', 'd9e1'),
  plain('ftst', 'd9e4'),
  plain('fxam', 'd9e5'),
  ...['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'].map((name, i) =>
    plain(name, `d9${byte(0xe8 + i)}`, { pushes: true }),
  ),
  plain('fxtract', 'd9f4', { pushes: true }),
  plain('fprem1', 'd9f5', { domain: 'scale' }),
  plain('fdecstp', 'd9f6'),
  plain('fincstp', 'd9f7'),
  plain('fprem', 'd9f8', { domain: 'scale' }),
  plain('fsqrt', 'd9fa'),
  plain('frndint', 'd9fc'),
  plain('fscale', 'd9fd', { domain: 'scale' }),

  ...['fcmovb', 'fcmove', 'fcmovbe', 'fcmovu'].map((name, i) =>
    plain(`${name} st(1)`, `da${byte(0xc1 + 8 * i)}`, { flags: true }),
  ),
  ...['fcmovnb', 'fcmovne', 'fcmovnbe', 'fcmovnu'].map((name, i) =>
    plain(`${name} st(3)`, `db${byte(0xc3 + 8 * i)}`, { flags: true }),
  ),
  plain('fucompp', 'dae9'),
  ...stack('fucom', 'dd', 0xe0),
  ...stack('fucomp', 'dd', 0xe8),
  ...stack('fucomi', 'db', 0xe8),
  ...stack('fcomi', 'db', 0xf0),
  ...stack('fucomip', 'df', 0xe8),
  ...stack('fcomip', 'df', 0xf0),
  ...stack('ffree', 'dd', 0xc0),
  ...stack('ffreep', 'df', 0xc0),

  plain('fneni', 'dbe0'),
  plain('fndisi', 'dbe1'),
  plain('fnclex', 'dbe2'),
  plain('fninit', 'dbe3'),
  plain('fnsetpm', 'dbe4'),
  plain('fnstsw ax', 'dfe0'),
  memory('fnstcw', 0xd9, 7, 'control'),
  memory('fldcw', 0xd9, 5, 'control'),
  memory('fnstsw', 0xdd, 7, 'control'),
  memory('fnstenv', 0xd9, 6, 'environment'),
  memory('fldenv', 0xd9, 4, 'environment'),
  memory('fnsave', 0xdd, 6, 'state'),
  memory('frstor', 0xdd, 4, 'state'),

  plain('f2xm1', 'd9f0', { domain: 'unit', series: true }),
  plain('fyl2x', 'd9f1', { domain: 'logarithm', series: true }),
  plain('fptan', 'd9f2', { domain: 'angle', series: true, pushes: true }),
  plain('fpatan', 'd9f3', { series: true }),
  plain('fyl2xp1', 'd9f9', { domain: 'near-one', series: true }),
  plain('fsincos', 'd9fb', { domain: 'angle', series: true, pushes: true }),
  plain('fsin', 'd9fe', { domain: 'angle', series: true }),
  plain('fcos', 'd9ff', { domain: 'angle', series: true }),
];
