/** Which flags an instruction leaves undefined (SDM vol. 2, "Flags Affected"). */
import { has, register, type Opcode } from './opcode';
import type { CodeSize } from '../stepper/stage';

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const OF = 0x800;
const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

/** Operand size in bits of an instruction whose opcode has bit 0 for "not a byte". */
export function operandSize(o: Opcode, bits: CodeSize, byte: boolean): 8 | 16 | 32 | 64 {
  if (byte) return 8;
  if (bits === 64 && (o.rex & 8) !== 0) return 64;
  return (bits === 16) !== has(o, 0x66) ? 16 : 32;
}

/** Of shifts and rotates, by ModRM.reg; `count` as encoded, null where it is not known. */
function afterShift(operation: number, count: number | null, size: number): number {
  const masked = count === null ? null : count & (size === 64 ? 63 : 31);
  if (masked === 0) return 0;
  const overflow = masked === 1 ? 0 : OF;
  if (operation < 4) return overflow;
  const carry = operation !== 7 && (masked === null ? size < 32 : masked >= size) ? CF : 0;
  return overflow | AF | carry;
}

const LOGIC = new Set([1, 4, 6]);

/** `immediate` is the byte that counts a shift (or null), `cl` what CL holds where that is known. */
export function undefinedFlags(
  o: Opcode,
  bits: CodeSize,
  immediate: number | null,
  cl: number | null,
): number {
  const { map, opcode } = o;
  if (map === 1) {
    if (opcode < 0x40 && (opcode & 7) < 6) return LOGIC.has(opcode >> 3) ? AF : 0;
    if (opcode >= 0x80 && opcode <= 0x83) return LOGIC.has(register(o)) ? AF : 0;
    switch (opcode) {
      case 0x27:
      case 0x2f:
        return OF;
      case 0x37:
      case 0x3f:
        return OF | SF | ZF | PF;
      case 0x69:
      case 0x6b:
        return SF | ZF | AF | PF;
      case 0x84:
      case 0x85:
      case 0xa8:
      case 0xa9:
        return AF;
      case 0xc0:
      case 0xc1:
        return afterShift(register(o), immediate, operandSize(o, bits, opcode === 0xc0));
      case 0xd0:
      case 0xd1:
        return afterShift(register(o), 1, operandSize(o, bits, opcode === 0xd0));
      case 0xd2:
      case 0xd3:
        return afterShift(register(o), cl, operandSize(o, bits, opcode === 0xd2));
      case 0xd4:
      case 0xd5:
        return OF | AF | CF;
      case 0xf6:
      case 0xf7:
        return [AF, AF, 0, 0, SF | ZF | AF | PF, SF | ZF | AF | PF, ARITHMETIC, ARITHMETIC][register(o)] ?? 0;
      default:
        return 0;
    }
  }
  if (map !== 2) return 0;
  switch (opcode) {
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
    case 0xba:
      return OF | SF | AF | PF;
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad: {
      const size = operandSize(o, bits, false);
      const count = opcode === 0xa4 || opcode === 0xac ? immediate : cl;
      const masked = count === null ? null : count & (size === 64 ? 63 : 31);
      if (masked === 0) return 0;
      if (size === 16 && (masked === null || masked > 16)) return ARITHMETIC;
      return AF | (masked === 1 ? 0 : OF);
    }
    case 0xaf:
      return SF | ZF | AF | PF;
    case 0xbc:
    case 0xbd:
      return CF | OF | SF | AF | PF;
    default:
      return 0;
  }
}
