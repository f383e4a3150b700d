/**
 * The opcodes of MMX, SSE, SSE2 and SSE3 behind 0F (SDM vol. 2, table A-3; vol. 2, 2.1.1 on mandatory prefixes): per opcode
 * four cells, by mandatory prefix: none, 66, F3, F2. A cell is an operation and what its operands are; 0 is #UD.
 */
import * as O from "./operation";

/** The operation. */
export const OPERATION = 0x1ff;
/** The vector operands are MMX registers, not XMM. */
export const MM = 0x200;
/** No memory form. */
export const REGISTER_ONLY = 0x400;
export const MEMORY_ONLY = 0x800;
/** An 8-bit immediate follows. */
export const IMMEDIATE = 0x1000;
/** A memory operand must be aligned to its 16 bytes, else #GP(0). */
export const ALIGNED = 0x2000;
/** Log2 of the bytes of a memory operand. */
export const SIZE_SHIFT = 14;
/** An XMM instruction with an MMX operand: it enters the MMX state as well. */
export const WITH_MM = 0x20000;
/** As WITH_MM, but with a memory operand it doesn't touch MMX. */
export const WITH_MM_REGISTER = 0x40000;
/** REX.W makes the general register or integer 64 bits wide. */
export const WIDE = 0x80000;
/** Only the low half of the source counts: in misaligned mode (MXCSR.MM) no more is read. */
export const LOW_HALF = 0x100000;
/** Features by which an instruction exists. */
export const FEATURE_SHIFT = 24;
export const FEATURE_MASK = 15;
export const MMX = 0;
/** SSE's additions to MMX, which AMD had before as MMXEXT. */
export const MMXEXT = 1;
export const SSE = 2;
export const SSE2 = 3;
export const SSE3 = 4;
export const SSSE3 = 5;
export const SSE41 = 6;
/** A shift by the immediate, of the register in ModRM.rm. */
export const BY_IMMEDIATE = 0x800000;
/** The decoder adds the mandatory prefix: 0 none, 1 66, 2 F3, 3 F2. For floating point: PS, PD, SS, SD. */
export const PREFIX_SHIFT = 30;

const M4 = 2 << SIZE_SHIFT;
const M8 = 3 << SIZE_SHIFT;
const M16 = 4 << SIZE_SHIFT;
const M2 = 1 << SIZE_SHIFT;

const F1 = SSE << FEATURE_SHIFT;
const F2 = SSE2 << FEATURE_SHIFT;
const F3 = SSE3 << FEATURE_SHIFT;

/** MMX, and SSE's and SSE2's additions to it. */
const P = MM | M8;
const P_EXT = P | (MMXEXT << FEATURE_SHIFT);
const P_2 = P | F2;
/** As P, but only the low half of a memory operand is read. */
const P_LOW = MM | M4;
/** XMM with an aligned memory operand, by the feature it came with. */
const X1 = M16 | ALIGNED | F1;
const X2 = M16 | ALIGNED | F2;
const X3 = M16 | ALIGNED | F3;
const L1 = X1 | LOW_HALF;
const L2 = X2 | LOW_HALF;
/** The same without alignment. */
const U1 = M16 | F1;
const U2 = M16 | F2;
const U3 = M16 | F3;
/** Scalars, single and double. */
const SS = M4 | F1;
const SD = M8 | F2;
const Q1 = M8 | F1;
const Q2 = M8 | F2;
const Q3 = M8 | F3;
const I = IMMEDIATE;

