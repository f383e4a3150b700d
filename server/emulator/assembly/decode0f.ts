/** Opcodes behind 0F, 0F 38 and the groups there (SDM vol. 2, tables ). Those of features that CPUID lacks are #UD. */
import {
  CPUID_1_ECX, CPUID_1_EDX, CPUID_7_EBX, CPUID_7_ECX, CPUID_81_ECX, CPUID_81_EDX, CPUID_88_EBX, CPUID_D1_EAX, FEATURES, FS, GS, HAS_FSGSBASE,
  HAS_LONG_MODE, HAS_SMAP, HAS_XSAVE, LDTR, SS, TR,
} from "./layout";
import {
  byte, immediate8u, implicitSegment, isRegister, kind, last, mayLock, modrm, opcodeRegister, operand66, peek, readModrm, readOperands,
  readRegisterForm, regNumber, relativeOfSize, repeat, rmNumber, setImmediate, setReg, setRm, setSize, size, sized,
  stackSize, takeLock, undefinedOp,
} from "./decode";
import * as K from "./kinds";
import { loadPointer } from "./opcodes";
import { OP_REP } from "./op";
import { decode38, decode3a, decodeSse } from "./sse/decode";

@inline function has(word: usize, bit: u32): bool {
  return ((load<u32>(word) >> bit) & 1) != 0;
}
@inline function feature(bits: u32): bool {
  return (load<u32>(FEATURES) & bits) != 0;
}
@inline function group(): u32 {
  return (modrm >> 3) & 7;
}

export function decodeTwoByte(): void {
  const opcode = byte();
  if (opcode >= 0x80 && opcode <= 0x8f) {
    relativeOfSize();
    last(K.JO + (opcode & 15));
    return;
  }
  if (opcode >= 0x40 && opcode <= 0x4f) {
    readOperands();
    setImmediate(opcode & 15);
    sized(K.CMOV);
    return;
  }
  if (opcode >= 0x90 && opcode <= 0x9f) {
    setSize(0);
    readOperands();
    setImmediate(opcode & 15);
    kind(K.SETCC);
    return;
  }
  if (opcode >= 0xc8 && opcode <= 0xcf) {
    setRm(opcodeRegister(opcode));
    sized(K.BSWAP);
    return;
  }
  switch (opcode) {
    case 0x00: group6(); return;
    case 0x01: group7(); return;
    case 0x02: readModrm(size, 1); kind(K.LAR); return;
    case 0x03: readModrm(size, 1); kind(K.LSL); return;
    case 0x05: if (feature(HAS_LONG_MODE)) last(K.SYSCALL); else undefinedOp(); return;
    case 0x07: if (feature(HAS_LONG_MODE)) last(K.SYSRET); else undefinedOp(); return;
    case 0x06: kind(K.CLTS); return;
    // INVD and WBINVD; F3 makes the latter WBNOINVD, or is ignored by CPUs without it.
    case 0x08: case 0x09: last(K.WBINVD); return;
    case 0x0d: readOperands(); if (isRegister()) undefinedOp(); else kind(K.NOP); return;
    case 0x18: case 0x19: case 0x1a: case 0x1b: case 0x1c: case 0x1d: case 0x1f: readOperands(); kind(K.NOP); return;
    case 0x1e:
      readOperands();
      if (repeat == OP_REP && (modrm == 0xfa || modrm == 0xfb)) {
        setImmediate(modrm == 0xfa ? 1 : 0);
        kind(K.ENDBR);
      } else kind(K.NOP);
      return;
    case 0x20: case 0x22: case 0x21: case 0x23:
      // Always registers, whatever mod says.
      readRegisterForm();
      setReg((opcode & 1) == 0 && regNumber() == 0 && has(CPUID_81_ECX, 4) && takeLock() ? 8 : regNumber());
      setRm(rmNumber() << 3);
      last(opcode == 0x20 ? K.MOV_FROM_CONTROL : opcode == 0x22 ? K.MOV_TO_CONTROL : opcode == 0x21 ? K.MOV_FROM_DEBUG : K.MOV_TO_DEBUG);
      return;
    case 0x30: last(K.WRMSR); return;
    case 0x31: kind(K.RDTSC); return;
    case 0x32: kind(K.RDMSR); return;
    case 0x33: kind(K.RDPMC); return;
    case 0x34: if (has(CPUID_1_EDX, 11)) last(K.SYSENTER); else undefinedOp(); return;
    case 0x35: if (has(CPUID_1_EDX, 11)) last(K.SYSEXIT); else undefinedOp(); return;
    case 0x38: threeByte(); return;
    case 0x3a: decode3a(byte()); return;
    case 0xa0: case 0xa8: stackSize(); setReg(opcode == 0xa0 ? FS : GS); kind(K.PUSH_SEGMENT); return;
    case 0xa1: case 0xa9: stackSize(); setReg(opcode == 0xa1 ? FS : GS); last(K.POP_SEGMENT); return;
    case 0xa2: kind(K.CPUID); return;
    case 0xa3: bitTest(4); return;
    case 0xab: bitTest(5); return;
    case 0xb3: bitTest(6); return;
    case 0xbb: bitTest(7); return;
    case 0xba:
      readOperands();
      if (group() < 4) {
        undefinedOp();
        return;
      }
      immediate8u();
      setReg(group());
      sized(K.BIT_TEST_I);
      if (group() != 4) mayLock();
      return;
    case 0xa4: readOperands(); immediate8u(); sized(K.SHLD_I); return;
    case 0xa5: readOperands(); sized(K.SHLD_C); return;
    case 0xac: readOperands(); immediate8u(); sized(K.SHRD_I); return;
    case 0xad: readOperands(); sized(K.SHRD_C); return;
    case 0xae: group15(); return;
    case 0xaf: readOperands(); sized(K.IMUL_R); return;
    case 0xb0: case 0xb1:
      if (opcode == 0xb0) setSize(0);
      readOperands();
      sized(K.CMPXCHG);
      mayLock();
      return;
    case 0xc0: case 0xc1:
      if (opcode == 0xc0) setSize(0);
      readOperands();
      sized(K.XADD);
      mayLock();
      return;
    case 0xb2: loadPointer(SS); return;
    case 0xb4: loadPointer(FS); return;
    case 0xb5: loadPointer(GS); return;
    case 0xb6: readModrm(size, 0); sized(isRegister() ? K.MOVZX8_R : K.MOVZX8_M); return;
    case 0xb7: readModrm(size, 1); sized(isRegister() ? K.MOVZX16_R : K.MOVZX16_M); return;
    case 0xbe: readModrm(size, 0); sized(isRegister() ? K.MOVSX8_R : K.MOVSX8_M); return;
    case 0xbf: readModrm(size, 1); sized(isRegister() ? K.MOVSX16_R : K.MOVSX16_M); return;
    case 0xb8:
      readOperands();
      if (repeat == OP_REP && has(CPUID_1_ECX, 23)) sized(K.POPCOUNT);
      else undefinedOp();
      return;
    case 0xbc: readOperands(); sized(repeat == OP_REP && has(CPUID_7_EBX, 3) ? K.TZCNT : K.BSF); return;
    case 0xbd: readOperands(); sized(repeat == OP_REP && has(CPUID_81_ECX, 5) ? K.LZCNT : K.BSR); return;
    case 0xc3:
      // MOVNTI comes with SSE2; 32 bits in 16-bit code too.
      if (size == 1) setSize(2);
      readOperands();
      if (isRegister() || !has(CPUID_1_EDX, 26) || operand66 || repeat != 0) undefinedOp();
      else sized(K.MOV_MR);
      return;
    case 0xc7: group9(); return;
  }
  if (decodeSse(opcode)) return;
  // UD0 and UD1 have a ModRM byte, UD2 has none.
  if (opcode == 0xb9 || opcode == 0xff) readOperands();
  undefinedOp();
}

