/** Encodings that sequences are made of: opcode, operand form, and where they may run. */
import type { Mode } from '../stepper/stage';

export type Form =
  /** ModRM: register or memory with register. */
  | 'rm'
  /** ModRM with memory only, or with registers only. */
  | 'm'
  | 'rr'
  /** Register in the opcode. */
  | 'r'
  /** No operand bytes. */
  | 'none'
  /** An absolute address of the address size. */
  | 'moffs';

export interface Template {
  readonly name: string;
  /** Opcode bytes, 0F among them. */
  readonly opcode: readonly number[];
  readonly form: Form;
  /** Digit of ModRM.reg; any register otherwise. */
  readonly digit?: number;
  /** Bytes of the immediate; `z` is 2 or 4 by operand size, `v` also 8. */
  readonly immediate?: 1 | 2 | 'z' | 'v';
  /** 8 bits; the opcode's sibling with bit 0 set is the wide one, which is made too. */
  readonly byte?: boolean;
  /** LOCK is legal with memory. */
  readonly lock?: boolean;
  /** Fixed prefix. */
  readonly prefix?: number;
  /** Bytes of the memory operand, where not the operand size. */
  readonly size?: 1 | 2 | 4 | 8 | 16;
  /** The operand size does not follow 66. */
  readonly fixed?: boolean;
  readonly where?: (mode: Mode) => boolean;
  /** Registers by number that are loaded before: small counts, pointers into the data. */
  readonly load?: Readonly<Record<number, 'pointer' | 'count' | 'small'>>;
}

const legacy = ({ bits }: Mode): boolean => bits !== 64;
const long = ({ bits }: Mode): boolean => bits === 64;
const user = ({ cpl }: Mode): boolean => cpl === 3;
const kernel = ({ cpl }: Mode): boolean => cpl === 0;
const protectedKernel = (mode: Mode): boolean => mode.cpl === 0 && mode.real === undefined;

/** Both widths of an opcode whose bit 0 chooses. */
function both(
  template: Omit<Template, 'byte'> & { readonly opcode: readonly number[] },
): readonly Template[] {
  const last = template.opcode.at(-1) as number;
  const wide = [...template.opcode.slice(0, -1), last | 1];
  return [
    { ...template, byte: true },
    { ...template, opcode: wide },
  ];
}
const wideImmediate = (templates: readonly Template[]): readonly Template[] =>
  templates.map((each) => ({ ...each, immediate: each.byte === true ? 1 : 'z' }));

const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];

const arithmetic: readonly Template[] = ALU.flatMap((name, number) => {
  const lock = name !== 'cmp';
  return [
    ...both({ name, opcode: [number * 8], form: 'rm', lock }),
    ...both({ name, opcode: [number * 8 + 2], form: 'rm' }),
    ...wideImmediate(both({ name, opcode: [number * 8 + 4], form: 'none' })),
    ...wideImmediate(both({ name, opcode: [0x80], digit: number, form: 'rm', lock })),
    { name, opcode: [0x83], digit: number, form: 'rm', immediate: 1, lock },
  ];
});

const shifts: readonly Template[] = SHIFTS.flatMap((name, digit) => [
  ...both({ name, opcode: [0xc0], digit, form: 'rm', immediate: 1 }),
  ...both({ name, opcode: [0xd0], digit, form: 'rm' }),
  ...both({ name, opcode: [0xd2], digit, form: 'rm', load: { 1: 'small' } }),
]);

const unary: readonly Template[] = [
  ...['not', 'neg'].flatMap((name, i) =>
    both({ name, opcode: [0xf6], digit: i + 2, form: 'rm', lock: true }),
  ),
  ...['mul', 'imul', 'div', 'idiv'].flatMap((name, i) =>
    both({ name, opcode: [0xf6], digit: i + 4, form: 'rm' }),
  ),
  ...wideImmediate(both({ name: 'test', opcode: [0xf6], digit: 0, form: 'rm' })),
  ...['inc', 'dec'].flatMap((name, digit) => both({ name, opcode: [0xfe], digit, form: 'rm', lock: true })),
  { name: 'inc', opcode: [0x40], form: 'r', where: legacy },
  { name: 'dec', opcode: [0x48], form: 'r', where: legacy },
];

