/** One-byte opcodes and their groups (SDM vol. 2, tables ). */
import { CPUID_81_ECX, DS, ES, FEATURES, HAS_AMD } from "./layout";
import {
  addressSize, branchSize, byte, endBlock, immediate8, immediate8u, immediateOfSize, implicitSegment, is64, isRegister,
  kind, last, mayLock, modrm, notInLong, notrack, op, opcodeRegister, peek, readModrm, readOperands, registerOffset,
  regNumber, relative8, relativeOfSize, repeat, rex, rmNumber, setImmediate, setReg, setRm, setSize, size, sized,
  stackSize, take, undefinedOp,
} from "./decode";
import { decodeTwoByte } from "./decode0f";
import { Reason } from "./events";
import * as K from "./kinds";
import { OP_IMMEDIATE, OP_KIND, OP_REP } from "./op";

/** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP: number 0 to 7, form 0 to 5 as in opcodes 00 to 3D. */
function arithmetic(number: u32, form: u32): void {
  const base = K.ADD_RR + number * 20;
  if (!(form & 1)) setSize(0);
  if (form >= 4) {
    setRm(0);
    immediateOfSize();
    sized(base + 12);
    return;
  }
  readOperands();
  if (isRegister()) {
    if (form >= 2) {
      // Register to register: the destination goes into RM.
      setRm(registerOffset(regNumber(), size));
      setReg(registerOffset(rmNumber(), size));
    }
    sized(base);
  } else if (form >= 2) sized(base + 4);
  else {
    sized(base + 8);
    if (number != 7) mayLock();
  }
}

