/**
 * The language of the instruction specifications: one row for a rule of the manual, as text.
 *
 *   ['ADD r/m32, r32', 'add eax, ebx', 'eax=7fffffff ebx=1', 'eax=80000000', 'OSzAPc']
 *
 * are the form in the manual's words, the instruction in NASM's, what is there before, what has changed after, and the
 * flags OF SF ZF AF PF CF after: a capital is set, a small letter clear, `-` as before, `?` undefined. Without flags all are
 * as before. Instead of a change there may be a fault: `#GP(0)`, `#PF(6) cr2=absent`.
 *
 * Of x87 and SSE: `st0=1.5` (a decimal number, or 20 hexadecimal digits), `push=1.5` and `pop=1` on the register stack,
 * `xmm1=ps(4,3,2,1)` and `xmm1=pd(2,1)` (the highest element first) or 32 digits, `fcw`, `mxcsr`, and the bits of the
 * status word by name: `ie=1 c1=0 es=1`. ES means B as well.
 *
 * Numbers are hexadecimal. Places in memory are names of PLACES, with `+n` behind them; `[data]4=12345678` is a cell of
 * four bytes. `al` to `ah`, `ax`, `eax` and `rax` are what they say: a write of EAX clears the upper half of RAX.
 */
import type { Case, Result } from '../oracle/stepper/records';
import { applyFx, fxErrors, initialFx, namesFx } from './fxState';
import { CODE_SIZE, CODE_START, WINDOW_BYTES, WINDOWS, windowAt, type Mode } from '../oracle/stepper/stage';

export interface RowOptions {
  /** Code sizes or modes by name; default 16, 32 and 64 at CPL 3. */
  readonly in?: readonly (16 | 32 | 64 | string)[];
  /** For code sizes: at CPL 0 instead. */
  readonly cpl?: 0;
  /** Instructions and iterations of REP; default 1. */
  readonly steps?: number;
  /** Where the manual says so; default the instruction's page in SDM vol. 2. */
  readonly source?: string;
  /** The last bytes of the page, so that the next byte would be on the absent page. */
  readonly atPageEnd?: true;
}

export type Row =
  | readonly [form: string, assembly: string, before: string, after: string]
  | readonly [form: string, assembly: string, before: string, after: string, flags: string]
  | readonly [
      form: string,
      assembly: string,
      before: string,
      after: string,
      flags: string,
      options: RowOptions,
    ];

