/** INVLPG and INVPCID (SDM vol. 2; vol. 3, 4.10.4.1). No entry of a PCID other than the current one is ever kept. */
import { CR3, CR4, MODE, SEG_BASE, SEGMENTS, SEGMENT_SIZE, TLB_SET } from "./layout";
import { canonicalForCpu, probeRead, read } from "./access";
import { CR4_PCIDE, privileged } from "./control";
import { Reason } from "./events";
import { protection } from "./fault";
import { OP_SEGMENT } from "./op";
import { effective, getRegister, linearRead, regOf, stackBit } from "./operand";
import { dropCurrent, dropLinear, dropNonGlobal } from "./tlb";

const INDIVIDUAL: u64 = 0;
const SINGLE_CONTEXT: u64 = 1;
const ALL_WITH_GLOBAL: u64 = 2;
const ALL_CONTEXTS: u64 = 3;

/** Neither limits nor types nor canonical form are checked: such an address has no entries. */
export function invlpg(op: usize): void {
  privileged();
  let linear = load<u64>(SEGMENTS + <usize>load<u8>(op, OP_SEGMENT) * SEGMENT_SIZE, SEG_BASE) + effective(op);
  if (load<u8>(MODE) != 2) linear &= 0xffffffff;
  dropLinear(linear, true);
}

export function invpcid(op: usize): void {
  privileged();
  const type = load<u8>(MODE) == 2 ? getRegister<u64>(regOf(op)) : <u64>getRegister<u32>(regOf(op));
  const at = linearRead(op, effective(op), 16);
  const context = read<u64>(at, stackBit(op));
  const linear = read<u64>(at + 8, stackBit(op));
  if (type > ALL_CONTEXTS || context >> 12 != 0) protection(Reason.InvpcidOperand, type, context);
  if (type <= SINGLE_CONTEXT) {
    const tagged = (load<u64>(CR4) & CR4_PCIDE) != 0;
    if (context != 0 && !tagged) protection(Reason.InvpcidOperand, type, context);
    if (type == INDIVIDUAL && !canonicalForCpu(linear)) protection(Reason.InvpcidOperand, type, linear);
    if (tagged && context != (load<u64>(CR3) & 0xfff)) return;
    if (type == INDIVIDUAL) dropLinear(linear, false);
    else dropNonGlobal();
  } else if (type == ALL_WITH_GLOBAL) dropCurrent();
  else dropNonGlobal();
}

/** CLFLUSH and its like: a load of a byte as far as faults go (SDM vol. 2, CLFLUSH). */
export function clflush(op: usize): void {
  probeRead(linearRead(op, effective(op), 1), 1, stackBit(op), load<u32>(TLB_SET));
}
