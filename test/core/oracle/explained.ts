/**
 * Differences between the core and an oracle that are no fault of the core, by rule. Each says which fields of a result it
 * accounts for; what is left over is unexplained. A rule looks at the instruction and at both results, never at a seed.
 */
import { fxPart, same, type Field } from './fuzz/compare';
import { has, isMemory, register, repeat, type Opcode } from './fuzz/opcode';
import { lacks } from './lackingFeatures';
import { undefinedFlags } from './fuzz/undefinedFlags';
import type { Case, Result } from './stepper/records';
import { ARENA, type Mode } from './stepper/stage';

export type OracleName = 'host' | 'qemu' | 'bochs';

export interface Difference {
  readonly mode: Mode;
  readonly prepared: Case;
  /** The last instruction that began. */
  readonly instruction: Opcode;
  readonly core: Result;
  readonly oracle: Result;
  readonly fields: ReadonlySet<Field>;
}

interface Rule {
  readonly title: string;
  readonly oracles: readonly OracleName[];
  readonly because: string;
  /** Fields that it accounts for; `all` where the instruction is another one there. */
  explains(difference: Difference): readonly Field[] | 'all';
}

const UD = 6;
const PF = 14;
const AC = 17;
const NOTHING: readonly Field[] = [];

const oneByte = ({ map, opcode }: Opcode, ...opcodes: readonly number[]): boolean =>
  map === 1 && opcodes.includes(opcode);
const twoByte = ({ map, opcode }: Opcode, ...opcodes: readonly number[]): boolean =>
  map === 2 && opcodes.includes(opcode);
const inArena = (address: bigint): boolean => address >= BigInt(ARENA) && address < BigInt(ARENA + 0x10000);
/** Only the vector and what follows from it may differ. */
const allWhen = (condition: boolean): readonly Field[] | 'all' => (condition ? 'all' : NOTHING);

/** Operands of 10, 14, 28, 94, 108 and 512 bytes: several accesses each. */
const isLong = (o: Opcode): boolean =>
  isMemory(o) &&
  ((oneByte(o, 0xdb) && [5, 7].includes(register(o))) ||
    (oneByte(o, 0xdf) && [4, 6].includes(register(o))) ||
    (oneByte(o, 0xd9) && [4, 6].includes(register(o))) ||
    (oneByte(o, 0xdd) && [4, 6].includes(register(o))) ||
    (twoByte(o, 0xae) && [0, 1, 4, 5, 6].includes(register(o))) ||
    (twoByte(o, 0xc7) && [3, 4, 5].includes(register(o))));

/** Whose area has the AVX components of the oracle's XCR0 too. */
const isXsave = (o: Opcode): boolean =>
  isMemory(o) &&
  ((twoByte(o, 0xae) && [4, 5, 6].includes(register(o))) ||
    (twoByte(o, 0xc7) && [3, 4, 5].includes(register(o))));

const C1 = 0x200;
/** Behind D9: F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS. */
const SERIES = [0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff];
const ST_NAMES = Array.from({ length: 8 }, (_, i): `ST${number}` => `ST${i}`);
const XMM_NAMES = Array.from({ length: 16 }, (_, i): `XMM${number}` => `XMM${i}`);
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const fxWord = (image: Uint8Array, at: number): number => viewOf(image).getUint16(at, true);

/** Whether the x87 registers are the same where TOP is not. */
function sameRegisters(a: Uint8Array, b: Uint8Array): boolean {
  const top = (image: Uint8Array): number => (fxWord(image, 2) >> 11) & 7;
  const register = (image: Uint8Array, i: number): Uint8Array =>
    fxPart(image, `ST${(i + 8 - top(image)) & 7}`);
  return ST_NAMES.every((_, i) => same(register(a, i), register(b, i)));
}

/** In the first or last 512 bytes of what a 16-bit or a 32-bit address reaches. */
const wraps = (address: bigint): boolean =>
  address < 0x200n || (address & ~0x1ffn) === 0xfffffe00n || (address & ~0x1ffn) === BigInt(ARENA);
const distance = (a: bigint, b: bigint): bigint => (a < b ? b - a : a - b);