export interface Chapter {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Offsets of the arena (oracle/stepper/stage.ts). */
const PLACES: Readonly<Record<string, number>> = {
  data: 0x4fc0,
  /** The first byte of a page whose predecessor is there too. */
  boundary: 0x5000,
  /** The last eight bytes before an absent page. */
  edge: 0x5ff8,
  absent: 0x6000,
  readonly: 0x7000,
  stack: 0x9f80,
  /** The first byte of the stack's page; the page below is absent. */
  bottom: 0x9000,
  /** The last eight bytes of a 16-bit segment. */
  top: 0xfff8,
  code: 0x1f00,
};
export const STACK = 0x9f80;

const NAMES = ['a', 'c', 'd', 'b', 'sp', 'bp', 'si', 'di'];
const FLAG_BITS: Readonly<Record<string, number>> = {
  cf: 0x1,
  pf: 0x4,
  af: 0x10,
  zf: 0x40,
  sf: 0x80,
  if: 0x200,
  df: 0x400,
  of: 0x800,
  nt: 0x4000,
  ac: 0x40000,
  id: 0x200000,
};
const ORDER = [0x800, 0x80, 0x40, 0x10, 0x4, 0x1];

interface Part {
  readonly number: number;
  readonly shift: number;
  readonly bits: 8 | 16 | 32 | 64;
}

const PARTS: ReadonlyMap<string, Part> = new Map(
  Array.from({ length: 16 }, (_, number) => number).flatMap((number): (readonly [string, Part])[] => {
    const part = (name: string, bits: Part['bits'], shift = 0) => [name, { number, bits, shift }] as const;
    const name = NAMES[number];
    if (name === undefined)
      return [
        part(`r${number}`, 64),
        part(`r${number}d`, 32),
        part(`r${number}w`, 16),
        part(`r${number}b`, 8),
      ];
    const wide = number < 4 ? `${name}x` : name;
    return [
      ...[part(`r${wide}`, 64), part(`e${wide}`, 32), part(wide, 16), part(`${name}l`, 8)],
      ...(number < 4 ? [part(`${name}h`, 8, 8)] : []),
    ];
  }),
);
const SELECTORS = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'];

function valueOf(text: string, origin: number): bigint {
  const place = /^([a-z]{3,})(?:([+-])([0-9a-f]+))?$/.exec(text);
  const at = place ? PLACES[place[1] ?? ''] : undefined;
  if (place && at !== undefined) {
    const more = place[3] === undefined ? 0n : BigInt(`0x${place[3]}`);
    return BigInt(origin + at) + (place[2] === '-' ? -more : more);
  }
  if (!/^-?[0-9a-f]+$/.test(text)) throw new Error(`${text} is neither a number nor a place`);
  return text.startsWith('-') ? BigInt.asUintN(64, -BigInt(`0x${text.slice(1)}`)) : BigInt(`0x${text}`);
}

/** What a text changes in a state. */
interface State {
  general: bigint[];
  rflags: number;
  memory: Uint8Array;
  selectors: Map<string, number>;
  rip: bigint | null;
  /** An FXSAVE image; null in rows that name nothing of it. */
  fx: Uint8Array | null;
}

function apply(text: string, state: State, origin: number): void {
  for (const token of text.split(/\s+/).filter((each) => each !== '')) {
    if (applyFx(token, state)) continue;
    const match = /^(?:\[([^\]]+)\]([0-9a-f]+)|(\w+))=([+]?[-+\w]+)$/.exec(token);
    if (!match) throw new Error(`not an assignment: ${token}`);
    const [, cell, size, name = '', value = ''] = match;
    if (cell !== undefined) {
      const offset = Number(valueOf(cell, 0));
      const wide = valueOf(value, origin);
      for (let i = 0; i < parseInt(size ?? '1', 16); i++)
        state.memory[windowAt(offset + i)] = Number((wide >> BigInt(8 * i)) & 0xffn);
      continue;
    }
    const flag = FLAG_BITS[name.toLowerCase()];
    const part = PARTS.get(name);
    if (name === 'rip')
      state.rip = BigInt(origin + CODE_START) + BigInt.asIntN(64, valueOf(value.replace('+', ''), 0));
    else if (part) {
      const old = state.general[part.number] ?? 0n;
      const mask = ((1n << BigInt(part.bits)) - 1n) << BigInt(part.shift);
      const bits = (valueOf(value, origin) << BigInt(part.shift)) & mask;
      state.general[part.number] = part.bits >= 32 ? bits : (old & ~mask) | bits;
    } else if (flag !== undefined && name === name.toUpperCase())
      state.rflags = value === '1' ? state.rflags | flag : state.rflags & ~flag;
    else if (SELECTORS.includes(name)) state.selectors.set(name, parseInt(value, 16));
    else throw new Error(`${name} is no register, flag or cell`);
  }
}

const EMPTY = (): State => ({
  general: Array.from({ length: 16 }, (_, i) => BigInt(0x11 * i)),
  rflags: 0x302,
  memory: new Uint8Array(WINDOW_BYTES),
  selectors: new Map(),
  rip: null,
  fx: null,
});

export interface Prepared {
  readonly case: Case;
  /** What is wrong with a result, in words. */
  check(result: Result): readonly string[];
}

const VECTORS = [
  '#DE',
  '#DB',
  '#NMI',
  '#BP',
  '#OF',
  '#BR',
  '#UD',
  '#NM',
  '#DF',
  '#9',
  '#TS',
  '#NP',
  '#SS',
  '#GP',
  '#PF',
  '#15',
  '#MF',
  '#AC',
  '#MC',
  '#XM',
];
export const faultName = (vector: number): string => VECTORS[vector] ?? `#${vector}`;
const hex = (value: bigint | number): string => value.toString(16);

