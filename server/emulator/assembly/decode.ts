/**
 * The decoder: bytes to one op record (op.ts), for a code size of 16, 32 or 64 bits. It never faults: what is undefined
 * becomes an op that raises #UD when it executes, and more than 15 bytes one that raises #GP(0) (SDM vol. 2, chapter 2 and
 * appendix A).
 */
import { CS, DS, ES, FEATURES, FLAT, FS, GS, HAS_AMD, RIP_OFFSET, SS, ZERO_OFFSET } from "./layout";
import { Reason } from "./events";
import { oneByte } from "./opcodes";
import * as K from "./kinds";
import {
  FORM_INDEXED, FORM_PLAIN, FORM_PLAIN_32, OP_ADDRESS, OP_BASE, OP_DISPLACEMENT, OP_FLAGS, OP_FLAT, OP_FORM,
  OP_IMMEDIATE, OP_INDEX, OP_KIND, OP_LENGTH, OP_LOCK, OP_MEMORY, OP_OPERAND, OP_REG, OP_REP, OP_REPNE, OP_RM, OP_SCALE,
  OP_SEGMENT, OP_STACK,
} from "./op";

const MAX_LENGTH = 15;
const NONE: u32 = 0xff;

// The instruction being decoded.
let cursor: usize = 0;
let end: usize = 0;
/** The bytes ran out. */
let starved: bool = false;
export let op: usize = 0;
/** Code size: 0, 1, 2. */
export let mode: u32 = 0;
/** REX prefix, 0 for none. */
export let rex: u32 = 0;
/** Operand and address size as log2 of bytes. */
export let size: u32 = 0;
export let operand66: bool = false;
export let addressSize: u32 = 0;
/** F2 and F3 as OP_REPNE and OP_REP: the last one counts. */
export let repeat: u32 = 0;
let lock: bool = false;
let overriding: u32 = NONE;
export let notrack: bool = false;
export let modrm: u32 = 0;
/** The instruction may carry LOCK in this form. */
let lockable: bool = false;
/** The block ends behind this instruction. */
export let endsBlock: bool = false;

export function byte(): u32 {
  if (cursor >= end) {
    starved = true;
    return 0;
  }
  return load<u8>(cursor++);
}
export function take(bytes: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) value |= <u64>byte() << (i << 3);
  return value;
}

// ---- What a decoded instruction is made of ----
export function kind(number: u32): void {
  store<u16>(op, <u16>number, OP_KIND);
}
export function sized(number: u32): void {
  store<u16>(op, <u16>(number + size), OP_KIND);
}
export function setImmediate(value: i64): void {
  store<i64>(op, value, OP_IMMEDIATE);
}
export function setSize(value: u32): void {
  size = value;
  store<u8>(op, <u8>value, OP_OPERAND);
}
export function undefinedOp(reason: Reason = Reason.UndefinedOpcode): void {
  kind(K.UD);
  setImmediate(reason);
  endsBlock = true;
  lockable = true;
}
/** Takes the LOCK prefix away from an instruction that means something else by it. */
export function takeLock(): bool {
  const was = lock;
  lock = false;
  return was;
}
export function mayLock(): void {
  lockable = true;
}
/** The block ends behind this instruction. */
export function endBlock(): void {
  endsBlock = true;
}
/** `number` ends the block: a branch, or an instruction that changes what the next bytes mean. */
export function last(number: u32): void {
  kind(number);
  endsBlock = true;
}
@inline export function is64(): bool {
  return mode == 2;
}
/** Immediate of 8 bits, sign-extended. */
export function immediate8(): void {
  setImmediate(<i64><i8>byte());
}
export function immediate8u(): void {
  setImmediate(byte());
}
/** Immediate of the operand size; 64-bit operands take a sign-extended 32-bit one. */
export function immediateOfSize(): void {
  if (size == 0) immediate8();
  else if (size == 1) setImmediate(<i64><i16>take(2));
  else setImmediate(<i64><i32>take(4));
}

/** Byte offset of a register operand of the present size: without REX, 4 to 7 of an 8-bit one are AH, CH, DH, BH. */
export function registerOffset(number: u32, ofSize: u32): u32 {
  return ofSize == 0 && rex == 0 && number >= 4 ? ((number - 4) << 3) + 1 : number << 3;
}
@inline export function regNumber(): u32 {
  return ((modrm >> 3) & 7) | ((rex & 4) << 1);
}
@inline export function rmNumber(): u32 {
  return (modrm & 7) | ((rex & 1) << 3);
}
@inline export function isRegister(): bool {
  return modrm >= 0xc0;
}
/** Register in the low three bits of the opcode. */
export function opcodeRegister(opcode: u32): u32 {
  return registerOffset((opcode & 7) | ((rex & 1) << 3), size);
}
export function setReg(value: u32): void {
  store<u8>(op, <u8>value, OP_REG);
}
export function setRm(value: u32): void {
  store<u8>(op, <u8>value, OP_RM);
}

