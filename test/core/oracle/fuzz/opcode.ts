/** The prefixes, the opcode and the ModRM byte of an encoded instruction (SDM vol. 2, 2.1 and 2.2). */
import type { CodeSize } from '../stepper/stage';

export interface Opcode {
  /** Legacy prefixes in order. */
  readonly prefixes: readonly number[];
  /** 0 where there is none. */
  readonly rex: number;
  /** Opcode map: 1 is one-byte, 2 is 0F, 3 is 0F 38, 4 is 0F 3A; 5 VEX, 6 EVEX, 7 XOP. */
  readonly map: number;
  readonly opcode: number;
  /** The byte behind the opcode, a ModRM byte where the opcode has one. */
  readonly modrm: number;
}

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

export function opcodeOf(bytes: Uint8Array, bits: CodeSize): Opcode {
  let at = 0;
  const next = (): number => bytes[at++] ?? 0;
  const prefixes: number[] = [];
  let rex = 0;
  let byte = next();
  while (at < 16) {
    if (bits === 64 && (byte & 0xf0) === 0x40) rex = byte;
    else if (PREFIXES.includes(byte)) {
      prefixes.push(byte);
      rex = 0;
    } else break;
    byte = next();
  }
  const peek = bytes[at] ?? 0;
  const vex = bits === 64 || peek >= 0xc0;
  if (byte === 0x0f) {
    const second = next();
    if (second === 0x38 || second === 0x3a)
      return { prefixes, rex, map: second === 0x38 ? 3 : 4, opcode: next(), modrm: next() };
    return { prefixes, rex, map: 2, opcode: second, modrm: next() };
  }
  if ((byte === 0xc4 || byte === 0xc5) && vex) return { prefixes, rex, map: 5, opcode: byte, modrm: peek };
  if (byte === 0x62 && vex) return { prefixes, rex, map: 6, opcode: byte, modrm: peek };
  if (byte === 0x8f && (peek & 0x1f) >= 8) return { prefixes, rex, map: 7, opcode: byte, modrm: peek };
  return { prefixes, rex, map: 1, opcode: byte, modrm: peek };
}

export const has = ({ prefixes }: Opcode, prefix: number): boolean => prefixes.includes(prefix);
/** The last of F2 and F3, which is the one that counts. */
export const repeat = ({ prefixes }: Opcode): number =>
  [...prefixes].reverse().find((prefix) => prefix === 0xf2 || prefix === 0xf3) ?? 0;
export const register = ({ modrm }: Opcode): number => (modrm >> 3) & 7;
export const isMemory = ({ modrm }: Opcode): boolean => modrm < 0xc0;
export const oneByte = ({ map, opcode }: Opcode, ...opcodes: readonly number[]): boolean =>
  map === 1 && opcodes.includes(opcode);
export const twoByte = ({ map, opcode }: Opcode, ...opcodes: readonly number[]): boolean =>
  map === 2 && opcodes.includes(opcode);