function bitTest(which: u32): void {
  readOperands();
  setImmediate(which);
  sized(K.BIT_TEST_R);
  if (which != 4) mayLock();
}

/** SLDT STR LLDT LTR VERR VERW. */
function group6(): void {
  const number = (peek() >> 3) & 7;
  readModrm(size, number < 2 ? size : 1);
  if (number < 2) {
    setImmediate(number == 0 ? LDTR : TR);
    kind(K.SLDT);
  } else if (number == 2) last(K.LLDT);
  else if (number == 3) last(K.LTR);
  else if (number < 6) {
    setImmediate(number - 4);
    kind(K.VERIFY);
  } else undefinedOp();
}
/** SGDT SIDT LGDT LIDT SMSW LMSW INVLPG, and what lies in their register forms. */
function group7(): void {
  readOperands();
  const number = group();
  if (!isRegister()) {
    if (number < 2) {
      setImmediate(number);
      kind(K.STORE_TABLE);
    } else if (number < 4) {
      setImmediate(number - 2);
      last(K.LOAD_TABLE);
    } else if (number == 4) {
      setImmediate(size);
      kind(K.SMSW);
    } else if (number == 6) last(K.LMSW);
    else if (number == 7) last(K.INVLPG);
    else undefinedOp();
    return;
  }
  if (number == 4) {
    setImmediate(size);
    kind(K.SMSW);
    return;
  }
  if (number == 6) {
    last(K.LMSW);
    return;
  }
  switch (modrm) {
    // VMCALL and VMMCALL, whichever vendor's CPU it is: a hypervisor may answer either.
    case 0xc1: case 0xd9: if (repeat == 0 && !operand66) kind(K.HYPERCALL); else undefinedOp(); return;
    case 0xd0: if (feature(HAS_XSAVE) && repeat == 0 && !operand66) kind(K.XGETBV); else undefinedOp(); return;
    case 0xd1: if (feature(HAS_XSAVE) && repeat == 0 && !operand66) last(K.XSETBV); else undefinedOp(); return;
    // MONITOR and CLZERO have an operand at DS:rAX.
    case 0xc8: case 0xc9:
      implicitSegment();
      if (has(CPUID_1_ECX, 3)) kind(modrm == 0xc8 ? K.MONITOR : K.MWAIT);
      else undefinedOp();
      return;
    case 0xfc:
      implicitSegment();
      if (has(CPUID_88_EBX, 0) && repeat == 0) kind(K.CLZERO);
      else undefinedOp();
      return;
    case 0xca: case 0xcb:
      if (!feature(HAS_SMAP)) {
        undefinedOp();
        return;
      }
      setImmediate(modrm & 1);
      kind(K.SMAP_FLAG);
      return;
    case 0xee: case 0xef:
      if (!has(CPUID_7_ECX, 3) || repeat != 0 || operand66) undefinedOp();
      else kind(modrm == 0xee ? K.RDPKRU : K.WRPKRU);
      return;
    case 0xf8: if (feature(HAS_LONG_MODE)) kind(K.SWAPGS); else undefinedOp(); return;
    case 0xf9: if (has(CPUID_81_EDX, 27)) kind(K.RDTSCP); else undefinedOp(); return;
  }
  undefinedOp();
}