export function oneByte(opcode: u32): void {
  if (opcode < 0x40 && (opcode & 7) < 6) {
    arithmetic(opcode >> 3, opcode & 7);
    return;
  }
  switch (opcode) {
    case 0x0f: decodeTwoByte(); return;
    case 0x06: case 0x0e: case 0x16: case 0x1e:
      if (notInLong(K.PUSH_SEGMENT)) setReg(opcode >> 3);
      return;
    case 0x07: case 0x17: case 0x1f:
      if (notInLong(K.POP_SEGMENT)) setReg(opcode >> 3);
      return;
    case 0x27: notInLong(K.DAA); return;
    case 0x2f: notInLong(K.DAS); return;
    case 0x37: notInLong(K.AAA); return;
    case 0x3f: notInLong(K.AAS); return;
    case 0x40: case 0x41: case 0x42: case 0x43: case 0x44: case 0x45: case 0x46: case 0x47:
      setRm(opcodeRegister(opcode));
      sized(K.INC_R);
      return;
    case 0x48: case 0x49: case 0x4a: case 0x4b: case 0x4c: case 0x4d: case 0x4e: case 0x4f:
      setRm(opcodeRegister(opcode));
      sized(K.DEC_R);
      return;
    case 0x50: case 0x51: case 0x52: case 0x53: case 0x54: case 0x55: case 0x56: case 0x57:
      stackSize();
      setRm(opcodeRegister(opcode));
      store<u16>(op, <u16>(K.PUSH_R + size), OP_KIND);
      return;
    case 0x58: case 0x59: case 0x5a: case 0x5b: case 0x5c: case 0x5d: case 0x5e: case 0x5f:
      stackSize();
      setRm(opcodeRegister(opcode));
      store<u16>(op, <u16>(K.POP_R + size), OP_KIND);
      return;
    case 0x60: notInLong(K.PUSHA); return;
    case 0x61: notInLong(K.POPA); return;
    case 0x62:
      if (!notInLong(K.BOUND)) return;
      readOperands();
      if (isRegister()) undefinedOp();
      return;
    case 0x63:
      if (is64()) {
        readModrm(size, 2);
        sized(K.MOVSXD);
      } else {
        setSize(1);
        readOperands();
        kind(K.ARPL);
      }
      return;
    case 0x68: stackSize(); immediateOfSize(); sized(K.PUSH_I); return;
    case 0x6a: stackSize(); immediate8(); sized(K.PUSH_I); return;
    case 0x69: readOperands(); immediateOfSize(); sized(K.IMUL_I); return;
    case 0x6b: readOperands(); immediate8(); sized(K.IMUL_I); return;
    case 0x6c: case 0x6d: portString(K.INS, opcode); return;
    case 0x6e: case 0x6f: portString(K.OUTS, opcode); return;
    case 0x80: case 0x81: case 0x82: case 0x83: immediateGroup(opcode); return;
    case 0x84: case 0x85:
      if (opcode == 0x84) setSize(0);
      readOperands();
      sized(isRegister() ? K.TEST_RR : K.TEST_MR);
      return;
    case 0x86: case 0x87:
      if (opcode == 0x86) setSize(0);
      readOperands();
      sized(isRegister() ? K.XCHG_RR : K.XCHG_RM);
      mayLock();
      return;
    case 0x88: case 0x89:
      if (opcode == 0x88) setSize(0);
      readOperands();
      sized(isRegister() ? K.MOV_RR : K.MOV_MR);
      return;
    case 0x8a: case 0x8b:
      if (opcode == 0x8a) setSize(0);
      readOperands();
      if (isRegister()) {
        setRm(registerOffset(regNumber(), size));
        setReg(registerOffset(rmNumber(), size));
        sized(K.MOV_RR);
      } else sized(K.MOV_RM);
      return;
    case 0x8c:
      readOperands();
      setReg(regNumber() & 7);
      if ((regNumber() & 7) > 5) undefinedOp();
      else kind(K.MOV_FROM_SEGMENT);
      return;
    case 0x8e:
      readOperands();
      setReg(regNumber() & 7);
      // MOV to CS is undefined.
      if ((regNumber() & 7) > 5 || (regNumber() & 7) == 1) undefinedOp();
      else last(K.MOV_TO_SEGMENT);
      return;
    case 0x8d:
      readOperands();
      if (isRegister()) undefinedOp();
      else sized(K.LEA);
      return;
    case 0x8f:
      stackSize();
      readOperands();
      if ((modrm >> 3) & 7) undefinedOp();
      else kind(K.POP_M);
      return;
    case 0x90:
      if (!(rex & 1)) {
        kind(repeat == OP_REP ? K.PAUSE : K.NOP);
        return;
      }
    // falls through
    case 0x91: case 0x92: case 0x93: case 0x94: case 0x95: case 0x96: case 0x97:
      setReg(0);
      setRm(opcodeRegister(opcode));
      sized(K.XCHG_RR);
      return;
    case 0x98: sized(K.EXTEND_A); return;
    case 0x99: sized(K.EXTEND_D); return;
    case 0x9a: farPointer(K.CALL_FAR); return;
    case 0x9b: kind(K.FWAIT); return;
    case 0x9c: stackSize(); kind(K.PUSHF); return;
    case 0x9d: stackSize(); last(K.POPF); return;
    case 0x9e: lahfSahf(K.SAHF); return;
    case 0x9f: lahfSahf(K.LAHF); return;
    case 0xa0: case 0xa1: case 0xa2: case 0xa3:
      if (!(opcode & 1)) setSize(0);
      setImmediate(take((<u32>1) << addressSize));
      implicitSegment();
      sized(opcode < 0xa2 ? K.MOV_LOAD : K.MOV_STORE);
      return;
    case 0xa4: case 0xa5: string(K.MOVS, opcode); return;
    case 0xa6: case 0xa7: string(K.CMPS, opcode); return;
    case 0xa8: case 0xa9:
      if (opcode == 0xa8) setSize(0);
      setRm(0);
      immediateOfSize();
      sized(K.TEST_RI);
      return;
    case 0xaa: case 0xab: string(K.STOS, opcode); return;
    case 0xac: case 0xad: string(K.LODS, opcode); return;
    case 0xae: case 0xaf: string(K.SCAS, opcode); return;
    case 0xb0: case 0xb1: case 0xb2: case 0xb3: case 0xb4: case 0xb5: case 0xb6: case 0xb7:
      setSize(0);
      setRm(opcodeRegister(opcode));
      immediate8();
      sized(K.MOV_RI);
      return;
    case 0xb8: case 0xb9: case 0xba: case 0xbb: case 0xbc: case 0xbd: case 0xbe: case 0xbf:
      setRm(opcodeRegister(opcode));
      if (size == 3) setImmediate(take(8));
      else immediateOfSize();
      sized(K.MOV_RI);
      return;
    case 0xc0: case 0xc1:
      if (opcode == 0xc0) setSize(0);
      readOperands();
      immediate8u();
      shift(K.SHIFT_RI, K.SHIFT_MI);
      return;
    case 0xd0: case 0xd1:
      if (opcode == 0xd0) setSize(0);
      readOperands();
      setImmediate(1);
      shift(K.SHIFT_RI, K.SHIFT_MI);
      return;
    case 0xd2: case 0xd3:
      if (opcode == 0xd2) setSize(0);
      readOperands();
      shift(K.SHIFT_RC, K.SHIFT_MC);
      return;
    case 0xc2: branchSize(); setImmediate(take(2)); last(K.RET); return;
    case 0xc3: branchSize(); last(K.RET); return;
    case 0xc4: case 0xc5:
      if (is64()) undefinedOp(Reason.NotInMode);
      else loadPointer(opcode == 0xc4 ? ES : DS);
      return;
    case 0xc6: case 0xc7:
      if (opcode == 0xc6) setSize(0);
      readOperands();
      if ((modrm >> 3) & 7) {
        undefinedOp();
        return;
      }
      immediateOfSize();
      sized(isRegister() ? K.MOV_RI : K.MOV_MI);
      return;
    case 0xc8:
      stackSize();
      setImmediate(take(2) | (<u64>byte() << 16));
      kind(K.ENTER);
      return;
    case 0xc9: stackSize(); kind(K.LEAVE); return;
    case 0xca: setImmediate(take(2)); last(K.RET_FAR); return;
    case 0xcb: last(K.RET_FAR); return;
    case 0xcc: last(K.INT3); return;
    case 0xcd: immediate8u(); last(K.INT); return;
    case 0xce: if (notInLong(K.INTO)) endBlock(); return;
    case 0xcf: last(K.IRET); return;
    case 0xd4: immediate8u(); notInLong(K.AAM); return;
    case 0xd5: immediate8u(); notInLong(K.AAD); return;
    case 0xd6: notInLong(K.SALC); return;
    case 0xd7: implicitSegment(); kind(K.XLAT); return;
    case 0xd8: case 0xd9: case 0xda: case 0xdb: case 0xdc: case 0xdd: case 0xde: case 0xdf: x87(opcode); return;
    case 0xe0: relative8(); last(K.LOOPNE); return;
    case 0xe1: relative8(); last(K.LOOPE); return;
    case 0xe2: relative8(); last(K.LOOP); return;
    case 0xe3: relative8(); last(K.JCXZ); return;
    case 0xe4: case 0xe5: port(K.IN_IMM, opcode); immediate8u(); return;
    case 0xe6: case 0xe7: port(K.OUT_IMM, opcode); immediate8u(); return;
    case 0xec: case 0xed: port(K.IN_DX, opcode); return;
    case 0xee: case 0xef: port(K.OUT_DX, opcode); return;
    case 0xe8: relativeOfSize(); last(K.CALL_REL); return;
    case 0xe9: relativeOfSize(); last(K.JMP_REL); return;
    case 0xea: farPointer(K.JMP_FAR); return;
    case 0xeb: relative8(); last(K.JMP_REL); return;
    case 0xf1: last(K.INT1); return;
    case 0xf4: last(K.HLT); return;
    case 0xf5: kind(K.CMC); return;
    case 0xf6: case 0xf7: unaryGroup(opcode); return;
    case 0xf8: kind(K.CLC); return;
    case 0xf9: kind(K.STC); return;
    case 0xfa: kind(K.CLI); return;
    case 0xfb: last(K.STI); return;
    case 0xfc: kind(K.CLD); return;
    case 0xfd: kind(K.STD); return;
    case 0xfe: case 0xff: incrementGroup(opcode); return;
  }
  if (opcode >= 0x70 && opcode <= 0x7f) {
    relative8();
    last(K.JO + (opcode & 15));
    return;
  }
  undefinedOp();
}

