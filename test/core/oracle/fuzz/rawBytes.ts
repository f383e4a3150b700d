/** Random bytes as one instruction: prefixes, opcode, ModRM and the rest, with registers that often point at memory. */
import type { Random } from '../random';
import { anyFxState, fillFloats } from './fxState';
import { opcodeOf, register } from './opcode';
import type { Case } from '../stepper/records';
import {
  CODE_SIZE,
  CODE_START,
  FS_BASE,
  READ_ONLY,
  WINDOW_BYTES,
  windowAt,
  type Mode,
} from '../stepper/stage';

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x66, 0x66, 0x67, 0x67, 0xf0, 0xf2, 0xf3, 0xf3];

const ALIGNMENT_CHECK = 0x40000;
const DATA = 0x4f80;
const DATA_SIZE = 256;
/** Bits 31:16 of the ROM's KERNEL_STACK. */
const STACK_HALF = 0x60000n;

/** Offsets around which something happens: page ends, the segment's limit, the absent and the read-only pages. */
const PLACES = [
  0x4fc0,
  0x5000,
  0x4ff8,
  0x5fd0,
  0x5ff8,
  0x6000,
  0x5fff,
  READ_ONLY,
  0x9f40,
  0x9000,
  0xfff0,
  0xfff8,
  0xffff,
];

export function pointer(random: Random, mode: Mode): bigint {
  const place = random.pick(PLACES) + (random.oneIn(2) ? 0 : random.between(-16, 16));
  const base = mode.bits === 64 && random.oneIn(16) ? -FS_BASE : 0;
  return BigInt.asUintN(64, BigInt(mode.origin + place + base));
}

export function anyValue(random: Random, mode: Mode): bigint {
  const form = random.below(8);
  if (form < 4) return pointer(random, mode);
  const width = mode.bits === 64 ? 64 : 32;
  return form < 6 ? random.value(width) : BigInt(random.below(40));
}

/** The state before: memory and registers. */
export function anyState(
  random: Random,
  mode: Mode,
  code: Uint8Array,
  at: number,
): Pick<Case, 'general' | 'rip' | 'rflags' | 'memory'> {
  const memory = new Uint8Array(WINDOW_BYTES);
  const words = new Uint32Array(memory.buffer);
  for (let i = 0; i < words.length; i++) words[i] = random.word();
  if (random.oneIn(4)) for (let i = 0; i < words.length; i += random.between(1, 4)) words[i] = 0;
  const start = windowAt(CODE_START);
  memory.fill(0xcc, start, start + CODE_SIZE);
  memory.set(code.subarray(0, CODE_SIZE - at), start + at);
  const general = Array.from({ length: 16 }, (_, number) =>
    number >= 8 && mode.bits !== 64 ? 0n : anyValue(random, mode),
  );
  const stack = random.oneIn(12) ? pointer(random, mode) : BigInt(mode.origin + 0x9f80 - 8 * random.below(4));
  general[4] = stack;
  // TF and IF set; arithmetic flags and DF at random.
  const rflags = 0x302 | (random.word() & 0x8d5) | (random.oneIn(3) ? 0x400 : 0);
  return { general, rip: mode.origin + CODE_START + at, rflags, memory };
}

function anyInstruction(random: Random, mode: Mode): Uint8Array {
  const bytes: number[] = [];
  const prefixes = random.pick([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, random.oneIn(20) ? random.between(4, 15) : 1]);
  for (let i = 0; i < prefixes; i++) bytes.push(random.pick(PREFIXES));
  if (mode.bits === 64 && random.oneIn(2)) bytes.push(0x40 | random.below(16));
  if (random.oneIn(40)) bytes.push(random.pick(PREFIXES));
  const two = random.oneIn(2);
  if (two) bytes.push(0x0f);
  bytes.push(random.below(256));
  bytes.push(random.below(256));
  const small = random.oneIn(2);
  while (bytes.length < 24)
    bytes.push(small && !random.oneIn(4) ? random.pick([0, 0, 1, 8, 0x20, 0xff]) : random.below(256));
  return Uint8Array.from(bytes);
}

/** What would call the kernel of the host, wherever it stands. */
function callsKernel(code: Uint8Array): boolean {
  return code.some(
    (byte, i) =>
      (byte === 0x0f && (code[i + 1] === 0x05 || code[i + 1] === 0x34)) ||
      (byte === 0xcd && code[i + 1] === 0x80),
  );
}

/** A load of SS holds the trap back for one more instruction, which shall be NOP. */
function quietBehindStackSegment(code: Uint8Array, mode: Mode): void {
  const o = opcodeOf(code, mode.bits);
  const { length } = o.prefixes;
  const loads = o.map === 1 && (o.opcode === 0x17 || (o.opcode === 0x8e && register(o) === 2));
  if (loads) code.fill(0x90, length + (o.rex === 0 ? 0 : 1) + (o.opcode === 0x17 ? 1 : 2));
}

export function rawCase(random: Random, mode: Mode): Case {
  let code = anyInstruction(random, mode);
  while (callsKernel(code)) code = anyInstruction(random, mode);
  quietBehindStackSegment(code, mode);
  // Now and then the page ends within or right behind it.
  const at = random.oneIn(8) ? CODE_SIZE - random.between(1, 16) : 0;
  const state = anyState(random, mode, code, at);
  const fx = anyFxState(random);
  if (random.oneIn(3)) fillFloats(random, state.memory.subarray(windowAt(DATA), windowAt(DATA) + DATA_SIZE));
  const rflags = random.oneIn(60) ? state.rflags | ALIGNMENT_CHECK : state.rflags;
  const general = [...state.general];
  // On a 16-bit stack ESP keeps the upper half of the kernel's, which Linux hides and the ROM does not.
  if (mode.bits === 16) general[4] = ((general[4] ?? 0n) & 0xffffn) | STACK_HALF;
  return { ...state, general, rflags, steps: 1, undefinedFlags: new Map(), fx };
}