/** Four floats each, equal or near enough to be estimates of the same number. */
function areEstimates(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [viewOf(a), viewOf(b)];
  return [0, 4, 8, 12].every((at) => {
    if (x.getUint32(at, true) === y.getUint32(at, true)) return true;
    // At the smallest normal number the result may also count as tiny.
    if ([x, y].every((view) => (view.getUint32(at, true) & 0x7f7fffff) === 0))
      return Math.sign(1 / x.getFloat32(at, true)) === Math.sign(1 / y.getFloat32(at, true));
    const [one, other] = [x.getFloat32(at, true), y.getFloat32(at, true)];
    return Math.abs(one / other - 1) < 3 * 2 ** -12;
  });
}

/** Extended numbers that differ by one unit in the last place. */
function areNeighbours(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [viewOf(a), viewOf(b)];
  const number = (view: DataView): bigint =>
    (BigInt(view.getUint16(8, true)) << 63n) | BigInt.asUintN(63, view.getBigUint64(0, true));
  return distance(number(x), number(y)) === 1n;
}

/** The instruction's bytes of a shift count, where it has one. */
function lastByte({ prepared, core, mode }: Difference): number | null {
  const end = Number(BigInt.asUintN(32, core.rip)) - mode.origin - 0x1f00;
  return end >= 1 && end <= 256 ? (prepared.memory[end - 1] ?? null) : null;
}

