/** What the CPU of the machine does otherwise, with Linux or a hypervisor around it; found on an AMD family 26 CPU. */
import type { Rule } from './explained';
import { fxPart, type Field } from './fuzz/compare';
import { areEstimates, areNeighbours, fxWord, sameRegisters, ST_NAMES, XMM_NAMES } from './fuzz/fxCompare';
import { isMemory, oneByte, register, repeat, twoByte, type Opcode } from './fuzz/opcode';
import { ARENA } from './stepper/stage';

const UD = 6;
const PF = 14;
const AC = 17;
const NOTHING: readonly Field[] = [];
/** Only the vector and what follows from it may differ. */
const allWhen = (condition: boolean): readonly Field[] | 'all' => (condition ? 'all' : NOTHING);
const inArena = (address: bigint): boolean => address >= BigInt(ARENA) && address < BigInt(ARENA + 0x10000);

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
/** In the first or last 512 bytes of what a 16-bit or a 32-bit address reaches. */
const wraps = (address: bigint): boolean =>
  address < 0x200n || (address & ~0x1ffn) === 0xfffffe00n || (address & ~0x1ffn) === BigInt(ARENA);
/** Around the end of the address space too. */
const distance = (a: bigint, b: bigint): bigint => {
  const [up, down] = [BigInt.asUintN(64, a - b), BigInt.asUintN(64, b - a)];
  return up < down ? up : down;
};

/** What stepper.c reports for an instruction that did not end within a second. */
const HUNG = 255;

export const HOST_RULES: readonly Rule[] = [
  {
    title: 'the host does not come back from the instruction',
    oracles: ['host'],
    because:
      'now and then a 16-bit case hangs natively and no signal comes, on a machine whose hypervisor is a software KVM; the cause is not known',
    explains: ({ oracle }) => allWhen(oracle.vector === HUNG),
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
      if ([12, 13].includes(core.vector)) return [12, PF, AC].includes(oracle.vector) ? ['vector'] : NOTHING;
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
      'VMCALL, SVM’s instructions, MONITORX and MWAITX of a host that is a guest: its hypervisor answers; the core, with nobody to answer, raises #UD',
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
      'AMD probes the last byte of an x87 environment, FXSAVE image or MASKMOV first, at an address that wraps with the address size',
    explains: ({ instruction: o, core, oracle }) =>
      (isLong(o) || twoByte(o, 0xf7)) &&
      [12, 13].includes(core.vector) &&
      oracle.vector === PF &&
      wraps(oracle.cr2)
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
      [PF, AC].includes(oracle.vector) &&
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
    title: 'FXSAVE and FXRSTOR of a misaligned address that is not canonical',
    oracles: ['host'],
    because: '#GP(0) of the alignment or #SS(0) of the address (SDM vol. 3, table 6-2 leaves it open)',
    explains: ({ instruction: o, core, oracle }) =>
      twoByte(o, 0xae) && isLong(o) && core.vector === 13 && oracle.vector === 12 ? ['vector'] : NOTHING,
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
    title: 'how far a faulting POPA, ENTER or CALL came',
    oracles: ['host'],
    because:
      'registers and memory below the stack pointer after the fault are not architectural; the core changes nothing',
    explains: ({ instruction: o, core, oracle }) =>
      core.vector !== oracle.vector || core.vector === 1
        ? NOTHING
        : oneByte(o, 0x61)
          ? ['cr2', ...Array.from({ length: 8 }, (_, r): Field => `r${r}`)]
          : oneByte(o, 0x60, 0xc8, 0xe8, 0xff)
            ? ['memory', 'cr2']
            : NOTHING,
  },
  {
    title: '#AC and #PF of the same access',
    oracles: ['host'],
    because: 'AMD checks alignment before paging; the order within the class is open (SDM vol. 3, table 6-2)',
    explains: ({ prepared, core, oracle }) =>
      (prepared.rflags & 0x40000) !== 0 && core.vector === PF && oracle.vector === 17 ? 'all' : NOTHING,
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