const CELLS: StaticArray<u32> = [
  /* 10 */ O.LOAD | U1, O.LOAD | U2, O.MOVE_SCALAR | SS, O.MOVE_SCALAR | SD,
  /* 11 */ O.STORE | U1, O.STORE | U2, O.STORE_SCALAR | SS, O.STORE_SCALAR | SD,
  /* 12 */ O.MOVE_LOW | Q1, O.MOVE_LOW | Q2 | MEMORY_ONLY, O.MOVSLDUP | X3, O.MOVDDUP | Q3,
  /* 13 */ O.STORE_LOW | Q1 | MEMORY_ONLY, O.STORE_LOW | Q2 | MEMORY_ONLY, 0, 0,
  /* 14 */ O.PUNPCKLDQ | L1, O.PUNPCKLQDQ | L2, 0, 0,
  /* 15 */ O.PUNPCKHDQ | X1, O.PUNPCKHQDQ | X2, 0, 0,
  /* 16 */ O.MOVE_HIGH | Q1, O.MOVE_HIGH | Q2 | MEMORY_ONLY, O.MOVSHDUP | X3, 0,
  /* 17 */ O.STORE_HIGH | Q1 | MEMORY_ONLY, O.STORE_HIGH | Q2 | MEMORY_ONLY, 0, 0,

  /* 28 */ O.LOAD | X1, O.LOAD | X2, 0, 0,
  /* 29 */ O.STORE | X1, O.STORE | X2, 0, 0,
  /* 2a */ O.CVTPI2PS | Q1 | WITH_MM_REGISTER, O.CVTPI2PD | Q2 | WITH_MM_REGISTER, O.CVTSI2S | M4 | F1 | WIDE, O.CVTSI2S | M4 | F2 | WIDE,
  /* 2b */ O.STORE | X1 | MEMORY_ONLY, O.STORE | X2 | MEMORY_ONLY, 0, 0,
  /* 2c */ O.CVTTP2PI | Q1 | WITH_MM, O.CVTTP2PI | X2 | WITH_MM, O.CVTTS2SI | SS, O.CVTTS2SI | SD,
  /* 2d */ O.CVTP2PI | Q1 | WITH_MM, O.CVTP2PI | X2 | WITH_MM, O.CVTS2SI | SS, O.CVTS2SI | SD,
  /* 2e */ O.UCOMI | SS, O.UCOMI | SD, 0, 0,
  /* 2f */ O.COMI | SS, O.COMI | SD, 0, 0,

  /* 50 */ O.MOVMSK | F1 | REGISTER_ONLY, O.MOVMSK | F2 | REGISTER_ONLY, 0, 0,
  /* 51 */ O.SQRT | X1, O.SQRT | X2, O.SQRT | SS, O.SQRT | SD,
  /* 52 */ O.RSQRT | X1, 0, O.RSQRT | SS, 0,
  /* 53 */ O.RCP | X1, 0, O.RCP | SS, 0,
  /* 54 */ O.AND | X1, O.AND | X2, 0, 0,
  /* 55 */ O.ANDN | X1, O.ANDN | X2, 0, 0,
  /* 56 */ O.OR | X1, O.OR | X2, 0, 0,
  /* 57 */ O.XOR | X1, O.XOR | X2, 0, 0,
  /* 58 */ O.ADD | X1, O.ADD | X2, O.ADD | SS, O.ADD | SD,
  /* 59 */ O.MUL | X1, O.MUL | X2, O.MUL | SS, O.MUL | SD,
  /* 5a */ O.CVTPS2PD | Q2, O.CVTPD2PS | X2, O.CVTSS2SD | M4 | F2, O.CVTSD2SS | SD,
  /* 5b */ O.CVTDQ2PS | X2, O.CVTPS2DQ | X2, O.CVTTPS2DQ | X2, 0,
  /* 5c */ O.SUB | X1, O.SUB | X2, O.SUB | SS, O.SUB | SD,
  /* 5d */ O.MIN | X1, O.MIN | X2, O.MIN | SS, O.MIN | SD,
  /* 5e */ O.DIV | X1, O.DIV | X2, O.DIV | SS, O.DIV | SD,
  /* 5f */ O.MAX | X1, O.MAX | X2, O.MAX | SS, O.MAX | SD,
  /* 60 */ O.PUNPCKLBW | P_LOW, O.PUNPCKLBW | L2, 0, 0,
  /* 61 */ O.PUNPCKLWD | P_LOW, O.PUNPCKLWD | L2, 0, 0,
  /* 62 */ O.PUNPCKLDQ | P_LOW, O.PUNPCKLDQ | L2, 0, 0,
  /* 63 */ O.PACKSSWB | P, O.PACKSSWB | X2, 0, 0,
  /* 64 */ O.PCMPGTB | P, O.PCMPGTB | X2, 0, 0,
  /* 65 */ O.PCMPGTW | P, O.PCMPGTW | X2, 0, 0,
  /* 66 */ O.PCMPGTD | P, O.PCMPGTD | X2, 0, 0,
  /* 67 */ O.PACKUSWB | P, O.PACKUSWB | X2, 0, 0,
  /* 68 */ O.PUNPCKHBW | P, O.PUNPCKHBW | X2, 0, 0,
  /* 69 */ O.PUNPCKHWD | P, O.PUNPCKHWD | X2, 0, 0,
  /* 6a */ O.PUNPCKHDQ | P, O.PUNPCKHDQ | X2, 0, 0,
  /* 6b */ O.PACKSSDW | P, O.PACKSSDW | X2, 0, 0,
  /* 6c */ 0, O.PUNPCKLQDQ | L2, 0, 0,
  /* 6d */ 0, O.PUNPCKHQDQ | X2, 0, 0,
  /* 6e */ O.MOVE_FROM_GENERAL | MM | M4 | WIDE, O.MOVE_FROM_GENERAL | M4 | F2 | WIDE, 0, 0,
  /* 6f */ O.LOAD | P, O.LOAD | X2, O.LOAD | U2, 0,
  /* 70 */ O.PSHUFW | P_EXT | I, O.PSHUFD | X2 | I, O.PSHUFHW | X2 | I, O.PSHUFLW | X2 | I,
  // 71 to 73 are the groups below.
  0, 0, 0, 0,
  0, 0, 0, 0,
  0, 0, 0, 0,
  /* 74 */ O.PCMPEQB | P, O.PCMPEQB | X2, 0, 0,
  /* 75 */ O.PCMPEQW | P, O.PCMPEQW | X2, 0, 0,
  /* 76 */ O.PCMPEQD | P, O.PCMPEQD | X2, 0, 0,
  // 77 is EMMS, without ModRM.
  0, 0, 0, 0,
  /* 78 */ 0, 0, 0, 0,
  /* 79 */ 0, 0, 0, 0,
  /* 7a */ 0, 0, 0, 0,
  /* 7b */ 0, 0, 0, 0,
  /* 7c */ 0, O.HADD | X3, 0, O.HADD | X3,
  /* 7d */ 0, O.HSUB | X3, 0, O.HSUB | X3,
  /* 7e */ O.MOVE_TO_GENERAL | MM | M4 | WIDE, O.MOVE_TO_GENERAL | M4 | F2 | WIDE, O.LOAD | Q2, 0,
  /* 7f */ O.STORE | P, O.STORE | X2, O.STORE | U2, 0,

  /* c2 */ O.CMP | X1 | I, O.CMP | X2 | I, O.CMP | SS | I, O.CMP | SD | I,
  // c3 is MOVNTI, a move of a general register.
  0, 0, 0, 0,
  /* c4 */ O.PINSRW | MM | M2 | (MMXEXT << FEATURE_SHIFT) | I, O.PINSRW | M2 | F2 | I, 0, 0,
  /* c5 */ O.PEXTRW | P_EXT | REGISTER_ONLY | I, O.PEXTRW | F2 | REGISTER_ONLY | I, 0, 0,
  /* c6 */ O.SHUFPS | X1 | I, O.SHUFPD | X2 | I, 0, 0,

  /* d0 */ 0, O.ADDSUB | X3, 0, O.ADDSUB | X3,
  /* d1 */ O.PSRLW | P, O.PSRLW | L2, 0, 0,
  /* d2 */ O.PSRLD | P, O.PSRLD | L2, 0, 0,
  /* d3 */ O.PSRLQ | P, O.PSRLQ | L2, 0, 0,
  /* d4 */ O.PADDQ | P_2, O.PADDQ | X2, 0, 0,
  /* d5 */ O.PMULLW | P, O.PMULLW | X2, 0, 0,
  /* d6 */ 0, O.STORE_LOW | Q2, O.MOVQ2DQ | F2 | REGISTER_ONLY | WITH_MM, O.MOVDQ2Q | F2 | REGISTER_ONLY | WITH_MM,
  /* d7 */ O.PMOVMSKB | P_EXT | REGISTER_ONLY, O.PMOVMSKB | F2 | REGISTER_ONLY, 0, 0,
  /* d8 */ O.PSUBUSB | P, O.PSUBUSB | X2, 0, 0,
  /* d9 */ O.PSUBUSW | P, O.PSUBUSW | X2, 0, 0,
  /* da */ O.PMINUB | P_EXT, O.PMINUB | X2, 0, 0,
  /* db */ O.AND | P, O.AND | X2, 0, 0,
  /* dc */ O.PADDUSB | P, O.PADDUSB | X2, 0, 0,
  /* dd */ O.PADDUSW | P, O.PADDUSW | X2, 0, 0,
  /* de */ O.PMAXUB | P_EXT, O.PMAXUB | X2, 0, 0,
  /* df */ O.ANDN | P, O.ANDN | X2, 0, 0,
  /* e0 */ O.PAVGB | P_EXT, O.PAVGB | X2, 0, 0,
  /* e1 */ O.PSRAW | P, O.PSRAW | L2, 0, 0,
  /* e2 */ O.PSRAD | P, O.PSRAD | L2, 0, 0,
  /* e3 */ O.PAVGW | P_EXT, O.PAVGW | X2, 0, 0,
  /* e4 */ O.PMULHUW | P_EXT, O.PMULHUW | X2, 0, 0,
  /* e5 */ O.PMULHW | P, O.PMULHW | X2, 0, 0,
  /* e6 */ 0, O.CVTTPD2DQ | X2, O.CVTDQ2PD | Q2, O.CVTPD2DQ | X2,
  /* e7 */ O.STORE | P_EXT | MEMORY_ONLY, O.STORE | X2 | MEMORY_ONLY, 0, 0,
  /* e8 */ O.PSUBSB | P, O.PSUBSB | X2, 0, 0,
  /* e9 */ O.PSUBSW | P, O.PSUBSW | X2, 0, 0,
  /* ea */ O.PMINSW | P_EXT, O.PMINSW | X2, 0, 0,
  /* eb */ O.OR | P, O.OR | X2, 0, 0,
  /* ec */ O.PADDSB | P, O.PADDSB | X2, 0, 0,
  /* ed */ O.PADDSW | P, O.PADDSW | X2, 0, 0,
  /* ee */ O.PMAXSW | P_EXT, O.PMAXSW | X2, 0, 0,
  /* ef */ O.XOR | P, O.XOR | X2, 0, 0,
  /* f0 */ 0, 0, 0, O.LOAD | U3 | MEMORY_ONLY,
  /* f1 */ O.PSLLW | P, O.PSLLW | L2, 0, 0,
  /* f2 */ O.PSLLD | P, O.PSLLD | L2, 0, 0,
  /* f3 */ O.PSLLQ | P, O.PSLLQ | L2, 0, 0,
  /* f4 */ O.PMULUDQ | P_2, O.PMULUDQ | X2, 0, 0,
  /* f5 */ O.PMADDWD | P, O.PMADDWD | X2, 0, 0,
  /* f6 */ O.PSADBW | P_EXT, O.PSADBW | X2, 0, 0,
  /* f7 */ O.MASKMOV | P_EXT | REGISTER_ONLY, O.MASKMOV | F2 | REGISTER_ONLY, 0, 0,
  /* f8 */ O.PSUBB | P, O.PSUBB | X2, 0, 0,
  /* f9 */ O.PSUBW | P, O.PSUBW | X2, 0, 0,
  /* fa */ O.PSUBD | P, O.PSUBD | X2, 0, 0,
  /* fb */ O.PSUBQ | P_2, O.PSUBQ | X2, 0, 0,
  /* fc */ O.PADDB | P, O.PADDB | X2, 0, 0,
  /* fd */ O.PADDW | P, O.PADDW | X2, 0, 0,
  /* fe */ O.PADDD | P, O.PADDD | X2, 0, 0,
];

