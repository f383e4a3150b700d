/** Two-operand arithmetic and logic, moves, increments. One function per instruction and operand form. */
import { read, write, writeModified } from "./access";
import { carry, flagsAdd, flagsLogic, flagsSub, setCarry } from "./flags";
import { OP_IMMEDIATE } from "./op";
import {
  effective, getRegister, getRm, immediate, linearRead, linearWrite, loadOperand, modifyOperand, regOf, rmOf,
  setRegister, storeOperand,
} from "./operand";

const ADD = 0;
const OR = 1;
const ADC = 2;
const SBB = 3;
const AND = 4;
const SUB = 5;
const XOR = 6;
const CMP = 7;

@inline function compute<T>(which: i32, a: T, b: T): T {
  if (which == ADD) return <T>(a + b);
  if (which == OR) return <T>(a | b);
  if (which == ADC) return <T>(a + b + <T>carry());
  if (which == SBB) return <T>(a - b - <T>carry());
  if (which == AND) return <T>(a & b);
  if (which == XOR) return <T>(a ^ b);
  return <T>(a - b);
}
@inline function settle<T>(which: i32, a: T, b: T, r: T): void {
  if (which == ADD || which == ADC) flagsAdd<T>(a, b, r);
  else if (which == SUB || which == SBB || which == CMP) flagsSub<T>(a, b, r);
  else flagsLogic<T>(r);
}
@inline function registers<T>(op: usize, which: i32): void {
  const a = getRegister<T>(rmOf(op));
  const b = getRegister<T>(regOf(op));
  const r = compute<T>(which, a, b);
  if (which != CMP) setRegister<T>(rmOf(op), r);
  settle<T>(which, a, b, r);
}
@inline function fromMemory<T>(op: usize, which: i32): void {
  const b = loadOperand<T>(op);
  const a = getRegister<T>(regOf(op));
  const r = compute<T>(which, a, b);
  if (which != CMP) setRegister<T>(regOf(op), r);
  settle<T>(which, a, b, r);
}
@inline function toMemory<T>(op: usize, which: i32, b: T): void {
  if (which == CMP) {
    const a = loadOperand<T>(op);
    flagsSub<T>(a, b, <T>(a - b));
  } else {
    const a = modifyOperand<T>(op);
    const r = compute<T>(which, a, b);
    writeModified<T>(r);
    settle<T>(which, a, b, r);
  }
}
@inline function withImmediate<T>(op: usize, which: i32): void {
  const a = getRegister<T>(rmOf(op));
  const b = immediate<T>(op);
  const r = compute<T>(which, a, b);
  if (which != CMP) setRegister<T>(rmOf(op), r);
  settle<T>(which, a, b, r);
}

export function addRR<T>(op: usize): void { registers<T>(op, ADD); }
export function addRM<T>(op: usize): void { fromMemory<T>(op, ADD); }
export function addMR<T>(op: usize): void { toMemory<T>(op, ADD, getRegister<T>(regOf(op))); }
export function addRI<T>(op: usize): void { withImmediate<T>(op, ADD); }
export function addMI<T>(op: usize): void { toMemory<T>(op, ADD, immediate<T>(op)); }

export function orRR<T>(op: usize): void { registers<T>(op, OR); }
export function orRM<T>(op: usize): void { fromMemory<T>(op, OR); }
export function orMR<T>(op: usize): void { toMemory<T>(op, OR, getRegister<T>(regOf(op))); }
export function orRI<T>(op: usize): void { withImmediate<T>(op, OR); }
export function orMI<T>(op: usize): void { toMemory<T>(op, OR, immediate<T>(op)); }

export function adcRR<T>(op: usize): void { registers<T>(op, ADC); }
export function adcRM<T>(op: usize): void { fromMemory<T>(op, ADC); }
export function adcMR<T>(op: usize): void { toMemory<T>(op, ADC, getRegister<T>(regOf(op))); }
export function adcRI<T>(op: usize): void { withImmediate<T>(op, ADC); }
export function adcMI<T>(op: usize): void { toMemory<T>(op, ADC, immediate<T>(op)); }

