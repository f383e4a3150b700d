/** The assembler and the other x86 that the oracle tests need; where one is missing the tests say so and are skipped. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.env['BOOTPATH_ROOT'] ?? '.';
/** Where images find `rom.mac` and the rest. */
const INCLUDES = [join(root, 'server/src/simulation/probes'), join(root, 'test/core/oracle/images')];

const answers = (tool: string, argument: string): boolean => spawnSync(tool, [argument]).status === 0;

/** For node:test's `skip`: false, or the reason in words. */
export function missingTools(...tools: readonly ('nasm' | 'qemu-system-x86_64')[]): string | false {
  const missing = tools.filter((tool) => !answers(tool, tool === 'nasm' ? '-v' : '--version'));
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

/** Runs a ROM on QEMU's interpreter (TCG) and returns what it wrote; gives up after a minute. */
export async function runOnQemu(run: QemuRun): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-oracle-'));
  const rom = join(folder, 'image.rom');
  writeFileSync(rom, run.rom);
  const console =
    run.output === 'serial'
      ? ['-serial', 'stdio']
      : ['-serial', 'none', '-debugcon', 'stdio', '-global', 'isa-debugcon.iobase=0xe9'];
  const args = [
    ...['-accel', 'tcg', '-machine', 'pc', '-nodefaults', '-display', 'none', '-bios', rom],
    ...['-device', 'isa-debug-exit,iobase=0xf4', ...console, ...(run.arguments ?? [])],
  ];
  try {
    return await new Promise((resolve, reject) => {
      const qemu = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      let complaints = '';
      const giveUp = setTimeout(() => qemu.kill('SIGKILL'), 60_000);
      qemu.stdout.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        if (run.until?.test(text.slice(-chunk.length - 100)) === true) {
          qemu.kill('SIGKILL');
        }
      });
      qemu.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk));
      qemu.on('error', reject);
      qemu.on('close', () => {
        clearTimeout(giveUp);
        if (text === '' && complaints !== '') reject(new Error(complaints));
        else resolve(text);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
