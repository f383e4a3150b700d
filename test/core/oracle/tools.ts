/** The assembler and the other x86 that the oracle tests need; where one is missing the tests say so and are skipped. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.env['BOOTPATH_ROOT'] ?? '.';
/** Where images find `rom.mac` and the rest. */
const INCLUDES = [join(root, 'server/src/simulation/probes'), join(root, 'test/core/oracle/images')];

const answers = (tool: string, argument: string): boolean => spawnSync(tool, [argument]).status === 0;

/** How to ask a tool whether it is there, where it isn't `--version`. */
const ASK: Readonly<Record<string, string>> = { nasm: '-v', 'bochs-bin': '--help' };

/** For node:test's `skip`: false, or the reason in words. */
export function missingTools(
  ...tools: readonly ('nasm' | 'qemu-system-x86_64' | 'bochs-bin')[]
): string | false {
  const missing = tools.filter((tool) => !answers(tool, ASK[tool] ?? '--version'));
  return missing.length === 0 ? false : `NOT RUN: ${missing.join(' and ')} not installed`;
}

function inTemporaryFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-oracle-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Assembles NASM source text to a flat binary; throws with NASM's words. */
export function assemble(source: string): Uint8Array {
  return inTemporaryFolder((folder) => {
    const [input, output] = [join(folder, 'image.asm'), join(folder, 'image.bin')];
    writeFileSync(input, source);
    const args = ['-f', 'bin', '-w-prefix-seg', ...INCLUDES.flatMap((include) => ['-I', `${include}/`])];
    const nasm = spawnSync('nasm', [...args, '-o', output, input], { encoding: 'utf8' });
    if (nasm.status !== 0) throw new Error(nasm.stderr);
    return new Uint8Array(readFileSync(output));
  });
}

export interface QemuRun {
  readonly rom: Uint8Array;
  /** Where the text comes from: the debug port 0xe9 or the first serial port. */
  readonly output: 'debug-port' | 'serial';
  readonly arguments?: readonly string[];
  /** Ends the run from the text so far; the port 0xf4 and, with `-no-reboot`, a reset end it too. */
  readonly until?: RegExp;
}

/**
 * Runs a ROM on QEMU's interpreter (TCG) and returns what it wrote; gives up after a minute. The text goes through a file:
 * QEMU's serial port drops characters while a pipe is full.
 */
export async function runOnQemu(run: QemuRun): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-oracle-'));
  const rom = join(folder, 'image.rom');
  const written = join(folder, 'text');
  writeFileSync(rom, run.rom);
  writeFileSync(written, '');
  const console =
    run.output === 'serial'
      ? ['-serial', 'chardev:text']
      : ['-serial', 'none', '-device', 'isa-debugcon,iobase=0xe9,chardev=text'];
  const args = [
    ...['-accel', 'tcg', '-machine', 'pc', '-nodefaults', '-display', 'none', '-bios', rom],
    ...['-chardev', `file,id=text,path=${written}`, '-device', 'isa-debug-exit,iobase=0xf4'],
    ...[...console, ...(run.arguments ?? [])],
  ];
  const text = () => readFileSync(written, 'latin1');
  try {
    return await new Promise((resolve, reject) => {
      const qemu = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'ignore', 'pipe'] });
      let complaints = '';
      const giveUp = setTimeout(() => qemu.kill('SIGKILL'), 60_000);
      const look = setInterval(() => {
        if (run.until?.test(text()) === true) qemu.kill('SIGKILL');
      }, 20);
      qemu.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk));
      qemu.on('error', reject);
      qemu.on('close', () => {
        clearTimeout(giveUp);
        clearInterval(look);
        const all = text();
        if (all === '' && complaints !== '') reject(new Error(complaints));
        else resolve(all);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
