/** Programs of random instructions that print a running hash of all registers and defined flags after each. */
import { nextInstruction, type Generated } from './instructions';
import { Operands, registerName, type Bits } from './operands';
import { Random } from './random';

export interface Torture {
  readonly bits: Bits;
  readonly instructions: readonly Generated[];
  /** NASM source of a 64 KiB ROM. `dumpAt` prints all state before and after that instruction (by index). */
  source(dumpAt?: number): string;
}

/** About as many as fit the 64 KiB that a ROM has in segment F000, beside the frame. */
export const PROGRAM_LENGTH = 2000;

const ENTRY: Record<Bits, string> = {
  16: '',
  32: 'ENTER_PROTECTED_32',
  64: `ENTER_PROTECTED_32
        call build_identity_tables
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
        bits 64
.long:
        mov esp, STACK_TOP`,
};

export function torture(bits: Bits, seed: number, length = PROGRAM_LENGTH): Torture {
  const random = new Random(seed * 4 + bits / 16);
  const operands = new Operands(bits, random);
  const initial = Array.from({ length: bits === 64 ? 16 : 8 }, (_, number) => number)
    .filter((number) => number !== 4)
    .map(
      (number) =>
        `mov ${registerName(number, bits === 64 ? 64 : 32)}, 0x${random.value(bits === 64 ? 64 : 32).toString(16)}`,
    );
  const memory = Array.from({ length: 32 }, (_, i) => `mov dword [${0x5000 + 4 * i}], ${random.word()}`);
  const instructions = Array.from({ length }, () => nextInstruction(operands));
  const push = bits === 64 ? 'push qword' : bits === 32 ? 'push dword' : 'push word';
  return {
    bits,
    instructions,
    source(dumpAt) {
      const body = instructions.flatMap(({ lines, undefined: undefinedFlags }, index) => {
        const dumpBefore = dumpAt === index ? [`${push} 0`, `call dump_${bits}`] : [];
        const routine = dumpAt === index ? 'dump' : 'check';
        return [...dumpBefore, ...lines, `${push} ${undefinedFlags}`, `call ${routine}_${bits}`];
      });
      return `%define PROBE "torture"
%define IMAGE_SIZE 0x10000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
${bits === 64 ? '%define WITH_LONG_MODE' : ''}
%include "rom.mac"
%include "identity.mac"
%include "torture.mac"
bits 16
main:
        ${ENTRY[bits]}
        mov dword [HASH], 0
        ${[...memory, ...initial].join('\n        ')}
        ${bits === 64 ? '' : 'push dword 2'}
        ${bits === 64 ? '' : 'popfd'}
        ${body.join('\n        ')}
        cld
        STATUS "complete"
END_OF_IMAGE
`;
    },
  };
}