const moves: readonly Template[] = [
  ...both({ name: 'mov', opcode: [0x88], form: 'rm' }),
  ...both({ name: 'mov', opcode: [0x8a], form: 'rm' }),
  ...wideImmediate(both({ name: 'mov', opcode: [0xc6], digit: 0, form: 'rm' })),
  { name: 'mov', opcode: [0xb0], form: 'r', immediate: 1, byte: true },
  { name: 'mov', opcode: [0xb8], form: 'r', immediate: 'v' },
  ...both({ name: 'mov', opcode: [0xa0], form: 'moffs' }),
  ...both({ name: 'mov', opcode: [0xa2], form: 'moffs' }),
  ...both({ name: 'xchg', opcode: [0x86], form: 'rm', lock: true }),
  { name: 'xchg', opcode: [0x90], form: 'r' },
  ...both({ name: 'test', opcode: [0x84], form: 'rm' }),
  ...wideImmediate(both({ name: 'test', opcode: [0xa8], form: 'none' })),
  { name: 'lea', opcode: [0x8d], form: 'm' },
  { name: 'movsxd', opcode: [0x63], form: 'rm', where: long, size: 4 },
  {
    name: 'arpl',
    opcode: [0x63],
    form: 'rm',
    where: (mode) => legacy(mode) && mode.real === undefined,
    size: 2,
  },
  ...both({ name: 'movzx', opcode: [0x0f, 0xb6], form: 'rm' }).map((each) => ({
    ...each,
    byte: false,
    size: 2 as const,
  })),
  ...both({ name: 'movsx', opcode: [0x0f, 0xbe], form: 'rm' }).map((each) => ({
    ...each,
    byte: false,
    size: 2 as const,
  })),
  { name: 'bound', opcode: [0x62], form: 'm', where: legacy, size: 8 },
  { name: 'xlat', opcode: [0xd7], form: 'none', load: { 3: 'pointer', 0: 'small' } },
  { name: 'bswap', opcode: [0x0f, 0xc8], form: 'r', fixed: true, where: ({ bits }) => bits !== 16 },
  ...[0x98, 0x99, 0x9f, 0x9e, 0xf5, 0xf8, 0xf9, 0xfc, 0xfd].map((opcode): Template => ({
    name: 'convert or flags',
    opcode: [opcode],
    form: 'none',
  })),
  { name: 'salc', opcode: [0xd6], form: 'none', where: legacy },
];

const extended: readonly Template[] = [
  ...Array.from({ length: 16 }, (_, c): Template => ({
    name: 'cmovcc',
    opcode: [0x0f, 0x40 + c],
    form: 'rm',
  })),
  ...Array.from({ length: 16 }, (_, c): Template => ({
    name: 'setcc',
    opcode: [0x0f, 0x90 + c],
    form: 'rm',
    byte: true,
  })),
  { name: 'imul', opcode: [0x0f, 0xaf], form: 'rm' },
  { name: 'imul', opcode: [0x69], form: 'rm', immediate: 'z' },
  { name: 'imul', opcode: [0x6b], form: 'rm', immediate: 1 },
  { name: 'shld', opcode: [0x0f, 0xa4], form: 'rm', immediate: 1 },
  { name: 'shrd', opcode: [0x0f, 0xac], form: 'rm', immediate: 1 },
  { name: 'shld', opcode: [0x0f, 0xa5], form: 'rm', load: { 1: 'count' } },
  { name: 'shrd', opcode: [0x0f, 0xad], form: 'rm', load: { 1: 'count' } },
  ...[4, 5, 6, 7].map((digit): Template => ({
    name: 'bt group',
    opcode: [0x0f, 0xba],
    digit,
    form: 'rm',
    immediate: 1,
    lock: digit > 4,
  })),
  ...[0xa3, 0xab, 0xb3, 0xbb].map((opcode): Template => ({
    name: 'bt group',
    opcode: [0x0f, opcode],
    form: 'rr',
  })),
  { name: 'bsf', opcode: [0x0f, 0xbc], form: 'rm' },
  { name: 'bsr', opcode: [0x0f, 0xbd], form: 'rm' },
  ...both({ name: 'cmpxchg', opcode: [0x0f, 0xb0], form: 'rm', lock: true }),
  ...both({ name: 'xadd', opcode: [0x0f, 0xc0], form: 'rm', lock: true }),
  { name: 'cmpxchg8b', opcode: [0x0f, 0xc7], digit: 1, form: 'm', lock: true, size: 16 },
  { name: 'nop', opcode: [0x0f, 0x1f], digit: 0, form: 'rm' },
  { name: 'ud2', opcode: [0x0f, 0x0b], form: 'none' },
  { name: 'smsw', opcode: [0x0f, 0x01], digit: 4, form: 'rr', where: kernel },
  { name: 'aam', opcode: [0xd4], form: 'none', immediate: 1, where: legacy },
  { name: 'aad', opcode: [0xd5], form: 'none', immediate: 1, where: legacy },
  ...[0x27, 0x2f, 0x37, 0x3f].map((opcode): Template => ({
    name: 'decimal',
    opcode: [opcode],
    form: 'none',
    where: legacy,
  })),
];