/** Reads ModRM, SIB and displacement; register operands are of `regSize` and `rmSize`. */
export function readModrm(regSize: u32, rmSize: u32): void {
  modrm = byte();
  setReg(registerOffset(regNumber(), regSize));
  if (isRegister()) {
    setRm(registerOffset(rmNumber(), rmSize));
    return;
  }
  store<u8>(op, load<u8>(op, OP_FLAGS) | OP_MEMORY, OP_FLAGS);
  if (addressSize == 1) address16();
  else address32();
}
/** ModRM of MOV to and from control and debug registers: a register, whatever mod says. */
export function readRegisterForm(): void {
  modrm = byte() | 0xc0;
}
/** The ModRM byte ahead, without taking it. */
export function peek(): u32 {
  return cursor < end ? load<u8>(cursor) : 0;
}
/** As `readModrm` for operands of the present size. */
export function readOperands(): void {
  readModrm(size, size);
}

function setSegment(byDefault: u32): void {
  if (is64()) {
    const used = overriding == FS || overriding == GS ? overriding : <u32>FLAT;
    store<u8>(op, <u8>used, OP_SEGMENT);
    if (used == FLAT && addressSize == 3)
      store<u8>(op, load<u8>(op, OP_INDEX) == ZERO_OFFSET ? FORM_PLAIN : FORM_INDEXED, OP_FORM);
    // A bad address is #SS when its base is RSP or RBP, but for FS and GS (an AMD family 26 CPU; SDM vol. 2, "#SS(0)").
    store<u8>(op, load<u8>(op, OP_FLAGS) | OP_FLAT | (byDefault == SS && used == FLAT ? OP_STACK : 0), OP_FLAGS);
  } else {
    const used = overriding == NONE ? byDefault : overriding;
    if (addressSize == 2 && load<u8>(op, OP_INDEX) == ZERO_OFFSET) store<u8>(op, FORM_PLAIN_32, OP_FORM);
    store<u8>(op, <u8>used, OP_SEGMENT);
    store<u8>(op, load<u8>(op, OP_FLAGS) | (used == SS ? OP_STACK : 0), OP_FLAGS);
  }
}
/** Sets the segment of an implicit operand (strings, XLAT, moffs): DS unless overridden. */
export function implicitSegment(): void {
  setSegment(DS);
}

function address16(): void {
  const mod = modrm >> 6;
  let base: u32 = ZERO_OFFSET;
  let index: u32 = ZERO_OFFSET;
  let segment: u32 = DS;
  const BX: u32 = 24;
  const BP: u32 = 40;
  const SI: u32 = 48;
  const DI: u32 = 56;
  let direct = false;
  switch (modrm & 7) {
    case 0: base = BX; index = SI; break;
    case 1: base = BX; index = DI; break;
    case 2: base = BP; index = SI; segment = SS; break;
    case 3: base = BP; index = DI; segment = SS; break;
    case 4: base = SI; break;
    case 5: base = DI; break;
    case 6:
      if (mod == 0) direct = true;
      else {
        base = BP;
        segment = SS;
      }
      break;
    default: base = BX; break;
  }
  let displacement: i32 = 0;
  if (mod == 1) displacement = <i32><i8>byte();
  else if (mod == 2 || direct) displacement = <i32><i16>take(2);
  store<u8>(op, <u8>base, OP_BASE);
  store<u8>(op, <u8>index, OP_INDEX);
  store<i32>(op, displacement, OP_DISPLACEMENT);
  setSegment(segment);
}

function address32(): void {
  const mod = modrm >> 6;
  let base: u32 = rmNumber() << 3;
  let index: u32 = ZERO_OFFSET;
  let segment: u32 = DS;
  let long = mod == 2;
  if ((modrm & 7) == 4) {
    const sib = byte();
    const indexNumber = ((sib >> 3) & 7) | ((rex & 2) << 2);
    if (indexNumber != 4) {
      index = indexNumber << 3;
      store<u8>(op, <u8>(sib >> 6), OP_SCALE);
    }
    const baseNumber = (sib & 7) | ((rex & 1) << 3);
    base = baseNumber << 3;
    if ((sib & 7) == 5 && mod == 0) {
      base = ZERO_OFFSET;
      long = true;
    } else if (baseNumber == 4 || baseNumber == 5) segment = SS;
  } else if ((modrm & 7) == 5 && mod == 0) {
    base = is64() ? RIP_OFFSET : ZERO_OFFSET;
    long = true;
  } else if (rmNumber() == 5) segment = SS;
  let displacement: i32 = 0;
  if (mod == 1) displacement = <i32><i8>byte();
  else if (long) displacement = <i32>take(4);
  store<u8>(op, <u8>base, OP_BASE);
  store<u8>(op, <u8>index, OP_INDEX);
  store<i32>(op, displacement, OP_DISPLACEMENT);
  setSegment(segment);
}