const NO_ROW: u32 = 0xffffffff;

/** The row of an opcode behind 0F: its ranges lie one behind the other. */
function rowOf(opcode: u32): u32 {
  if (opcode >= 0x10 && opcode < 0x18) return opcode - 0x10;
  if (opcode >= 0x28 && opcode < 0x30) return opcode - 0x28 + 8;
  if (opcode >= 0x50 && opcode < 0x80) return opcode - 0x50 + 16;
  if (opcode >= 0xc2 && opcode < 0xc7) return opcode - 0xc2 + 64;
  if (opcode >= 0xd0 && opcode < 0xff) return opcode - 0xd0 + 69;
  return NO_ROW;
}

/** Whether an opcode behind 0F belongs to this table or to the groups. */
export function isVector(opcode: u32): bool {
  return opcode != 0xc3 && rowOf(opcode) != NO_ROW;
}

/** The cell of such an opcode with a mandatory prefix; 0 where there is none. */
export function cellOf(opcode: u32, prefix: u32): u32 {
  return unchecked(CELLS[(rowOf(opcode) << 2) + prefix]);
}

/** Groups 12 to 14 (0F 71 to 73): shifts by an immediate of a register, by ModRM.reg. */
const SHIFTS: StaticArray<u32> = [
  /* 71 */ 0, 0, O.PSRLW, 0, O.PSRAW, 0, O.PSLLW, 0,
  /* 72 */ 0, 0, O.PSRLD, 0, O.PSRAD, 0, O.PSLLD, 0,
  /* 73 */ 0, 0, O.PSRLQ, O.PSRLDQ, 0, 0, O.PSLLQ, O.PSLLDQ,
];

/** The cell of a shift by an immediate. */
export function shiftCell(opcode: u32, number: u32, prefix: u32): u32 {
  const operation = unchecked(SHIFTS[((opcode - 0x71) << 3) + number]);
  // The shifts of whole registers exist for XMM only.
  if (!operation || prefix > 1 || (prefix == 0 && (operation == O.PSRLDQ || operation == O.PSLLDQ))) return 0;
  return operation | BY_IMMEDIATE | REGISTER_ONLY | I | (prefix == 0 ? P : F2);
}

export const EMMS_CELL: u32 = O.EMMS | MM;