const strings: readonly Template[] = [0xa4, 0xa6, 0xaa, 0xac, 0xae].flatMap((opcode) =>
  [undefined, 0xf3, 0xf2].flatMap((prefix) =>
    both({
      name: 'string',
      opcode: [opcode],
      form: 'none',
      load: { 1: 'count', 6: 'pointer', 7: 'pointer' },
      ...(prefix === undefined ? {} : { prefix }),
    }),
  ),
);

const stack: readonly Template[] = [
  { name: 'push', opcode: [0x50], form: 'r' },
  { name: 'push', opcode: [0xff], digit: 6, form: 'rm' },
  { name: 'push', opcode: [0x68], form: 'none', immediate: 'z' },
  { name: 'push', opcode: [0x6a], form: 'none', immediate: 1 },
  { name: 'pop', opcode: [0x58], form: 'r' },
  { name: 'pop', opcode: [0x8f], digit: 0, form: 'rm' },
  { name: 'pushf', opcode: [0x9c], form: 'none' },
  { name: 'pusha', opcode: [0x60], form: 'none', where: legacy },
  { name: 'popa', opcode: [0x61], form: 'none', where: ({ bits, cpl }) => bits !== 64 && cpl === 3 },
  { name: 'enter', opcode: [0xc8], form: 'none', immediate: 2, load: { 5: 'pointer' }, where: user },
  ...[0x06, 0x0e, 0x16, 0x1e].map((opcode): Template => ({
    name: 'push segment',
    opcode: [opcode],
    form: 'none',
    where: legacy,
  })),
  { name: 'push fs', opcode: [0x0f, 0xa0], form: 'none' },
  { name: 'push gs', opcode: [0x0f, 0xa8], form: 'none' },
  ...[0, 1, 2, 3, 4, 5].map((digit): Template => ({
    name: 'mov rm, segment',
    opcode: [0x8c],
    digit,
    form: 'rr',
  })),
];

/** What raises an exception wherever it runs at CPL 3. */
const privileged: readonly Template[] = [
  ...[0xf4, 0xfa, 0xfb].map((opcode): Template => ({
    name: 'privileged',
    opcode: [opcode],
    form: 'none',
    where: user,
  })),
  ...[
    [0x0f, 0x06],
    [0x0f, 0x08],
    [0x0f, 0x09],
    [0x0f, 0x30],
    [0x0f, 0x32],
  ].map((opcode): Template => ({ name: 'privileged', opcode, form: 'none', where: user })),
  ...[0xe4, 0xe6]
    .flatMap((opcode) => both({ name: 'port', opcode: [opcode], form: 'none', immediate: 1, where: user }))
    .map((each): Template => ({ ...each, immediate: 1 })),
  ...[0xec, 0xee, 0x6c, 0x6e].flatMap((opcode) =>
    both({ name: 'port', opcode: [opcode], form: 'none', where: user }),
  ),
  { name: 'mov from cr', opcode: [0x0f, 0x20], digit: 0, form: 'rr', where: user },
  { name: 'mov from dr', opcode: [0x0f, 0x21], digit: 7, form: 'rr', where: user },
  { name: 'int3', opcode: [0xcc], form: 'none' },
  { name: 'into', opcode: [0xce], form: 'none', where: legacy },
  // QEMU single-steps neither PAUSE nor what follows STI: those are in the specs.
  { name: 'cli', opcode: [0xfa], form: 'none', where: kernel },
  { name: 'clts', opcode: [0x0f, 0x06], form: 'none', where: kernel },
  { name: 'wbinvd', opcode: [0x0f, 0x09], form: 'none', where: kernel },
  { name: 'sgdt', opcode: [0x0f, 0x01], digit: 0, form: 'm', size: 16 },
  { name: 'sidt', opcode: [0x0f, 0x01], digit: 1, form: 'm', size: 16 },
  { name: 'sldt', opcode: [0x0f, 0x00], digit: 0, form: 'rm', size: 2 },
  { name: 'str', opcode: [0x0f, 0x00], digit: 1, form: 'rm', size: 2 },
  { name: 'verr', opcode: [0x0f, 0x00], digit: 4, form: 'rm', size: 2 },
  { name: 'verw', opcode: [0x0f, 0x00], digit: 5, form: 'rm', size: 2 },
  { name: 'mov from cr', opcode: [0x0f, 0x20], digit: 0, form: 'rr', where: protectedKernel },
];

/** Frequent ones more than once. */
export const TEMPLATES: readonly Template[] = [
  ...arithmetic,
  ...shifts,
  ...unary,
  ...unary,
  ...moves,
  ...moves,
  ...extended,
  ...strings,
  ...stack,
  ...stack,
  ...privileged,
];