export function sbbRR<T>(op: usize): void { registers<T>(op, SBB); }
export function sbbRM<T>(op: usize): void { fromMemory<T>(op, SBB); }
export function sbbMR<T>(op: usize): void { toMemory<T>(op, SBB, getRegister<T>(regOf(op))); }
export function sbbRI<T>(op: usize): void { withImmediate<T>(op, SBB); }
export function sbbMI<T>(op: usize): void { toMemory<T>(op, SBB, immediate<T>(op)); }

export function andRR<T>(op: usize): void { registers<T>(op, AND); }
export function andRM<T>(op: usize): void { fromMemory<T>(op, AND); }
export function andMR<T>(op: usize): void { toMemory<T>(op, AND, getRegister<T>(regOf(op))); }
export function andRI<T>(op: usize): void { withImmediate<T>(op, AND); }
export function andMI<T>(op: usize): void { toMemory<T>(op, AND, immediate<T>(op)); }

export function subRR<T>(op: usize): void { registers<T>(op, SUB); }
export function subRM<T>(op: usize): void { fromMemory<T>(op, SUB); }
export function subMR<T>(op: usize): void { toMemory<T>(op, SUB, getRegister<T>(regOf(op))); }
export function subRI<T>(op: usize): void { withImmediate<T>(op, SUB); }
export function subMI<T>(op: usize): void { toMemory<T>(op, SUB, immediate<T>(op)); }

export function xorRR<T>(op: usize): void { registers<T>(op, XOR); }
export function xorRM<T>(op: usize): void { fromMemory<T>(op, XOR); }
export function xorMR<T>(op: usize): void { toMemory<T>(op, XOR, getRegister<T>(regOf(op))); }
export function xorRI<T>(op: usize): void { withImmediate<T>(op, XOR); }
export function xorMI<T>(op: usize): void { toMemory<T>(op, XOR, immediate<T>(op)); }

export function cmpRR<T>(op: usize): void { registers<T>(op, CMP); }
export function cmpRM<T>(op: usize): void { fromMemory<T>(op, CMP); }
export function cmpMR<T>(op: usize): void { toMemory<T>(op, CMP, getRegister<T>(regOf(op))); }
export function cmpRI<T>(op: usize): void { withImmediate<T>(op, CMP); }
export function cmpMI<T>(op: usize): void { toMemory<T>(op, CMP, immediate<T>(op)); }

export function testRR<T>(op: usize): void {
  flagsLogic<T>(<T>(getRegister<T>(rmOf(op)) & getRegister<T>(regOf(op))));
}
export function testMR<T>(op: usize): void {
  flagsLogic<T>(<T>(loadOperand<T>(op) & getRegister<T>(regOf(op))));
}
export function testRI<T>(op: usize): void {
  flagsLogic<T>(<T>(getRegister<T>(rmOf(op)) & immediate<T>(op)));
}
export function testMI<T>(op: usize): void {
  flagsLogic<T>(<T>(loadOperand<T>(op) & immediate<T>(op)));
}

export function movRR<T>(op: usize): void { setRegister<T>(rmOf(op), getRegister<T>(regOf(op))); }
export function movRM<T>(op: usize): void { setRegister<T>(regOf(op), loadOperand<T>(op)); }
export function movMR<T>(op: usize): void { storeOperand<T>(op, getRegister<T>(regOf(op))); }
export function movRI<T>(op: usize): void { setRegister<T>(rmOf(op), immediate<T>(op)); }
export function movMI<T>(op: usize): void { storeOperand<T>(op, immediate<T>(op)); }
/** A0 to A3: the address is an immediate of the address size. */
export function movLoad<T>(op: usize): void {
  setRegister<T>(0, read<T>(linearRead(op, load<u64>(op, OP_IMMEDIATE), sizeof<T>()), 0));
}
export function movStore<T>(op: usize): void {
  write<T>(linearWrite(op, load<u64>(op, OP_IMMEDIATE), sizeof<T>()), getRegister<T>(0), 0);
}
export function lea<T>(op: usize): void { setRegister<T>(regOf(op), <T>effective(op)); }