export const RULES: readonly Rule[] = [
  {
    title: 'flags that the manual leaves undefined',
    oracles: ['host', 'qemu', 'bochs'],
    because: 'SDM vol. 2, "Flags Affected" of the instruction',
    explains(d) {
      if (d.prepared.steps !== 1) return NOTHING;
      const cl = Number((d.prepared.general[1] ?? 0n) & 0xffn);
      const mask = undefinedFlags(d.instruction, d.mode.bits, lastByte(d), cl);
      return ((d.core.rflags ^ d.oracle.rflags) & ~mask & ~0x10000) === 0 ? ['rflags'] : NOTHING;
    },
  },
  {
    title: 'SHLD and SHRD of 16 bits by more than 16',
    oracles: ['host', 'qemu', 'bochs'],
    because: 'SDM vol. 2, SHLD: the destination is undefined if the count exceeds the operand size',
    explains({ instruction, mode }) {
      const small = (mode.bits === 16) !== has(instruction, 0x66) && (instruction.rex & 8) === 0;
      return allWhen(small && twoByte(instruction, 0xa4, 0xa5, 0xac, 0xad));
    },
  },
  {
    title: 'BSWAP of 16 bits',
    oracles: ['host', 'qemu', 'bochs'],
    because: 'SDM vol. 2, BSWAP: the result is undefined',
    explains: ({ instruction: o, mode }) =>
      allWhen(o.map === 2 && o.opcode >= 0xc8 && o.opcode <= 0xcf && (mode.bits === 16 || has(o, 0x66))),
  },
  {
    title: 'page fault on the kernel half, or where the ROM keeps its own pages',
    oracles: ['host'],
    because:
      'Linux reports every address of its half as present (sanitize_error_code); the ROM has supervisor pages',
    explains: ({ core, oracle }) =>
      core.vector === PF && oracle.vector === PF && !inArena(core.cr2) && !inArena(oracle.cr2)
        ? ['error']
        : NOTHING,
  },
  {
    title: 'an instruction of a feature that the core lacks',
    oracles: ['host', 'qemu', 'bochs'],
    because: 'lackingFeatures.ts names them; the core raises #UD',
    explains: ({ instruction, core }) => allWhen(core.vector === UD && lacks(instruction) !== null),
  },
  {
    title: 'the time and the CPU’s own numbers',
    oracles: ['host', 'qemu', 'bochs'],
    because: 'RDTSC, RDTSCP, CPUID, RDRAND, RDPID; Linux keeps the number of the CPU in a limit',
    explains({ instruction: o, core, oracle }) {
      if (core.vector !== 1 || oracle.vector !== 1) return NOTHING;
      if (twoByte(o, 0x31)) return ['r0', 'r2'];
      if (twoByte(o, 0x01) && o.modrm === 0xf9) return ['r0', 'r1', 'r2'];
      if (twoByte(o, 0xa2)) return ['r0', 'r1', 'r2', 'r3'];
      if (twoByte(o, 0xc7) && !isMemory(o)) return [`r${(o.modrm & 7) | ((o.rex & 1) << 3)}`];
      return NOTHING;
    },
  },
  {
    title: 'SGDT, SIDT, SLDT, STR, SMSW with UMIP',
    oracles: ['host'],
    because: 'Linux emulates what UMIP refuses at CPL 3; the core raises #GP(0)',
    explains: ({ instruction: o, core }) =>
      allWhen(
        core.vector === 13 &&
          core.errorCode === 0 &&
          ((twoByte(o, 0x00) && register(o) < 2) ||
            (twoByte(o, 0x01) && (register(o) === 4 || (isMemory(o) && register(o) < 2)))),
      ),
  },
  {
    title: 'the byte of a long operand that CR2 names',
    oracles: ['host'],
    because:
      'AMD probes the last byte of an x87 environment or FXSAVE image first; no manual says which byte CR2 names',
    explains: ({ instruction: o, core, oracle }) =>
      isLong(o) &&
      core.vector === PF &&
      oracle.vector === PF &&
      distance(core.cr2, oracle.cr2) < (isXsave(o) ? 4096n : 512n)
        ? ['cr2']
        : NOTHING,
  },
  {
    title: 'the stack of an outer level that a far return does not reach',
    oracles: ['host'],
    because:
      'AMD reads SP and SS of a return to another RPL before it looks at the selector, and CS before the offset; the order is open (SDM vol. 3, table 6-2)',
    explains({ instruction: o, core, oracle }) {
      if (!oneByte(o, 0xca, 0xcb, 0xcf)) return NOTHING;
      if ([12, 13].includes(core.vector)) return [PF, AC].includes(oracle.vector) ? ['vector'] : NOTHING;
      return core.vector === PF && oracle.vector === PF && distance(core.cr2, oracle.cr2) < 32n
        ? ['cr2']
        : NOTHING;
    },
  },
  {
    title: 'the last bits of an estimate',
    oracles: ['host'],
    because: 'RCPPS, RSQRTPS: a relative error up to 1.5 × 2^-12 is allowed, the table is the CPU’s own',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0x52, 0x53)
        ? XMM_NAMES.filter((name) => areEstimates(fxPart(core.fx, name), fxPart(oracle.fx, name)))
        : NOTHING,
  },
  {
    title: 'the last bit of a function',
    oracles: ['host'],
    because: 'x87 functions: within one unit in the last place (SDM vol. 1, 8.3.10), with C1 after it',
    explains({ instruction: o, core, oracle }) {
      if (!oneByte(o, 0xd9) || !SERIES.includes(o.modrm)) return NOTHING;
      const registers = (['ST0', 'ST1'] as const).filter((name) =>
        areNeighbours(fxPart(core.fx, name), fxPart(oracle.fx, name)),
      );
      const status = fxWord(core.fx, 2) ^ fxWord(oracle.fx, 2);
      return (status & ~C1) === 0 ? [...registers, 'FSW'] : registers;
    },
  },
  {
    title: 'MASKMOVQ that faults',
    oracles: ['host'],
    because: 'AMD has set TOP to 0 and the tags to valid then, as MMX does; the core changes nothing',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0xf7) && core.vector !== 1 && sameRegisters(core.fx, oracle.fx)
        ? ['FSW', 'FTW', ...ST_NAMES]
        : NOTHING,
  },
  {
    title: 'what a hypervisor intercepts',
    oracles: ['host'],
    because:
      'VMCALL, SVM’s instructions, MONITORX and MWAITX of a host that is a guest: its hypervisor answers; the core raises #UD',
    explains: ({ instruction: { map, opcode, modrm }, core }) =>
      allWhen(
        core.vector === UD &&
          map === 2 &&
          opcode === 0x01 &&
          (modrm === 0xc1 || (modrm >= 0xd8 && modrm <= 0xdf) || modrm === 0xfa || modrm === 0xfb),
      ),
  },
  {
    title: 'a long operand around the end of the segment',
    oracles: ['host'],
    because:
      'AMD probes the last byte of an x87 environment or FXSAVE image first, at an address that wraps with the address size',
    explains: ({ instruction: o, core, oracle }) =>
      isLong(o) && [12, 13].includes(core.vector) && oracle.vector === PF && wraps(oracle.cr2)
        ? ['vector']
        : NOTHING,
  },
  {
    title: 'RPL of a null selector',
    oracles: ['host'],
    because:
      'DS, ES, FS and GS with 1 to 3 read as 0 after the return from a trap (SDM vol. 2, IRET; seen on AMD)',
    explains({ core, oracle }) {
      const alike = core.selectors.every(
        (selector, i) =>
          selector === oracle.selectors[i] || (i > 1 && selector < 4 && oracle.selectors[i] === 0),
      );
      return alike ? ['selectors'] : NOTHING;
    },
  },
  {
    title: 'CALL beyond the limit with a stack that faults',
    oracles: ['host'],
    because: 'AMD pushes before it checks the target; the order is open (SDM vol. 3, table 6-2)',
    explains: ({ instruction: o, core, oracle }) =>
      core.vector === 13 &&
      oracle.vector === PF &&
      (oneByte(o, 0xe8) || (oneByte(o, 0xff) && register(o) === 2))
        ? ['vector']
        : NOTHING,
  },
  {
    title: 'FXSAVE and FXRSTOR misaligned with alignment checks',
    oracles: ['host'],
    because: '#AC or #GP(0), as the CPU likes (SDM vol. 2, FXSAVE)',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0xae) && isLong(o) && core.vector === 13 && oracle.vector === AC ? ['vector'] : NOTHING,
  },
  {
    title: 'MOVSXD with 66 before an absent page',
    oracles: ['host'],
    because: 'AMD reads four bytes, Intel’s manual names r/m16',
    explains: ({ instruction: o, core, oracle }) =>
      allWhen(oneByte(o, 0x63) && has(o, 0x66) && core.vector === 1 && oracle.vector === PF),
  },
  {
    title: 'a descriptor table register stored across a page that faults',
    oracles: ['qemu'],
    because:
      'QEMU 7.2 stores the limit before the base faults; a fault leaves memory alone (SDM vol. 3, 6.5)',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0x01) && isMemory(o) && register(o) < 2 && core.vector === PF && oracle.vector === PF
        ? ['memory']
        : NOTHING,
  },
  {
    title: 'an operand that FS or GS does not allow',
    oracles: ['qemu'],
    because:
      'QEMU 7.2 checks no limit, no rights and no null selector of a data segment (SDM vol. 3, 5.3 to 5.5: #GP(0))',
    explains: ({ mode, instruction: o, core }) =>
      allWhen(
        mode.bits !== 64 &&
          core.vector === 13 &&
          core.errorCode === 0 &&
          ((has(o, 0x64) && core.selectors[4] !== mode.data) ||
            (has(o, 0x65) && core.selectors[5] !== mode.data)),
      ),
  },
  {
    title: 'an undefined instruction that would be too long',
    oracles: ['host'],
    because: 'AMD fetches displacement and immediate before #UD, and finds more than 15 bytes: #GP(0)',
    explains: ({ instruction: o, core, oracle }) =>
      core.vector === UD &&
      oracle.vector === 13 &&
      oracle.errorCode === 0 &&
      (o.prefixes.length > 2 || o.map === 7)
        ? ['vector']
        : NOTHING,
  },
  {
    title: 'XSAVE and XRSTOR of components that the core lacks',
    oracles: ['host'],
    because:
      'Linux has AVX and AVX-512 in XCR0, the stage x87 and SSE; AVX brings MXCSR with it (SDM vol. 1, 13.7 and 13.8)',
    explains: ({ instruction: o, prepared }) =>
      isXsave(o) && ((prepared.general[0] ?? 0n) & 0xfcn) !== 0n ? ['memory', 'MXCSR'] : NOTHING,
  },
  {
    title: 'ARPL that changes nothing in a read-only page',
    oracles: ['qemu'],
    because:
      'QEMU 7.2 always writes; SDM vol. 2, ARPL: only where the RPL grows (so does an AMD family 26 CPU)',
    explains: ({ mode, instruction: o, core, oracle }) =>
      allWhen(mode.bits !== 64 && oneByte(o, 0x63) && core.vector === 1 && oracle.vector === PF),
  },
  {
    title: 'FXSAVE and FXRSTOR of a misaligned address that is not canonical',
    oracles: ['host'],
    because: '#GP(0) of the alignment or #SS(0) of the address (SDM vol. 3, table 6-2 leaves it open)',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0xae) && isLong(o) && core.vector === 13 && oracle.vector === 12 ? ['vector'] : NOTHING,
  },
  {
    title: 'BSF and BSR of zero',
    oracles: ['qemu', 'bochs'],
    because:
      'the destination is undefined (SDM vol. 2); an AMD family 26 CPU leaves all of it, QEMU clears the upper half',
    explains: ({ instruction: o, core }) =>
      twoByte(o, 0xbc, 0xbd) && (core.rflags & 0x40) !== 0
        ? [`r${register(o) | ((o.rex & 4) << 1)}`]
        : NOTHING,
  },
  {
    title: 'INT1 seen by a hypervisor',
    oracles: ['host'],
    because: 'a host that is a guest of KVM on AMD reports the address of INT1 itself (intercept of #DB)',
    explains: ({ instruction: o, oracle }) =>
      oneByte(o, 0xf1) && oracle.vector === 1 ? ['rip', 'steps'] : NOTHING,
  },
  {
    title: 'LOOPE and LOOPNE with F2 or F3',
    oracles: ['host'],
    because: 'AMD’s CPUs let the prefix choose the condition, which no manual says',
    explains: ({ instruction: o }) => (oneByte(o, 0xe0, 0xe1) && repeat(o) !== 0 ? ['rip'] : NOTHING),
  },
  {
    title: 'a group’s undefined member at the end of a page',
    oracles: ['host'],
    because:
      'AMD fetches displacement and immediate before #UD, and no ModRM byte for 0F 7A, 7B, UD0 and UD1; the manuals leave it open',
    explains: ({ instruction: o, core, oracle }) =>
      allWhen(
        (core.vector === UD && oracle.vector === PF && (oracle.errorCode & 0x10) !== 0) ||
          (oracle.vector === UD && core.vector === PF && (core.errorCode & 0x10) !== 0) ||
          (oracle.vector === UD && core.vector === 13 && (o.map === 7 || twoByte(o, 0x7a, 0x7b, 0xb9, 0xff))),
      ),
  },
  {
    title: 'LOCK MOV CR0 as MOV CR8',
    oracles: ['host'],
    because: 'AMD’s alternative encoding (CPUID 80000001.ECX[4]), which the core’s CPUID lacks',
    explains: ({ instruction: o }) => allWhen(twoByte(o, 0x20, 0x22) && has(o, 0xf0)),
  },
  {
    title: 'how far a faulting POPA, ENTER or CALL came',
    oracles: ['host'],
    because:
      'registers and memory below the stack pointer after the fault are not architectural; the core changes nothing',
    explains: ({ instruction: o, core, oracle, mode }) =>
      core.vector === oracle.vector && core.vector !== 1 && oneByte(o, 0x60, 0x61, 0xc8, 0xe8, 0xff)
        ? ['memory', ...Array.from({ length: mode.bits === 64 ? 16 : 8 }, (_, r): Field => `r${r}`), 'cr2']
        : NOTHING,
  },
  {
    title: 'which of two operands faults first',
    oracles: ['host', 'qemu', 'bochs'],
    because:
      'MOVS and CMPS with a limit violation in one operand and a page fault in the other: no manual gives an order',
    explains: ({ instruction: o, core, oracle }) =>
      allWhen(oneByte(o, 0xa4, 0xa5, 0xa6, 0xa7) && core.vector !== 1 && oracle.vector !== 1),
  },
  {
    title: 'a read-modify-write reported as a read',
    oracles: ['qemu'],
    because:
      'QEMU 7.2 loads first, so that an absent page gives error code bit W = 0 (seen; SDM vol. 3, 4.7)',
    explains: ({ core, oracle }) =>
      core.vector === PF && oracle.vector === PF && (core.errorCode ^ oracle.errorCode) === 2
        ? ['error']
        : NOTHING,
  },
  {
    title: 'IDT error codes in long mode',
    oracles: ['qemu'],
    because:
      'QEMU 7.2 multiplies the vector by 16 (target/i386/tcg/seg_helper.c); SDM vol. 3, 6.13: bits 15:3 index',
    explains: ({ mode, core, oracle }) =>
      mode.kernel === 'long' && core.vector === 13 && oracle.vector === 13 && (core.errorCode & 2) !== 0
        ? ['error']
        : NOTHING,
  },
  {
    title: 'LAR’s bits 19:16',
    oracles: ['qemu', 'bochs'],
    because: 'SDM vol. 2, LAR: the descriptor word is masked by 00FxFF00H, x being undefined',
    explains: ({ instruction: o, core, oracle }) => {
      if (!twoByte(o, 0x02)) return NOTHING;
      const number = register(o) | ((o.rex & 4) << 1);
      const [ours, theirs] = [core.general[number] ?? 0n, oracle.general[number] ?? 0n];
      return ((ours ^ theirs) & ~0xf0000n) === 0n ? [`r${number}`] : NOTHING;
    },
  },
  {
    title: '#AC and #PF of the same access',
    oracles: ['host'],
    because: 'AMD checks alignment before paging; the order within the class is open (SDM vol. 3, table 6-2)',
    explains: ({ prepared, core, oracle }) =>
      (prepared.rflags & 0x40000) !== 0 && core.vector === PF && oracle.vector === 17 ? 'all' : NOTHING,
  },
  {
    title: 'flags of a shift whose write faults',
    oracles: ['qemu'],
    because: 'QEMU 7.2 sets them before it stores; a fault leaves the state as it was (SDM vol. 3, 6.5)',
    explains: ({ instruction: o, core, oracle }) =>
      core.vector === PF && oracle.vector === PF && oneByte(o, 0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3)
        ? ['rflags']
        : NOTHING,
  },
  {
    title: 'an access that begins below 4 GiB and ends above',
    oracles: ['host'],
    because: 'with a limit of FFFFFFFF it may fault or wrap (SDM vol. 3, 5.3); the core faults, AMD wraps',
    explains: ({ mode, core, oracle }) =>
      mode.bits === 32 &&
      core.vector === 13 &&
      oracle.vector === PF &&
      (oracle.cr2 >> 4n === 0xfffffffn || oracle.cr2 < 16n)
        ? 'all'
        : NOTHING,
  },
  {
    title: 'a misaligned SSE operand beyond the limit',
    oracles: ['host'],
    because:
      '#GP(0) of the alignment or #SS(0) of the limit: the order within the class is open (SDM vol. 3, table 6-2)',
    explains: ({ instruction: o, core, oracle }) =>
      isMemory(o) && o.map > 1 && core.vector === 12 && oracle.vector === 13 ? ['vector'] : NOTHING,
  },
  {
    title: 'BOUND and far pointers around the end of the segment',
    oracles: ['host'],
    because:
      'two accesses: AMD reads the lower limit before it checks the upper one, and the selector before the offset',
    explains: ({ instruction: o, core, oracle }) =>
      [12, 13].includes(core.vector) &&
      oracle.vector === PF &&
      (oneByte(o, 0x62, 0xc4, 0xc5) ||
        twoByte(o, 0xb2, 0xb4, 0xb5) ||
        (oneByte(o, 0xff) && [3, 5].includes(register(o))))
        ? ['vector']
        : NOTHING,
  },
];

export interface Explanation {
  readonly unexplained: ReadonlySet<Field>;
  readonly rules: readonly string[];
}

/** The rules that apply, and what they leave. */
export function explain(oracle: OracleName, difference: Difference): Explanation {
  const left = new Set(difference.fields);
  const rules: string[] = [];
  for (const rule of RULES) {
    if (!rule.oracles.includes(oracle) || left.size === 0) continue;
    const fields = rule.explains(difference);
    const before = left.size;
    if (fields === 'all') left.clear();
    else for (const field of fields) left.delete(field);
    if (left.size < before) rules.push(rule.title);
  }
  return { unexplained: left, rules };
}
