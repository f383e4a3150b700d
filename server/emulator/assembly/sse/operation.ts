/**
 * What the instructions of MMX and SSE do, numbered for the switches of execute.ts. The same number serves the MMX and the
 * XMM form: the cell of table.ts says which registers it works on.
 */

// ---- Packed: destination and source vectors to a vector (packed.ts) ----
export const PUNPCKLBW = 1;
export const PUNPCKLWD = 2;
export const PUNPCKLDQ = 3;
export const PUNPCKLQDQ = 4;
export const PUNPCKHBW = 5;
export const PUNPCKHWD = 6;
export const PUNPCKHDQ = 7;
export const PUNPCKHQDQ = 8;
export const PACKSSWB = 9;
export const PACKUSWB = 10;
export const PACKSSDW = 11;
export const PCMPGTB = 12;
export const PCMPGTW = 13;
export const PCMPGTD = 14;
export const PCMPEQB = 15;
export const PCMPEQW = 16;
export const PCMPEQD = 17;
export const PSRLW = 18;
export const PSRLD = 19;
export const PSRLQ = 20;
export const PSRAW = 21;
export const PSRAD = 22;
export const PSLLW = 23;
export const PSLLD = 24;
export const PSLLQ = 25;
export const PSRLDQ = 26;
export const PSLLDQ = 27;
export const PADDB = 28;
export const PADDW = 29;
export const PADDD = 30;
export const PADDQ = 31;
export const PSUBB = 32;
export const PSUBW = 33;
export const PSUBD = 34;
export const PSUBQ = 35;
export const PADDSB = 36;
export const PADDSW = 37;
export const PADDUSB = 38;
export const PADDUSW = 39;
export const PSUBSB = 40;
export const PSUBSW = 41;
export const PSUBUSB = 42;
export const PSUBUSW = 43;
export const PMULLW = 44;
export const PMULHW = 45;
export const PMULHUW = 46;
export const PMULUDQ = 47;
export const PMADDWD = 48;
export const PSADBW = 49;
export const PAVGB = 50;
export const PAVGW = 51;
export const PMINUB = 52;
export const PMAXUB = 53;
export const PMINSW = 54;
export const PMAXSW = 55;
export const AND = 56;
export const ANDN = 57;
export const OR = 58;
export const XOR = 59;
export const PSHUFW = 60;
export const PSHUFD = 61;
export const PSHUFHW = 62;
export const PSHUFLW = 63;
export const SHUFPS = 64;
export const SHUFPD = 65;
export const PACKED_END = 66;

// ---- Moves (move.ts) ----
/** The whole source to the register, whatever its size: zero-extended. */
export const LOAD = 70;
export const STORE = 71;
export const MOVE_SCALAR = 72;
/** In its register form, the low element only. */
export const STORE_SCALAR = 73;
/** MOVLPS, MOVLPD, and MOVHLPS in its register form. */
export const MOVE_LOW = 74;
/** MOVHPS, MOVHPD, and MOVLHPS in its register form. */
export const MOVE_HIGH = 75;
export const STORE_HIGH = 76;
export const MOVE_FROM_GENERAL = 77;
export const MOVE_TO_GENERAL = 78;
export const MOVQ2DQ = 79;
export const MOVDQ2Q = 80;
export const MOVDDUP = 81;
export const MOVSLDUP = 82;
export const MOVSHDUP = 83;
export const MOVMSK = 84;
export const PMOVMSKB = 85;
export const MASKMOV = 86;
export const PINSRW = 87;
export const PEXTRW = 88;
export const EMMS = 89;
/** MOVQ and MOVLPS to memory; in its register form (MOVQ) the upper half becomes zero. */
export const STORE_LOW = 90;

// ---- Floating point (arithmetic.ts, compare.ts) ----
export const SQRT = 96;
export const RSQRT = 97;
export const RCP = 98;
export const ADD = 99;
export const MUL = 100;
export const SUB = 101;
export const MIN = 102;
export const DIV = 103;
export const MAX = 104;
export const ADDSUB = 105;
export const HADD = 106;
export const HSUB = 107;
export const CMP = 108;
export const UCOMI = 109;
export const COMI = 110;

// ---- Conversions (convert.ts) ----
/** PI: two integers in an MMX register or memory; DQ: in an XMM register; SI: one in a general register. */
export const CVTPI2PS = 112;
export const CVTPI2PD = 113;
export const CVTSI2S = 114;
/** From PS or PD, truncated and rounded as MXCSR says. */
export const CVTTP2PI = 115;
export const CVTP2PI = 116;
export const CVTTS2SI = 117;
export const CVTS2SI = 118;
export const CVTPS2PD = 119;
export const CVTPD2PS = 120;
export const CVTSS2SD = 121;
export const CVTSD2SS = 122;
export const CVTDQ2PS = 123;
export const CVTPS2DQ = 124;
export const CVTTPS2DQ = 125;
export const CVTDQ2PD = 126;
export const CVTPD2DQ = 127;
export const CVTTPD2DQ = 128;

// ---- SSE4.1 beyond packed integers (sse41.ts) ----
export const PEXTRB = 160;
export const PEXTRW_STORE = 161;
export const PEXTRD = 162;
export const EXTRACTPS = 163;
export const PINSRB = 164;
export const PINSRD = 165;
export const INSERTPS = 166;
export const PTEST = 167;
export const ROUNDPS = 168;
export const ROUNDPD = 169;
export const ROUNDSS = 170;
export const ROUNDSD = 171;
export const DPPS = 172;
export const DPPD = 173;

// ---- Packed integers of SSSE3 and SSE4.1 (packedSse4.ts) ----
export const PACKED_SSE4 = 192;
export const PSHUFB = 192;
export const PHADDW = 193;
export const PHADDD = 194;
export const PHADDSW = 195;
export const PMADDUBSW = 196;
export const PHSUBW = 197;
export const PHSUBD = 198;
export const PHSUBSW = 199;
export const PSIGNB = 200;
export const PSIGNW = 201;
export const PSIGND = 202;
export const PMULHRSW = 203;
export const PABSB = 204;
export const PABSW = 205;
export const PABSD = 206;
export const PALIGNR = 207;
export const PBLENDVB = 208;
export const BLENDVPS = 209;
export const BLENDVPD = 210;
export const PMOVSXBW = 211;
export const PMOVSXBD = 212;
export const PMOVSXBQ = 213;
export const PMOVSXWD = 214;
export const PMOVSXWQ = 215;
export const PMOVSXDQ = 216;
export const PMOVZXBW = 217;
export const PMOVZXBD = 218;
export const PMOVZXBQ = 219;
export const PMOVZXWD = 220;
export const PMOVZXWQ = 221;
export const PMOVZXDQ = 222;
export const PMULDQ = 223;
export const PCMPEQQ = 224;
export const PACKUSDW = 225;
export const PMINSB = 226;
export const PMINSD = 227;
export const PMINUW = 228;
export const PMINUD = 229;
export const PMAXSB = 230;
export const PMAXSD = 231;
export const PMAXUW = 232;
export const PMAXUD = 233;
export const PMULLD = 234;
export const PHMINPOSUW = 235;
export const BLENDPS = 236;
export const BLENDPD = 237;
export const PBLENDW = 238;
export const MPSADBW = 239;