/** CMPXCHG8B and 16B, the compacting and supervisor forms of XSAVE; RDRAND, RDSEED and RDPID as register forms. */
function group9(): void {
  readOperands();
  const number = group();
  if (isRegister()) {
    if (number == 7 && repeat == OP_REP && has(CPUID_7_ECX, 22)) kind(K.RDPID);
    else if (repeat == 0 && ((number == 6 && has(CPUID_1_ECX, 30)) || (number == 7 && has(CPUID_7_EBX, 18))))
      sized(K.RANDOM);
    else undefinedOp();
    return;
  }
  if (number == 1) {
    if (size != 3) kind(K.CMPXCHG8B);
    else if (has(CPUID_1_ECX, 13)) kind(K.CMPXCHG16B);
    else undefinedOp();
    mayLock();
    return;
  }
  if (number < 3 || number > 5 || repeat != 0 || operand66 || !feature(HAS_XSAVE)) undefinedOp();
  else if (number == 4 && has(CPUID_D1_EAX, 1)) stateOp(K.XSAVE, 2);
  else if (number != 4 && has(CPUID_D1_EAX, 3)) stateOp(number == 3 ? K.XRSTOR : K.XSAVE, number == 3 ? 4 : 6);
  else undefinedOp();
}
function stateOp(number: u32, form: u32): void {
  setImmediate(form);
  kind(number);
}

/** FXSAVE and its like, fences, CLFLUSH, and the FS and GS base instructions. */
function group15(): void {
  readOperands();
  const number = group();
  if (isRegister()) {
    if (repeat == OP_REP && number < 4 && feature(HAS_FSGSBASE)) {
      setImmediate(number);
      // 64-bit code only, where 66 means nothing.
      if (size < 2) setSize(2);
      sized(K.SEGMENT_BASE);
    } else if (repeat == 0 && !operand66 && number >= 5) kind(K.NOP);
    else undefinedOp();
    return;
  }
  const plain = repeat == 0 && !operand66;
  if (plain && number < 2 && has(CPUID_1_EDX, 24)) {
    kind(number == 0 ? K.FXSAVE : K.FXRSTOR);
    return;
  }
  if (plain && (number == 2 || number == 3) && has(CPUID_1_EDX, 25)) {
    kind(number == 2 ? K.LDMXCSR : K.STMXCSR);
    return;
  }
  if (number == 4 || number == 5 || (number == 6 && !operand66)) {
    const offered = number != 6 || has(CPUID_D1_EAX, 0);
    if (repeat != 0 || operand66 || !feature(HAS_XSAVE) || !offered) undefinedOp();
    else stateOp(number == 5 ? K.XRSTOR : K.XSAVE, number == 6 ? 1 : 0);
    return;
  }
  // CLFLUSH; with 66, CLFLUSHOPT and CLWB by CPUID.
  const line = !operand66 ? has(CPUID_1_EDX, 19) : has(CPUID_7_EBX, number == 7 ? 23 : 24);
  if (number >= 6 && repeat == 0 && line) kind(K.CLFLUSH);
  else undefinedOp();
}

/** MOVBE and INVPCID; everything else behind 0F 38 is of the vector extensions. */
function threeByte(): void {
  const opcode = byte();
  readOperands();
  if ((opcode == 0xf0 || opcode == 0xf1) && repeat == 0 && has(CPUID_1_ECX, 22) && !isRegister())
    sized(opcode == 0xf0 ? K.MOVBE_LOAD : K.MOVBE_STORE);
  else if (opcode == 0x82 && operand66 && repeat == 0 && has(CPUID_7_EBX, 10) && !isRegister()) last(K.INVPCID);
  else decode38(opcode);
}
