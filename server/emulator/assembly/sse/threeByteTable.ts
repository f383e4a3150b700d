/** The opcodes of SSSE3 and SSE4.1 behind 0F 38 and 0F 3A (SDM vol. 2, tables ): cells without prefix and with 66. */
import * as O from "./operation";
import { ALIGNED, FEATURE_SHIFT, IMMEDIATE, MEMORY_ONLY, MM, SIZE_SHIFT, SSE41, SSSE3, WIDE } from "./table";

const F3 = SSSE3 << FEATURE_SHIFT;
const F4 = SSE41 << FEATURE_SHIFT;
const M1 = 0 << SIZE_SHIFT;
const M2 = 1 << SIZE_SHIFT;
const M4 = 2 << SIZE_SHIFT;
const M8 = 3 << SIZE_SHIFT;
const M16 = 4 << SIZE_SHIFT;
const P = MM | M8 | F3;
const X3 = M16 | ALIGNED | F3;
const X4 = M16 | ALIGNED | F4;
const I = IMMEDIATE;

const CELLS_38: StaticArray<u32> = [
  /* 00 */ O.PSHUFB | P, O.PSHUFB | X3,
  /* 01 */ O.PHADDW | P, O.PHADDW | X3,
  /* 02 */ O.PHADDD | P, O.PHADDD | X3,
  /* 03 */ O.PHADDSW | P, O.PHADDSW | X3,
  /* 04 */ O.PMADDUBSW | P, O.PMADDUBSW | X3,
  /* 05 */ O.PHSUBW | P, O.PHSUBW | X3,
  /* 06 */ O.PHSUBD | P, O.PHSUBD | X3,
  /* 07 */ O.PHSUBSW | P, O.PHSUBSW | X3,
  /* 08 */ O.PSIGNB | P, O.PSIGNB | X3,
  /* 09 */ O.PSIGNW | P, O.PSIGNW | X3,
  /* 0a */ O.PSIGND | P, O.PSIGND | X3,
  /* 0b */ O.PMULHRSW | P, O.PMULHRSW | X3,
  /* 0c */ 0, 0, /* 0d */ 0, 0, /* 0e */ 0, 0, /* 0f */ 0, 0,
  /* 10 */ 0, O.PBLENDVB | X4,
  /* 11 */ 0, 0, /* 12 */ 0, 0, /* 13 */ 0, 0,
  /* 14 */ 0, O.BLENDVPS | X4,
  /* 15 */ 0, O.BLENDVPD | X4,
  /* 16 */ 0, 0,
  /* 17 */ 0, O.PTEST | X4,
  /* 18 */ 0, 0, /* 19 */ 0, 0, /* 1a */ 0, 0, /* 1b */ 0, 0,
  /* 1c */ O.PABSB | P, O.PABSB | X3,
  /* 1d */ O.PABSW | P, O.PABSW | X3,
  /* 1e */ O.PABSD | P, O.PABSD | X3,
  /* 1f */ 0, 0,
  /* 20 */ 0, O.PMOVSXBW | M8 | F4,
  /* 21 */ 0, O.PMOVSXBD | M4 | F4,
  /* 22 */ 0, O.PMOVSXBQ | M2 | F4,
  /* 23 */ 0, O.PMOVSXWD | M8 | F4,
  /* 24 */ 0, O.PMOVSXWQ | M4 | F4,
  /* 25 */ 0, O.PMOVSXDQ | M8 | F4,
  /* 26 */ 0, 0, /* 27 */ 0, 0,
  /* 28 */ 0, O.PMULDQ | X4,
  /* 29 */ 0, O.PCMPEQQ | X4,
  /* 2a */ 0, O.LOAD | X4 | MEMORY_ONLY,
  /* 2b */ 0, O.PACKUSDW | X4,
  /* 2c */ 0, 0, /* 2d */ 0, 0, /* 2e */ 0, 0, /* 2f */ 0, 0,
  /* 30 */ 0, O.PMOVZXBW | M8 | F4,
  /* 31 */ 0, O.PMOVZXBD | M4 | F4,
  /* 32 */ 0, O.PMOVZXBQ | M2 | F4,
  /* 33 */ 0, O.PMOVZXWD | M8 | F4,
  /* 34 */ 0, O.PMOVZXWQ | M4 | F4,
  /* 35 */ 0, O.PMOVZXDQ | M8 | F4,
  /* 36 */ 0, 0, /* 37 */ 0, 0,
  /* 38 */ 0, O.PMINSB | X4,
  /* 39 */ 0, O.PMINSD | X4,
  /* 3a */ 0, O.PMINUW | X4,
  /* 3b */ 0, O.PMINUD | X4,
  /* 3c */ 0, O.PMAXSB | X4,
  /* 3d */ 0, O.PMAXSD | X4,
  /* 3e */ 0, O.PMAXUW | X4,
  /* 3f */ 0, O.PMAXUD | X4,
  /* 40 */ 0, O.PMULLD | X4,
  /* 41 */ 0, O.PHMINPOSUW | X4,
];
const END_38: u32 = 0x42;

