/** What the manuals leave open, features that the core lacks, and errors of QEMU. */
import type { Difference, Rule } from './explained';
import type { Field } from './fuzz/compare';
import { has, isMemory, oneByte, register, twoByte } from './fuzz/opcode';
import { lacks } from './lackingFeatures';
import { undefinedFlags } from './fuzz/undefinedFlags';

const UD = 6;
const PF = 14;
const NOTHING: readonly Field[] = [];
/** Only the vector and what follows from it may differ. */
const allWhen = (condition: boolean): readonly Field[] | 'all' => (condition ? 'all' : NOTHING);

/** The instruction's bytes of a shift count, where it has one. */
function lastByte({ prepared, core, mode }: Difference): number | null {
  const end = Number(BigInt.asUintN(32, core.rip)) - mode.origin - 0x1f00;
  return end >= 1 && end <= 256 ? (prepared.memory[end - 1] ?? null) : null;
}

export const GENERAL_RULES: readonly Rule[] = [
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
    title: 'ARPL that changes nothing in a read-only page',
    oracles: ['qemu'],
    because:
      'QEMU 7.2 always writes; SDM vol. 2, ARPL: only where the RPL grows (so does an AMD family 26 CPU)',
    explains: ({ mode, instruction: o, core, oracle }) =>
      allWhen(mode.bits !== 64 && oneByte(o, 0x63) && core.vector === 1 && oracle.vector === PF),
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
    title: 'flags of a shift whose write faults',
    oracles: ['qemu'],
    because: 'QEMU 7.2 sets them before it stores; a fault leaves the state as it was (SDM vol. 3, 6.5)',
    explains: ({ instruction: o, core, oracle }) =>
      core.vector === PF && oracle.vector === PF && oneByte(o, 0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3)
        ? ['rflags']
        : NOTHING,
  },
  {
    title: 'MOVSXD with 66 before an absent page',
    oracles: ['host', 'qemu'],
    because: 'AMD reads four bytes and so does QEMU 7.2, Intel’s manual names r/m16',
    explains: ({ instruction: o, core, oracle }) =>
      allWhen(oneByte(o, 0x63) && has(o, 0x66) && core.vector === 1 && oracle.vector === PF),
  },
];
