/** One predecoded instruction: 32 bytes in the arena. Offsets of its fields. */
export const OP_SIZE = 32;
/** u16: which function executes it (kinds.ts). */
export const OP_KIND = 0;
/** u8: length in bytes. */
export const OP_LENGTH = 2;
/** u8: OP_… bits below. */
export const OP_FLAGS = 3;
/** u8: ModRM.reg as a byte offset from REGS (or a plain number for control, debug and segment registers and groups). */
export const OP_REG = 4;
/** u8: ModRM.rm as a byte offset from REGS where it is a register. */
export const OP_RM = 5;
/** u8: byte offsets from REGS of base and index, ZERO_OFFSET where there is none. */
export const OP_BASE = 6;
export const OP_INDEX = 7;
/** u8: log2 of the scale. */
export const OP_SCALE = 8;
/** u8: segment number, FLAT in 64-bit mode except for FS and GS. */
export const OP_SEGMENT = 9;
/** u8: log2 of the operand size in bytes. */
export const OP_OPERAND = 10;
/** u8: log2 of the address size in bytes. */
export const OP_ADDRESS = 11;
/** i32 */
export const OP_DISPLACEMENT = 12;
/** i64: immediate, sign-extended; branch displacement; 64-bit offset; far pointer (offset | selector << 32). */
export const OP_IMMEDIATE = 16;
/** u16: where the instruction ends, in bytes from the first one of its block. */
export const OP_END = 24;
/** u32, instructions of MMX and SSE: the cell of sse/table.ts; the immediate is a u8 there. */
export const OP_SSE = 20;
/** u8: FORM_…, the shape of the memory operand. */
export const OP_FORM = 26;

export const OP_REP = 1;
export const OP_REPNE = 2;
export const OP_LOCK = 4;
/** 64-bit addressing: no segment limits or types. */
export const OP_FLAT = 8;
/** A bad address is #SS, not #GP. */
export const OP_STACK = 0x10;
/** ModRM.rm is memory. */
export const OP_MEMORY = 0x20;

/** Any shape: segments, indexes and address sizes as the record says. */
export const FORM_ANY = 0;
/** 64-bit address of a base (none and RIP included) and a displacement, in a segment whose base is 0. */
export const FORM_PLAIN = 1;
/** The same with an index. */
export const FORM_INDEXED = 2;
/** 32-bit address of a base (or none) and a displacement, in any segment outside 64-bit mode. */
export const FORM_PLAIN_32 = 3;