/** From 08 on. */
const CELLS_3A: StaticArray<u32> = [
  /* 08 */ 0, O.ROUNDPS | X4 | I,
  /* 09 */ 0, O.ROUNDPD | X4 | I,
  /* 0a */ 0, O.ROUNDSS | M4 | F4 | I,
  /* 0b */ 0, O.ROUNDSD | M8 | F4 | I,
  /* 0c */ 0, O.BLENDPS | X4 | I,
  /* 0d */ 0, O.BLENDPD | X4 | I,
  /* 0e */ 0, O.PBLENDW | X4 | I,
  /* 0f */ O.PALIGNR | P | I, O.PALIGNR | X3 | I,
  /* 10 */ 0, 0, /* 11 */ 0, 0, /* 12 */ 0, 0, /* 13 */ 0, 0,
  /* 14 */ 0, O.PEXTRB | M1 | F4 | I,
  /* 15 */ 0, O.PEXTRW_STORE | M2 | F4 | I,
  /* 16 */ 0, O.PEXTRD | M4 | F4 | WIDE | I,
  /* 17 */ 0, O.EXTRACTPS | M4 | F4 | I,
  /* 18 */ 0, 0, /* 19 */ 0, 0, /* 1a */ 0, 0, /* 1b */ 0, 0, /* 1c */ 0, 0, /* 1d */ 0, 0, /* 1e */ 0, 0, /* 1f */ 0, 0,
  /* 20 */ 0, O.PINSRB | M1 | F4 | I,
  /* 21 */ 0, O.INSERTPS | M4 | F4 | I,
  /* 22 */ 0, O.PINSRD | M4 | F4 | WIDE | I,
];
const START_3A: u32 = 0x08;
const END_3A: u32 = 0x23;
/** DPPS, DPPD, MPSADBW: 40 to 42. */
const CELLS_3A_40: StaticArray<u32> = [
  /* 40 */ 0, O.DPPS | X4 | I,
  /* 41 */ 0, O.DPPD | X4 | I,
  /* 42 */ 0, O.MPSADBW | X4 | I,
];

/** The cell of an opcode behind 0F 38; none with F2 and F3. */
export function cellOf38(opcode: u32, prefix: u32): u32 {
  return prefix > 1 || opcode >= END_38 ? 0 : unchecked(CELLS_38[(opcode << 1) + prefix]);
}
/** The cell of an opcode behind 0F 3A. */
export function cellOf3a(opcode: u32, prefix: u32): u32 {
  if (prefix > 1) return 0;
  if (opcode >= START_3A && opcode < END_3A) return unchecked(CELLS_3A[((opcode - START_3A) << 1) + prefix]);
  return opcode >= 0x40 && opcode <= 0x42 ? unchecked(CELLS_3A_40[((opcode - 0x40) << 1) + prefix]) : 0;
}
