/** Comparisons to masks (CMPccPS and its like) and to EFLAGS (COMIS, UCOMIS). */
import { SSE_A, SSE_B, SSE_RESULT } from "../layout";
import { EQUAL, LESS, UNORDERED, compareF32, compareF64 } from "../float/float";
import { CF, PF_FLAG, ZF, setArithmetic } from "../flags";
import { OP_IMMEDIATE } from "../op";
import { elements, isDouble, operands, writeResult } from "./arithmetic";
import { begin, settle } from "./mxcsr";

/** By predicate: a bit for each of EQUAL, LESS, GREATER, UNORDERED that makes it true (SDM vol. 2, CMPPS). */
const TRUE_FOR: StaticArray<u8> = [
  /* EQ */ 1, /* LT */ 2, /* LE */ 3, /* UNORD */ 8, /* NEQ */ 14, /* NLT */ 13, /* NLE */ 12, /* ORD */ 7,
];
/** Predicates for which a quiet NaN is invalid too: LT, LE, NLT, NLE. */
const SIGNALLING: u32 = 0b01100110;

export function compareToMask(op: usize, cell: u32): void {
  operands(op, cell);
  const predicate: u32 = load<u8>(op, OP_IMMEDIATE) & 7;
  const which: u32 = unchecked(TRUE_FOR[predicate]);
  const signalling = ((SIGNALLING >> predicate) & 1) != 0;
  begin();
  const count = elements(cell);
  if (isDouble(cell)) {
    for (let i: usize = 0; i < count << 3; i += 8) {
      const relation = compareF64(load<u64>(SSE_A + i), load<u64>(SSE_B + i), signalling);
      store<i64>(SSE_RESULT + i, -<i64>((which >> relation) & 1));
    }
  } else {
    for (let i: usize = 0; i < count << 2; i += 4) {
      const relation = compareF32(load<u32>(SSE_A + i), load<u32>(SSE_B + i), signalling);
      store<i32>(SSE_RESULT + i, -<i32>((which >> relation) & 1));
    }
  }
  settle();
  writeResult(op);
}

/** COMISS, COMISD (`signalling`), UCOMISS, UCOMISD. */
export function compareToFlags(op: usize, cell: u32, signalling: bool): void {
  operands(op, cell);
  begin();
  const relation = isDouble(cell)
    ? compareF64(load<u64>(SSE_A), load<u64>(SSE_B), signalling)
    : compareF32(load<u32>(SSE_A), load<u32>(SSE_B), signalling);
  settle();
  setArithmetic(relation == UNORDERED ? ZF | PF_FLAG | CF : relation == EQUAL ? ZF : relation == LESS ? CF : 0);
}
