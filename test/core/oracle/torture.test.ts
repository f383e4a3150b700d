/**
 * Random integer programs on our core and on QEMU: the same registers, defined flags and memory after each
 * instruction. BOOTPATH_ORACLE_COUNT sets the number of instructions for each code size (default 4000),
 * BOOTPATH_ORACLE_SEED the first seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bits } from './operands';
import { runOnCore } from './onCore';
import { assemble, missingTools, runOnQemu } from './tools';
import { PROGRAM_LENGTH, torture, type Torture } from './torture';

const COUNT = Number(process.env['BOOTPATH_ORACLE_COUNT'] ?? 4000);
const SEED = Number(process.env['BOOTPATH_ORACLE_SEED'] ?? 1);

const onQemu = (rom: Uint8Array): Promise<string> =>
  runOnQemu({ rom, output: 'debug-port', arguments: ['-cpu', 'qemu64', '-m', '64'] });

/** What differs first, in words: the instruction, and the state before and after it on both. */
async function explain(program: Torture, index: number): Promise<string> {
  const rom = assemble(program.source(index));
  const names =
    program.bits === 64
      ? 'r15 r14 r13 r12 r11 r10 r9 r8 rdi rsi rbp rsp rbx rdx rcx rax flags'
      : 'edi esi ebp esp ebx edx ecx eax flags';
  const dumps = (text: string): string[] => text.split('\n').filter((line) => line.startsWith(' '));
  const [expected, got] = [dumps(await onQemu(rom)), dumps(runOnCore(rom).output)];
  const { lines, undefined: undefinedFlags } = program.instructions[index] ?? { lines: [], undefined: 0 };
  return [
    `${program.bits}-bit, instruction ${index}: ${lines.join('; ')} (undefined flags 0x${undefinedFlags.toString(16)})`,
    `order: ${names}, then the scratch memory`,
    `before:${expected[0]}`,
    `QEMU:  ${expected[1]}`,
    `core:  ${got[1]}${got[0] === expected[0] ? '' : `\n(the core before it:${got[0]})`}`,
  ].join('\n');
}

for (const bits of [16, 32, 64] as const satisfies readonly Bits[]) {
  for (let done = 0, seed = SEED; done < COUNT; done += PROGRAM_LENGTH, seed++) {
    const length = Math.min(PROGRAM_LENGTH, COUNT - done);
    test(
      `${length} random ${bits}-bit instructions, seed ${seed}: core and QEMU agree`,
      { skip: missingTools('nasm', 'qemu-system-x86_64') },
      async () => {
        const program = torture(bits, seed, length);
        const rom = assemble(program.source());
        const expected = (await onQemu(rom)).split('\n');
        assert.equal(expected.at(-2), 'status complete', 'QEMU did not finish the program');
        const run = runOnCore(rom);
        const got = run.output.split('\n');
        const at = expected.findIndex((line, index) => line !== got[index]);
        // Line 0 names the image, line n is the hash after instruction n - 1.
        if (at >= 1) assert.fail(await explain(program, at - 1));
        assert.equal(run.output, expected.join('\n'));
      },
    );
  }
}
