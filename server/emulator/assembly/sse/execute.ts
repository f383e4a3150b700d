/** One instruction of MMX or SSE: whether it may execute, then what its cell says (table.ts). */
import { OP_IMMEDIATE, OP_SSE } from "../op";
import { isMemory, rmOf } from "../operand";
import { pending, reportPending } from "../x87/status";
import { addSubtract, arithmetic, horizontal } from "./arithmetic";
import { enterMmx, leaveMmx, needMmx, needXmm } from "./available";
import { compareToFlags, compareToMask } from "./compare";
import { convert, fromGeneral, fromMmx, toGeneral, toMmx } from "./convert";
import { estimates } from "./estimate";
import {
  byteSigns, duplicate, extractWord, fromGeneralRegister, insertWord, loadWhole, maskedMove, movdq2q, moveHigh, moveLow,
  movq2dq, moveScalar, signs, storeHigh, storeLow, storeScalar, storeWhole, toGeneralRegister,
} from "./move";
import { destination, mm, setDestination, source } from "./operand";
import * as O from "./operation";
import { packed } from "./packed";
import { packedSse4 } from "./packedSse4";
import { dotDouble, dotSingle, extract, insert, insertSingle, roundToIntegers, testBits } from "./sse41";
import { BY_IMMEDIATE, MM, OPERATION, PREFIX_SHIFT, WITH_MM, WITH_MM_REGISTER } from "./table";

/** Whether an instruction on XMM registers has an MMX operand in this form. */
function hasMmx(op: usize, cell: u32): bool {
  return (cell & WITH_MM) != 0 || ((cell & WITH_MM_REGISTER) != 0 && !isMemory(op));
}

export function sse(op: usize): void {
  const cell = load<u32>(op, OP_SSE);
  const operation = cell & OPERATION;
  if (cell & MM) needMmx();
  else needXmm();
  if (((cell & MM) != 0 || hasMmx(op, cell)) && pending()) {
    reportPending();
    return;
  }
  if (operation < <u32>O.PACKED_END || operation >= <u32>O.PACKED_SSE4) {
    const immediate: u32 = load<u8>(op, OP_IMMEDIATE);
    const b = cell & BY_IMMEDIATE ? i64x2(immediate, 0) : source(op, cell);
    const a = destination(op, cell);
    const mmx = (cell & MM) != 0;
    const result = operation < <u32>O.PACKED_END ? packed(operation, mmx, a, b, immediate) : packedSse4(operation, mmx, a, b, immediate);
    if (cell & MM) enterMmx();
    setDestination(op, cell, result);
    return;
  }
  switch (operation) {
    case O.LOAD: loadWhole(op, cell); break;
    case O.STORE: storeWhole(op, cell); break;
    case O.MOVE_SCALAR: moveScalar(op, cell); break;
    case O.STORE_SCALAR: storeScalar(op, cell); break;
    case O.MOVE_LOW: moveLow(op, cell); break;
    case O.MOVE_HIGH: moveHigh(op, cell); break;
    case O.STORE_LOW: storeLow(op, cell); break;
    case O.STORE_HIGH: storeHigh(op, cell); break;
    case O.MOVE_FROM_GENERAL: fromGeneralRegister(op, cell); break;
    case O.MOVE_TO_GENERAL: toGeneralRegister(op, cell); break;
    case O.MOVQ2DQ: movq2dq(op); break;
    case O.MOVDQ2Q: movdq2q(op); break;
    case O.MOVDDUP: case O.MOVSLDUP: case O.MOVSHDUP: duplicate(op, cell, operation); break;
    case O.MOVMSK: signs(op, cell, cell >> PREFIX_SHIFT != 0); break;
    case O.PMOVMSKB: byteSigns(op, cell); break;
    case O.MASKMOV: maskedMove(op, cell); break;
    case O.PINSRW: insertWord(op, cell); break;
    case O.PEXTRW: extractWord(op, cell); break;
    case O.EMMS: leaveMmx(); break;
    case O.ADD: case O.SUB: case O.MUL: case O.DIV: case O.MIN: case O.MAX: case O.SQRT: arithmetic(op, cell, operation); break;
    case O.RCP: case O.RSQRT: estimates(op, cell, operation); break;
    case O.ADDSUB: addSubtract(op, cell); break;
    case O.HADD: horizontal(op, cell, O.ADD); break;
    case O.HSUB: horizontal(op, cell, O.SUB); break;
    case O.CMP: compareToMask(op, cell); break;
    case O.UCOMI: compareToFlags(op, cell, false); break;
    case O.COMI: compareToFlags(op, cell, true); break;
    case O.CVTSI2S: fromGeneral(op, cell); break;
    case O.CVTTS2SI: toGeneral(op, cell, true); break;
    case O.CVTS2SI: toGeneral(op, cell, false); break;
    case O.CVTTP2PI: toMmx(op, cell, true); break;
    case O.CVTP2PI: toMmx(op, cell, false); break;
    case O.CVTPI2PS: case O.CVTPI2PD: {
      const integers = isMemory(op) ? <u64>i64x2.extract_lane(source(op, cell), 0) : load<u64>(mm(rmOf(op)));
      if (hasMmx(op, cell)) enterMmx();
      fromMmx(op, integers, operation == O.CVTPI2PD);
      break;
    }
    case O.PEXTRB: case O.PEXTRW_STORE: case O.PEXTRD: case O.EXTRACTPS: extract(op, cell, operation); break;
    case O.PINSRB: case O.PINSRD: insert(op, operation); break;
    case O.INSERTPS: insertSingle(op, cell); break;
    case O.PTEST: testBits(op, cell); break;
    case O.ROUNDPS: case O.ROUNDPD: case O.ROUNDSS: case O.ROUNDSD: roundToIntegers(op, cell, operation); break;
    case O.DPPS: dotSingle(op, cell); break;
    case O.DPPD: dotDouble(op, cell); break;
    default: convert(op, cell, operation);
  }
}