/** A row in one mode, with the bytes that its assembly gives there. */
export function prepare(row: Row, mode: Mode, code: Uint8Array): Prepared {
  const [, , before, after, flags = '------', options = {}] = row;
  const { origin, bits } = mode;
  const at = options.atPageEnd ? CODE_SIZE - code.length : 0;
  const start = EMPTY();
  start.memory.fill(0xcc, windowAt(CODE_START), windowAt(CODE_START) + CODE_SIZE);
  start.memory.set(code, windowAt(CODE_START) + at);
  start.general[4] = BigInt(origin + STACK);
  if (namesFx(`${before} ${after}`)) start.fx = initialFx();
  apply(before, start, origin);
  if (bits !== 64) start.general = start.general.map((value, i) => (i < 8 ? BigInt.asUintN(32, value) : 0n));
  const rip = origin + CODE_START + at;
  const steps = options.steps ?? 1;
  const memory = start.memory.slice();
  const prepared: Case = {
    steps,
    general: [...start.general],
    rip,
    rflags: start.rflags,
    memory,
    undefinedFlags: new Map(),
    fx: start.fx?.slice() ?? null,
  };
  return { case: prepared, check: (result) => checkResult(result) };

  function checkResult(result: Result): readonly string[] {
    const fault = /^(#\w+)(?:\(([0-9a-f]+)\))?(?: cr2=(\S+))?\s*(.*)$/.exec(after);
    const expected: State = {
      ...start,
      general: [...start.general],
      memory: memory.slice(),
      selectors: new Map(),
      fx: prepared.fx?.slice() ?? null,
    };
    const wrong: string[] = [];
    const vector = fault ? VECTORS.indexOf(fault[1] ?? '') : 1;
    if (result.vector !== vector) {
      wrong.push(`${faultName(result.vector)}(${hex(result.errorCode)}), not ${faultName(vector)}`);
      return wrong;
    }
    if (fault) {
      expected.rip = BigInt(rip);
      apply(fault[4] ?? '', expected, origin);
      if (fault[2] !== undefined && mode.real !== 'real' && result.errorCode !== parseInt(fault[2], 16))
        wrong.push(`error code ${hex(result.errorCode)}, not ${fault[2]}`);
      // A place is an offset of the arena; CR2 is linear.
      const cr2 = fault[3] === undefined ? null : valueOf(fault[3], 0x20000);
      if (cr2 !== null && result.cr2 !== cr2) wrong.push(`CR2 ${hex(result.cr2)}, not ${hex(cr2)}`);
    } else {
      if (result.steps !== steps) wrong.push(`${result.steps} steps, not ${steps}`);
      expected.rip = BigInt(rip + code.length);
      apply(after, expected, origin);
      [...flags].forEach((letter, i) => {
        const bit = ORDER[i] ?? 0;
        if (/[A-Z]/.test(letter)) expected.rflags |= bit;
        else if (/[a-z]/.test(letter)) expected.rflags &= ~bit;
      });
    }
    const undefinedBits = fault
      ? 0
      : [...flags].reduce((sum, letter, i) => (letter === '?' ? sum | (ORDER[i] ?? 0) : sum), 0);
    // VM, IF, IOPL are the mode's.
    const mask = 0x3f7fd7 & ~undefinedBits & ~0x30000 & (mode.real === 'real' ? 0xffff : ~0);
    if (((result.rflags ^ expected.rflags) & mask) !== 0)
      wrong.push(`flags ${hex(result.rflags & mask)}, not ${hex(expected.rflags & mask)}`);
    const wide = bits === 64 ? 0xffffffffffffffffn : 0xffffffffn;
    if ((result.rip & wide) !== expected.rip)
      wrong.push(`RIP ${hex(result.rip & wide)}, not ${hex(expected.rip)}`);
    for (let r = 0; r < (bits === 64 ? 16 : 8); r++) {
      // The upper half of ESP is not defined on a 16-bit stack.
      const m = r === 4 && bits === 16 ? 0xffffn : wide;
      const [got, want] = [(result.general[r] ?? 0n) & m, (expected.general[r] ?? 0n) & m];
      if (got !== want) wrong.push(`${registerName(r)} ${hex(got)}, not ${hex(want)}`);
    }
    for (const [name, selector] of expected.selectors)
      if (result.selectors[SELECTORS.indexOf(name)] !== selector)
        wrong.push(`${name} ${hex(result.selectors[SELECTORS.indexOf(name)] ?? 0)}, not ${hex(selector)}`);
    if (expected.fx) wrong.push(...fxErrors(result.fx, expected.fx));
    wrong.push(...memoryErrors(result.memory, expected, result, mode));
    return wrong;
  }
}

const registerName = (number: number): string => (number < 8 ? `r${NAMES[number] ?? ''}` : `r${number}`);

/** Below the stack pointer of a CPL 0 case lies the frame of the exception that ended it. */
function memoryErrors(got: Uint8Array, expected: State, result: Result, mode: Mode): string[] {
  const wrong: string[] = [];
  let start = 0;
  const sp = Number(BigInt.asUintN(mode.bits === 16 ? 16 : 32, result.general[4] ?? 0n)) - mode.origin;
  for (const { name, at, size } of WINDOWS) {
    for (let i = 0; i < size; i++) {
      const below = mode.cpl === 0 && mode.kernel === 'legacy' && at + i < sp && at + i >= sp - 64;
      if (!below && got[start + i] !== expected.memory[start + i])
        wrong.push(
          `${name} ${hex(at + i)}: ${hex(got[start + i] ?? 0)}, not ${hex(expected.memory[start + i] ?? 0)}`,
        );
    }
    start += size;
  }
  return wrong.slice(0, 8);
}
