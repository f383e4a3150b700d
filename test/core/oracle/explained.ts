/**
 * Differences between the core and an oracle that are no fault of the core, by rule. Each says which fields of a result it
 * accounts for; what is left over is unexplained. A rule looks at the instruction and at both results, never at a seed.
 */
import type { Field } from './fuzz/compare';
import { has, isMemory, register, repeat, type Opcode } from './fuzz/opcode';
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
const NOTHING: readonly Field[] = [];

const oneByte = ({ map, opcode }: Opcode, ...opcodes: readonly number[]): boolean =>
  map === 1 && opcodes.includes(opcode);
const twoByte = ({ map, opcode }: Opcode, ...opcodes: readonly number[]): boolean =>
  map === 2 && opcodes.includes(opcode);
const inArena = (address: bigint): boolean => address >= BigInt(ARENA) && address < BigInt(ARENA + 0x10000);
/** Only the vector and what follows from it may differ. */
const allWhen = (condition: boolean): readonly Field[] | 'all' => (condition ? 'all' : NOTHING);

/** x87, MMX and SSE with 0F: what the core does not compute yet is listed at the top of assembly/core.ts. */
const isFloatingPoint = (o: Opcode): boolean =>
  (o.map === 1 && ((o.opcode >= 0xd8 && o.opcode <= 0xdf) || o.opcode === 0x9b)) ||
  (o.map === 2 &&
    ((o.opcode >= 0x10 && o.opcode <= 0x17) ||
      (o.opcode >= 0x28 && o.opcode <= 0x2f) ||
      (o.opcode >= 0x50 && o.opcode <= 0x7f && o.opcode !== 0x78 && o.opcode !== 0x79) ||
      [0xc2, 0xc4, 0xc5, 0xc6].includes(o.opcode) ||
      o.opcode >= 0xd0));

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
      core.vector === PF && oracle.vector === PF && core.cr2 === oracle.cr2 && !inArena(core.cr2)
        ? ['error']
        : NOTHING,
  },
  {
    title: 'no instruction of that kind in the core’s CPUID, or not yet',
    oracles: ['host', 'qemu', 'bochs'],
    because:
      'VEX, EVEX, XOP, 0F 38, 0F 3A, 3DNow!, SSE4a, SVM, XSAVE, RDRAND, CET, … exist on the oracle’s CPU only',
    explains(d) {
      const o = d.instruction;
      const newer =
        o.map > 2 ||
        twoByte(o, 0x0f, 0x0d, 0x78, 0x79, 0x01) ||
        twoByte(o, 0xc7) ||
        twoByte(o, 0xae) ||
        (twoByte(o, 0x1e) && repeat(o) === 0xf3) ||
        (twoByte(o, 0x09) && repeat(o) === 0xf3);
      return allWhen(
        newer &&
          (d.core.vector === UD || repeat(o) === 0xf3 || has(o, 0x66)) &&
          d.core.vector !== d.oracle.vector,
      );
    },
  },
  {
    title: 'results that the CPU chooses',
    oracles: ['host', 'qemu', 'bochs'],
    because: 'RDTSC, RDTSCP, RDPMC, CPUID, RDRAND, RDSEED, RDPID: time, chance and model',
    explains: ({ instruction: o }) =>
      allWhen(
        twoByte(o, 0x31, 0x33, 0xa2) ||
          (twoByte(o, 0xc7) && !isMemory(o)) ||
          (twoByte(o, 0x01) && o.modrm >= 0xc0),
      ),
  },
  {
    title: 'SGDT, SIDT, SLDT, STR, SMSW with UMIP',
    oracles: ['host'],
    because: 'Linux sets CR4.UMIP and emulates them; the stage has no UMIP',
    explains: ({ instruction: o }) =>
      allWhen(
        (twoByte(o, 0x00) && register(o) < 2) ||
          (twoByte(o, 0x01) && (register(o) === 4 || (isMemory(o) && register(o) < 2))),
      ),
  },
  {
    title: 'selectors of another descriptor table',
    oracles: ['host'],
    because: 'LAR, LSL, VERR, VERW and loads of segment registers see Linux’s GDT, not the stage’s',
    explains: ({ instruction: o }) =>
      allWhen(
        twoByte(o, 0x02, 0x03, 0xb2, 0xb4, 0xb5, 0xa1, 0xa9) ||
          (twoByte(o, 0x00) && register(o) >= 4) ||
          oneByte(o, 0x07, 0x17, 0x1f, 0x8e, 0xc4, 0xc5, 0x9a, 0xea, 0xcf, 0xca, 0xcb) ||
          (oneByte(o, 0xff) && [3, 5].includes(register(o))),
      ),
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
      'AMD fetches displacement and immediate before #UD, and no ModRM byte for UD1; the manuals leave it open',
    explains: ({ instruction: o, core, oracle }) =>
      allWhen(
        (core.vector === UD && oracle.vector === PF && (oracle.errorCode & 0x10) !== 0) ||
          (oracle.vector === UD && core.vector === PF && (core.errorCode & 0x10) !== 0) ||
          (oracle.vector === UD && core.vector === 13 && twoByte(o, 0xb9)),
      ),
  },
  {
    title: 'bits 31:16 of ESP on a 16-bit stack',
    oracles: ['host'],
    because: 'IRET to a 16-bit stack leaves them to the kernel’s (SDM vol. 3, 23.31.1 on ESP; Linux: espfix)',
    explains({ instruction: o, mode }) {
      if (mode.bits !== 16) return NOTHING;
      const inOpcode =
        o.map === 1
          ? o.opcode >= 0x40 && o.opcode < 0x98 && (o.opcode & 7) === 4
          : (o.opcode & 0xcf) === 0xcc;
      const inModrm = register(o) === 4 || (o.modrm & 0xc7) === 0xc4;
      return allWhen(
        inOpcode || inModrm || oneByte(o, 0x60, 0xc8) || (has(o, 0x67) && isMemory(o) && (o.modrm & 7) === 4),
      );
    },
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
    title: 'ENTER of 32 bits on a 16-bit stack',
    oracles: ['qemu'],
    because: 'QEMU 7.2 puts bits 31:16 of ESP into EBP; an AMD family 26 CPU clears them',
    explains: ({ instruction: o, mode }) =>
      mode.bits === 16 && oneByte(o, 0xc8) && has(o, 0x66) ? ['r5', 'memory'] : NOTHING,
  },
  {
    title: '#AC and #PF of the same access',
    oracles: ['host'],
    because: 'AMD checks alignment before paging; the order within the class is open (SDM vol. 3, table 6-2)',
    explains: ({ prepared, core, oracle }) =>
      (prepared.rflags & 0x40000) !== 0 && core.vector === PF && oracle.vector === 17 ? 'all' : NOTHING,
  },
  {
    title: 'FXSAVE and FXRSTOR of a bad address',
    oracles: ['host'],
    because:
      'CR2 may name any byte of the 512; misaligned and not canonical at once is #SS or #GP as the CPU likes',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0xae) && register(o) < 2 && isMemory(o) && core.vector !== 1 && oracle.vector !== 1
        ? ['cr2', 'vector']
        : NOTHING,
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
      isFloatingPoint(o) && core.vector === 12 && oracle.vector === 13 ? ['vector'] : NOTHING,
  },
  {
    title: 'the byte of an 80-bit store that CR2 names',
    oracles: ['host'],
    because:
      'FSTP m80 and FBSTP are two accesses: the core makes the upper one first, the host the lower one',
    explains: ({ instruction: o, core, oracle }) =>
      ((oneByte(o, 0xdb) && register(o) === 7) || (oneByte(o, 0xdf) && register(o) === 6)) &&
      core.vector === PF &&
      oracle.vector === PF
        ? ['cr2', 'error']
        : NOTHING,
  },
  {
    title: 'BOUND whose upper limit lies beyond 4 GiB or the segment',
    oracles: ['host'],
    because: 'BOUND is two accesses: AMD reads the lower limit before it checks where the upper one lies',
    explains: ({ instruction: o, core, oracle }) =>
      allWhen(oneByte(o, 0x62) && core.vector === 13 && oracle.vector === PF),
  },
  {
    title: 'floating point',
    oracles: ['host', 'qemu', 'bochs'],
    because:
      'x87, MMX and SSE instructions that the core does not compute raise #UD (top of assembly/core.ts)',
    explains: ({ instruction: o, core }) =>
      allWhen(isFloatingPoint(o) && (core.vector === UD || oneByte(o, 0x9b))),
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
