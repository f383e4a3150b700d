/** Rows in which another x86 does not do what the manual says, or what the CPUs do, and who decides. */
import type { OracleName } from '../oracle/explained';
import type { Row } from './spec';

export interface SpecDisagreement {
  readonly oracle: OracleName | 'kvm';
  readonly because: string;
  /** It does not survive the row, which is therefore not run there. */
  readonly fatal?: true;
  matches(row: Row, mode: string): boolean;
}

const assembly =
  (pattern: RegExp) =>
  (row: Row): boolean =>
    pattern.test(row[1]);
const form =
  (pattern: RegExp) =>
  (row: Row): boolean =>
    pattern.test(row[0]);

/** QEMU 7.2 looks at LOCK in these only. */
const LOCK_CHECKED =
  /^db 0xf0; (add|adc|and|or|sbb|sub|xor|cmp|inc|dec|neg|not|bt[crs]|cmpxchg|nop$|lfence|ud2|clflush)\b/;

export const DISAGREEMENTS: readonly SpecDisagreement[] = [
  {
    oracle: 'qemu',
    fatal: true,
    because:
      'QEMU 7.2 ends with "tcg fatal error" at LOCK BTS, BTR, BTC of a register; SDM vol. 2, LOCK: #UD',
    matches: assembly(/^db 0xf0; bt[crs] e/),
  },
  {
    oracle: 'qemu',
    because: 'LOCK is ignored where it is not allowed; SDM vol. 2, LOCK: #UD',
    matches: ([, code, , after]) => /^db 0xf0[;,]/.test(code) && after === '#UD' && !LOCK_CHECKED.test(code),
  },
  {
    oracle: 'qemu',
    because: 'an address by RBP or RSP that is not canonical is #GP(0); SDM vol. 1, 3.3.7.1: #SS(0)',
    matches: ([title, , , after]) => /non-canonical address/.test(title) && after === '#SS(0)',
  },
  {
    oracle: 'qemu',
    because: 'the target of a near branch is not checked; SDM vol. 2, JMP, CALL, RET: #GP(0)',
    matches: ([title, , , after]) =>
      /^(JMP|CALL|RET)/.test(title) && /non-canonical|beyond the limit/.test(title) && after === '#GP(0)',
  },
  {
    oracle: 'qemu',
    because: 'the limits of segments are not checked; SDM vol. 3, 5.3',
    matches: form(/^MOV r16, m16(: a 32-bit address| at FFFF)/),
  },
  {
    oracle: 'qemu',
    because: 'MOVBE in 16-bit code has the operand size of 32-bit code; SDM vol. 2, MOVBE',
    matches: (row, mode) => /^MOVBE [rm]32/.test(row[0]) && mode === 'compatibility-16-user',
  },
  {
    oracle: 'qemu',
    because: 'MOVNTI with 66 is MOVNTI; SDM vol. 2, table A-3: no instruction there',
    matches: form(/^MOVNTI with 66/),
  },
  {
    oracle: 'qemu',
    because: 'a read-modify-write reads first, W/R is 0; SDM vol. 3, 4.7: 1 for an access that is a write',
    matches: form(/^ADD m32, r32 half in an absent page/),
  },
  {
    oracle: 'qemu',
    because: 'F6 /1 is #UD; APM vol. 3, table A-6: TEST, as every CPU has it',
    matches: form(/^TEST by F6 \/1/),
  },
  {
    oracle: 'qemu',
    because: 'IDT error codes of long mode hold 16 times the vector; SDM vol. 3, 6.13: 8 times',
    matches: form(/^INT n without a gate for CPL 3/),
  },
  {
    oracle: 'qemu',
    because: 'PAUSE leaves the translated block without the single-step trap; SDM vol. 3, 17.3.2',
    matches: form(/^PAUSE/),
  },
  {
    oracle: 'qemu',
    because: 'CLFLUSH touches nothing; SDM vol. 2, CLFLUSH: checks as of a load of one byte',
    matches: form(/^CLFLUSH m8 of an absent page/),
  },
  {
    oracle: 'qemu',
    because: 'the byte behind 15 prefixes is fetched before the length is found too large; AMD family 26 CPU',
    matches: form(/^15 prefixes at the end of a page/),
  },
  {
    oracle: 'qemu',
    because: 'REX.W before another prefix is kept; SDM vol. 2, 2.2.1: REX must be right before the opcode',
    matches: form(/^REX.W before 66 is ignored/),
  },
  {
    oracle: 'qemu',
    because: 'the x87 stack neither overflows nor underflows; SDM vol. 1, 8.5.1.1',
    matches: form(/^(FLD onto a full stack|FSTP of an empty register|with IE unmasked nothing is stored)/),
  },
  {
    oracle: 'qemu',
    because:
      'C1 is not kept; SDM vol. 1, 8.1.3.2 and 8.5.6: rounded up, and cleared by instructions without rounding',
    matches: form(/^(FXCH clears C1|FDIV 1 by 3|the same in single precision|FST m32 too large)/),
  },
  {
    oracle: 'qemu',
    because: 'denormal operands are not reported; SDM vol. 1, 8.5.2 and 11.5.2.2',
    matches: form(/^(FLD m32 of a denormal|without DAZ it sets DE)/),
  },
  {
    oracle: 'qemu',
    because:
      'unmasked exceptions change registers, and flags that become unmasked are not pending; SDM vol. 1, 8.5.3, 8.6, 11.5.3',
    matches: form(
      /^(FDIV by zero unmasked|unmasked it is #XM|FLDCW that unmasks|a waiting instruction meets)/,
    ),
  },
  {
    oracle: 'qemu',
    because:
      'FSQRT of a negative number sets C2, FPREM1 leaves the quotient’s bits; SDM vol. 2, FSQRT and FPREM1',
    matches: form(/^(FSQRT of|FPREM1)/),
  },
  {
    oracle: 'qemu',
    because: 'an operand of 10 or 16 bytes is stored in parts before it faults; SDM vol. 3, 6.5',
    matches: form(/half in an absent page writes nothing/),
  },
  {
    oracle: 'qemu',
    because:
      'FRSTOR checks no alignment, and bit 6 of the control word reads as written; SDM vol. 3, table 6-7; vol. 1, 8.1.5',
    matches: form(/^FRSTOR/),
  },
  {
    oracle: 'qemu',
    because: 'bits 79:64 of an MMX register stay; SDM vol. 1, 9.5.1: ones',
    matches: form(/^an MMX instruction makes TOP 0/),
  },
  {
    oracle: 'qemu',
    because: 'reserved bits of MXCSR are ignored; SDM vol. 2, LDMXCSR: #GP(0)',
    matches: form(/^LDMXCSR of a reserved bit/),
  },
  {
    oracle: 'bochs',
    because: 'FSTP m80 stores 8 bytes before the last two fault; SDM vol. 3, 6.5',
    matches: form(/^FSTP m80 half in an absent page/),
  },
  {
    oracle: 'bochs',
    because: 'the registers of FRSTOR are aligned to 8; SDM vol. 3, table 6-7: 4 or 2 by operand size',
    matches: form(/^FRSTOR is aligned to its doublewords/),
  },
  {
    oracle: 'bochs',
    because:
      'Bochs 2.7 pushes the return address before it checks the target; SDM vol. 2, CALL: checks first',
    matches: form(/^CALL .* pushes nothing/),
  },
  {
    oracle: 'bochs',
    because:
      'PUSH Sreg of 32 bits writes two bytes, which SDM vol. 2, PUSH allows; an AMD family 26 CPU four',
    matches: form(/^PUSH Sreg of 32 bits is zero-extended/),
  },
  {
    oracle: 'bochs',
    because: 'its CPU broadwell_ult has SMAP; SDM vol. 2, STAC: #UD without it',
    matches: form(/^STAC without SMAP/),
  },
];
