/** From an opcode behind 0F to an op record of MMX or SSE. What CPUID lacks is #UD, as on such a CPU. */
import { CPUID_1_ECX, CPUID_1_EDX, CPUID_81_EDX } from "../layout";
import {
  byte, implicitSegment, isRegister, kind, modrm, op, operand66, readModrm, repeat, rex, rmNumber, setReg, setSize,
  undefinedOp,
} from "../decode";
import * as K from "../kinds";
import { OP_IMMEDIATE, OP_REP, OP_REPNE, OP_SSE } from "../op";
import {
  BY_IMMEDIATE, EMMS_CELL, FEATURE_MASK, FEATURE_SHIFT, IMMEDIATE, MEMORY_ONLY, MMX, MMXEXT, PREFIX_SHIFT,
  REGISTER_ONLY, SSE, SSE2, SSE41, SSSE3, cellOf, isVector, shiftCell,
} from "./table";
import { cellOf38, cellOf3a } from "./threeByteTable";

function has(feature: u32): bool {
  const edx = load<u32>(CPUID_1_EDX);
  switch (feature) {
    case MMX: return (edx & (1 << 23)) != 0;
    case MMXEXT: return (edx & (1 << 25)) != 0 || (load<u32>(CPUID_81_EDX) & (1 << 22)) != 0;
    case SSE: return (edx & (1 << 25)) != 0;
    case SSE2: return (edx & (1 << 26)) != 0;
    case SSSE3: return (load<u32>(CPUID_1_ECX) & (1 << 9)) != 0;
    case SSE41: return (load<u32>(CPUID_1_ECX) & (1 << 19)) != 0;
    default: return (load<u32>(CPUID_1_ECX) & 1) != 0;
  }
}

/** F2 and F3 before 66 (SDM vol. 2, 2.1.2); of both, the one that comes last. */
function mandatoryPrefix(): u32 {
  return repeat == OP_REP ? 2 : repeat == OP_REPNE ? 3 : operand66 ? 1 : 0;
}

function emit(cell: u32, prefix: u32): void {
  if (!cell || !has((cell >> FEATURE_SHIFT) & FEATURE_MASK)) {
    undefinedOp();
    return;
  }
  kind(K.SSE);
  store<u32>(op, cell | (prefix << PREFIX_SHIFT), OP_SSE);
}

/** The rest of an instruction whose ModRM byte and operands are read. */
function finish(cell: u32, prefix: u32): void {
  if (cell & IMMEDIATE) store<u8>(op, <u8>byte(), OP_IMMEDIATE);
  emit(cell & (isRegister() ? MEMORY_ONLY : REGISTER_ONLY) ? 0 : cell, prefix);
}

/** An opcode behind 0F 38, with its ModRM byte read. */
export function decode38(opcode: u32): void {
  const prefix = mandatoryPrefix();
  setSize(rex & 8 ? 3 : 2);
  finish(cellOf38(opcode, prefix), prefix);
}
/** An opcode behind 0F 3A. */
export function decode3a(opcode: u32): void {
  const prefix = mandatoryPrefix();
  setSize(rex & 8 ? 3 : 2);
  readModrm(2, 2);
  finish(cellOf3a(opcode, prefix), prefix);
}

/** Whether the opcode is one of MMX or SSE, which is then decoded. */
export function decodeSse(opcode: u32): bool {
  const prefix = mandatoryPrefix();
  if (opcode == 0x77) {
    emit(prefix ? 0 : EMMS_CELL, prefix);
    return true;
  }
  if (!isVector(opcode)) return false;
  setSize(rex & 8 ? 3 : 2);
  readModrm(2, 2);
  const cell = opcode >= 0x71 && opcode <= 0x73 ? shiftCell(opcode, (modrm >> 3) & 7, prefix) : cellOf(opcode, prefix);
  if (cell & BY_IMMEDIATE) setReg(rmNumber() << 3);
  // MASKMOVQ and MASKMOVDQU write to DS:RDI.
  if (opcode == 0xf7) implicitSegment();
  finish(cell, prefix);
  return true;
}