function lahfSahf(number: u32): void {
  if (is64() && !(load<u32>(CPUID_81_ECX) & 1)) undefinedOp(Reason.NotInMode);
  else kind(number);
}
function string(number: u32, opcode: u32): void {
  if (!(opcode & 1)) setSize(0);
  implicitSegment();
  sized(number);
  if (repeat) endBlock();
}
/** Ports are 8, 16 or 32 bits wide. */
function port(number: u32, opcode: u32): void {
  setSize(!(opcode & 1) ? 0 : min<u32>(size, 2));
  sized(number);
  endBlock();
}
function portString(number: u32, opcode: u32): void {
  implicitSegment();
  port(number, opcode);
}
function farPointer(number: u32): void {
  if (is64()) {
    undefinedOp(Reason.NotInMode);
    return;
  }
  const offset = take((<u32>1) << size);
  setImmediate(offset | (take(2) << 32));
  last(number);
}
export function loadPointer(segment: u32): void {
  // REX.W selects a 64-bit offset on Intel only.
  if (size == 3 && (load<u32>(FEATURES) & HAS_AMD) != 0) setSize(2);
  readOperands();
  if (isRegister()) {
    undefinedOp();
    return;
  }
  setImmediate(segment);
  last(K.LOAD_FAR_POINTER);
}
function immediateGroup(opcode: u32): void {
  if (opcode == 0x82 && is64()) {
    undefinedOp(Reason.NotInMode);
    return;
  }
  if (!(opcode & 1)) setSize(0);
  readOperands();
  const number = (modrm >> 3) & 7;
  if (opcode == 0x81) immediateOfSize();
  else immediate8();
  const base = K.ADD_RR + number * 20;
  sized(isRegister() ? base + 12 : base + 16);
  if (number != 7) mayLock();
}
function shift(registerKind: u32, memoryKind: u32): void {
  const number = (modrm >> 3) & 7;
  // 6 is an undocumented SHL.
  setReg(number == 6 ? 4 : number);
  const memory = !isRegister();
  sized(memory ? memoryKind : registerKind);
  if (memory || registerKind != K.SHIFT_RI || size < 2) return;
  const count = load<u32>(op, OP_IMMEDIATE) & (size == 3 ? 63 : 31);
  if (!count) return;
  if (number == 4) sized(K.SHL_RI);
  else if (number == 5) sized(K.SHR_RI);
  else return;
  setImmediate(count);
}
function unaryGroup(opcode: u32): void {
  if (opcode == 0xf6) setSize(0);
  readOperands();
  const register = isRegister();
  switch ((modrm >> 3) & 7) {
    case 0: case 1:
      immediateOfSize();
      sized(register ? K.TEST_RI : K.TEST_MI);
      return;
    case 2: sized(register ? K.NOT_R : K.NOT_M); mayLock(); return;
    case 3: sized(register ? K.NEG_R : K.NEG_M); mayLock(); return;
    case 4: sized(K.MUL); return;
    case 5: sized(K.IMUL_A); return;
    case 6: sized(K.DIV); return;
    default: sized(K.IDIV); return;
  }
}
function incrementGroup(opcode: u32): void {
  if (opcode == 0xfe) setSize(0);
  const number = (peek() >> 3) & 7;
  if (opcode == 0xff) {
    if (number == 2 || number == 4) branchSize();
    else if (number == 6) stackSize();
    else if ((number == 3 || number == 5) && size == 3 && (load<u32>(FEATURES) & HAS_AMD) != 0) setSize(2);
  }
  readOperands();
  const register = isRegister();
  if (number == 0) {
    sized(register ? K.INC_R : K.INC_M);
    mayLock();
  } else if (number == 1) {
    sized(register ? K.DEC_R : K.DEC_M);
    mayLock();
  } else if (opcode == 0xfe || number == 7) undefinedOp();
  else if (number == 6) store<u16>(op, <u16>(K.PUSH_M + size), OP_KIND);
  else if (number == 2 || number == 4) {
    setImmediate(notrack ? 1 : 0);
    last(number == 2 ? K.CALL_RM : K.JMP_RM);
  } else if (register) undefinedOp();
  else last(number == 3 ? K.CALL_FAR_MEMORY : K.JMP_FAR_MEMORY);
}
/** The immediate is the opcode as the x87 keeps it: three bits of the first byte, and ModRM. */
function x87(opcode: u32): void {
  readOperands();
  setImmediate(((opcode & 7) << 8) | modrm);
  kind(isRegister() ? K.X87_REGISTER : K.X87_MEMORY);
}
