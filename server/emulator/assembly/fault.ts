/** Raising a fault: it is recorded, then the import throws and the instruction is rolled back (SDM vol. 3, chapter 6). */
import { unwind } from "./bus";
import {
  AT, BLOCK_RIP, CAUSE_FAULT, CR0, FAULT_AT, FAULT_DETAIL_1, FAULT_DETAIL_2, FAULT_ERROR, FAULT_HAS_ERROR, FAULT_REASON,
  FAULT_VECTOR, FIRST, NOW, PROGRESS, RIP, UNWIND_CAUSE,
} from "./layout";
import { Reason } from "./events";
import { OP_END, OP_LENGTH, OP_SIZE } from "./op";

export const DE = 0;
export const DB = 1;
export const BP = 3;
export const OF = 4;
export const BR = 5;
export const UD = 6;
export const NM = 7;
export const DF = 8;
export const TS = 10;
export const NP = 11;
export const SS_FAULT = 12;
export const GP = 13;
export const PF = 14;
/** x87 floating-point error. */
export const MF = 16;
export const AC = 17;
export const XM = 19;
export const CP = 21;

/** Vectors that push an error code, as bits: 8, 10-14, 17, 21 (SDM vol. 3, Table 6-1). */
const WITH_ERROR: u32 = (1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 17) | (1 << 21);

/** The clock in the middle of a block. */
export function now(): u64 {
  return load<u64>(NOW) + (load<u32>(AT) - load<u32>(FIRST)) / OP_SIZE + load<u64>(PROGRESS);
}

/** Where the instruction that executes begins in its block; 0 between blocks. */
@inline function offset(): u64 {
  const op: usize = load<u32>(AT);
  return load<u16>(op, OP_END) - load<u8>(op, OP_LENGTH);
}
/** RIP of the instruction that executes: where a fault goes back to. Between blocks the next one's. */
export function start(): u64 {
  return load<u64>(BLOCK_RIP) + offset();
}
/** From now on a fault goes back to `rip`: a task switch has changed tasks. */
export function setStart(rip: u64): void {
  store<u64>(BLOCK_RIP, rip - offset());
}
/** No instruction is executing; the next one is at RIP. */
export function betweenBlocks(): void {
  store<u32>(AT, 0);
  store<u32>(FIRST, 0);
  store<u64>(BLOCK_RIP, load<u64>(RIP));
}

/** Whether `vector` pushes an error code in the current mode; never in real mode. */
export function pushesError(vector: u32): bool {
  return vector < 32 && ((WITH_ERROR >> vector) & 1) != 0 && (load<u64>(CR0) & 1) != 0;
}

/** Raises a fault; doesn't return. Each frame between here and the outer loop costs the unwinding a sixth of its time. */
@inline export function raiseHere(vector: u32, error: u32, reason: Reason, detail1: u64, detail2: u64): void {
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_ERROR, error);
  store<u32>(FAULT_HAS_ERROR, pushesError(vector));
  store<u32>(FAULT_REASON, reason);
  store<u64>(FAULT_DETAIL_1, detail1);
  store<u64>(FAULT_DETAIL_2, detail2);
  store<u64>(FAULT_AT, now());
  store<u32>(UNWIND_CAUSE, CAUSE_FAULT);
  unwind();
}
export function raise(vector: u32, error: u32, reason: Reason, detail1: u64 = 0, detail2: u64 = 0): void {
  raiseHere(vector, error, reason, detail1, detail2);
}

export function undefined_(reason: Reason = Reason.UndefinedOpcode): void {
  raise(UD, 0, reason);
}

/** #GP(0). */
export function protection(reason: Reason, detail1: u64 = 0, detail2: u64 = 0): void {
  raise(GP, 0, reason, detail1, detail2);
}