export function movzx8R<T>(op: usize): void { setRegister<T>(regOf(op), <T>getRegister<u8>(rmOf(op))); }
export function movzx8M<T>(op: usize): void { setRegister<T>(regOf(op), <T>loadOperand<u8>(op)); }
export function movzx16R<T>(op: usize): void { setRegister<T>(regOf(op), <T>getRegister<u16>(rmOf(op))); }
export function movzx16M<T>(op: usize): void { setRegister<T>(regOf(op), <T>loadOperand<u16>(op)); }
export function movsx8R<T>(op: usize): void { setRegister<T>(regOf(op), <T><i64>getRegister<i8>(rmOf(op))); }
export function movsx8M<T>(op: usize): void { setRegister<T>(regOf(op), <T><i64><i8>loadOperand<u8>(op)); }
export function movsx16R<T>(op: usize): void { setRegister<T>(regOf(op), <T><i64>getRegister<i16>(rmOf(op))); }
export function movsx16M<T>(op: usize): void { setRegister<T>(regOf(op), <T><i64><i16>loadOperand<u16>(op)); }
/** MOVSXD; without REX.W it is a plain move, of a word with 66. */
export function movsxd<T>(op: usize): void {
  if (sizeof<T>() == 2) setRegister<u16>(regOf(op), getRm<u16>(op));
  else setRegister<T>(regOf(op), <T><i64><i32>getRm<u32>(op));
}

/** INC and DEC keep CF. */
@inline function step<T>(a: T, r: T, down: bool): void {
  const c = carry();
  const one: T = 1;
  if (down) flagsSub<T>(a, one, r);
  else flagsAdd<T>(a, one, r);
  setCarry(c);
}
export function incR<T>(op: usize): void {
  const a = getRegister<T>(rmOf(op));
  const r: T = <T>(a + 1);
  setRegister<T>(rmOf(op), r);
  step<T>(a, r, false);
}
export function incM<T>(op: usize): void {
  const a = modifyOperand<T>(op);
  const r: T = <T>(a + 1);
  writeModified<T>(r);
  step<T>(a, r, false);
}
export function decR<T>(op: usize): void {
  const a = getRegister<T>(rmOf(op));
  const r: T = <T>(a - 1);
  setRegister<T>(rmOf(op), r);
  step<T>(a, r, true);
}
export function decM<T>(op: usize): void {
  const a = modifyOperand<T>(op);
  const r: T = <T>(a - 1);
  writeModified<T>(r);
  step<T>(a, r, true);
}
export function notR<T>(op: usize): void { setRegister<T>(rmOf(op), <T>~getRegister<T>(rmOf(op))); }
export function notM<T>(op: usize): void { writeModified<T>(<T>~modifyOperand<T>(op)); }
export function negR<T>(op: usize): void {
  const a = getRegister<T>(rmOf(op));
  const r: T = <T>(0 - a);
  setRegister<T>(rmOf(op), r);
  flagsSub<T>(0, a, r);
}
export function negM<T>(op: usize): void {
  const a = modifyOperand<T>(op);
  const r: T = <T>(0 - a);
  writeModified<T>(r);
  flagsSub<T>(0, a, r);
}
export function xchgRR<T>(op: usize): void {
  const a = getRegister<T>(rmOf(op));
  setRegister<T>(rmOf(op), getRegister<T>(regOf(op)));
  setRegister<T>(regOf(op), a);
}
export function xchgRM<T>(op: usize): void {
  const a = modifyOperand<T>(op);
  writeModified<T>(getRegister<T>(regOf(op)));
  setRegister<T>(regOf(op), a);
}