/**
 * Decodes one instruction at host address `at`, of which `available` bytes may be read, into the record `into`.
 * Returns its length, or 0 where more bytes are needed.
 */
export function decode(into: usize, at: usize, available: u32, codeSize: u32): u32 {
  op = into;
  mode = codeSize;
  cursor = at;
  end = at + min<u32>(available, MAX_LENGTH);
  starved = false;
  rex = 0;
  repeat = 0;
  lock = false;
  lockable = false;
  overriding = NONE;
  notrack = false;
  operand66 = false;
  endsBlock = false;
  store<u64>(op, 0);
  store<u64>(op, 0, 8);
  store<u64>(op, 0, 16);
  store<u64>(op, 0, 24);
  store<u8>(op, ZERO_OFFSET, OP_BASE);
  store<u8>(op, ZERO_OFFSET, OP_INDEX);
  let address67 = false;
  let opcode: u32;
  for (;;) {
    opcode = byte();
    if (is64() && (opcode & 0xf0) == 0x40) {
      rex = opcode;
      opcode = byte();
      // A REX that another prefix follows is void.
      if (!isPrefix(opcode)) break;
      if ((opcode & 0xf0) == 0x40) {
        cursor--;
        rex = 0;
        continue;
      }
      rex = 0;
    }
    if (starved) break;
    if (opcode == 0x66) operand66 = true;
    else if (opcode == 0x67) address67 = true;
    else if (opcode == 0xf0) lock = true;
    else if (opcode == 0xf2) repeat = OP_REPNE;
    else if (opcode == 0xf3) repeat = OP_REP;
    else if (opcode == 0x26) prefix(ES);
    else if (opcode == 0x2e) prefix(CS);
    else if (opcode == 0x36) prefix(SS);
    else if (opcode == 0x3e) {
      prefix(DS);
      notrack = true;
    } else if (opcode == 0x64) overriding = FS;
    else if (opcode == 0x65) overriding = GS;
    else break;
  }
  addressSize = is64() ? (address67 ? 2 : 3) : (mode == 1) != address67 ? 2 : 1;
  size = is64() ? (rex & 8 ? 3 : operand66 ? 1 : 2) : (mode == 1) != operand66 ? 2 : 1;
  store<u8>(op, <u8>addressSize, OP_ADDRESS);
  store<u8>(op, <u8>size, OP_OPERAND);
  store<u8>(op, (is64() ? OP_FLAT : 0) | <u8>repeat, OP_FLAGS);
  if (!starved) oneByte(opcode);
  const length = <u32>(cursor - at);
  if (starved) {
    if (available < <u32>MAX_LENGTH) return 0;
    kind(K.TOO_LONG);
    endsBlock = true;
    store<u8>(op, MAX_LENGTH, OP_LENGTH);
    return MAX_LENGTH;
  }
  if (lock) {
    if (!lockable || (load<u8>(op, OP_FLAGS) & OP_MEMORY) == 0) {
      if (load<u16>(op, OP_KIND) != K.UD) undefinedOp(Reason.LockPrefix);
    }
    store<u8>(op, load<u8>(op, OP_FLAGS) | OP_LOCK, OP_FLAGS);
  }
  store<u8>(op, <u8>length, OP_LENGTH);
  return length;
}
function isPrefix(b: u32): bool {
  if ((b & 0xf0) == 0x40) return true;
  return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e ||
    b == 0x64 || b == 0x65;
}
/** ES, CS, SS and DS prefixes mean nothing in 64-bit mode. */
function prefix(segment: u32): void {
  if (!is64()) overriding = segment;
}

/** Stack operations default to 64 bits in 64-bit mode; 66 makes them 16. */
export function stackSize(): void {
  if (is64()) setSize(size == 1 ? 1 : 3);
}
/** Near branches: 64 bits in 64-bit mode; AMD obeys 66, Intel does not (APM vol. 3, "Near Branches in 64-Bit Mode"). */
export function branchSize(): void {
  if (is64() && (size != 1 || (load<u32>(FEATURES) & HAS_AMD) == 0)) setSize(3);
}
export function relative8(): void {
  setImmediate(<i64><i8>byte());
  branchSize();
}
export function relativeOfSize(): void {
  branchSize();
  setImmediate(size == 1 ? <i64><i16>take(2) : <i64><i32>take(4));
}
export function notInLong(number: u32): bool {
  if (is64()) {
    undefinedOp(Reason.NotInMode);
    return false;
  }
  kind(number);
  return true;
}
