/**
 * Runs a ROM on Bochs, which checks what QEMU's interpreter does not: segment limits, descriptors, illegal control
 * register writes. Debian's build contains the debugger, hence the file of commands; its terminal display needs no terminal
 * as long as nothing writes to the screen.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface BochsRun {
  /** At most 64 KiB; it is put below the top of the first MiB and of 4 GiB. */
  readonly rom: Uint8Array;
  /** A model of `bochs --help cpu`. */
  readonly cpu?: string;
  readonly vcpus?: number;
  readonly megabytes?: number;
  /**
   * What lies in RAM from the start, at most four; addresses are multiples of 512. Bochs keeps RAM in blocks of 128 KiB and
   * loads an image into one of them: more than IMAGE_LIMIT bytes, or an image across two blocks, would be lost.
   */
  readonly images?: readonly { readonly bytes: Uint8Array; readonly at: number }[];
  /** More lines of bochsrc. */
  readonly configuration?: readonly string[];
  /** Ends the run from the text so far; a triple fault and the word `Shutdown` to port 0x8900 end it too. */
  readonly until?: RegExp;
}

export const IMAGE_LIMIT = 0x20000;
const GIVE_UP = 120_000;
const ROM_SIZE = 0x10000;

/** What the ROM wrote to the debug port 0xe9, as far as it came. */
export async function runOnBochs(run: BochsRun): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-bochs-'));
  const at = (name: string) => join(folder, name);
  const padded = new Uint8Array(ROM_SIZE);
  padded.set(run.rom, ROM_SIZE - run.rom.length);
  writeFileSync(at('image.rom'), padded);
  writeFileSync(at('commands'), 'c\nq\n');
  const images = (run.images ?? []).map(({ bytes, at: address }, i) => {
    if ((address % IMAGE_LIMIT) + bytes.length > IMAGE_LIMIT)
      throw new Error('an image across blocks of RAM');
    writeFileSync(at(`ram${i + 1}`), bytes);
    return `optramimage${i + 1}: file=${at(`ram${i + 1}`)}, address=0x${address.toString(16)}`;
  });
  const lines = [...configuration(run, at), ...images, ...(run.configuration ?? []), ''];
  writeFileSync(at('bochsrc'), lines.join('\n'));
  const until = run.until ?? /^status .*\n/m;
  try {
    return await new Promise((resolve, reject) => {
      // The wrapper `bochs` would leave its child behind when it is killed; Bochs itself ignores SIGTERM.
      const bochs = spawn('bochs-bin', ['-q', '-f', at('bochsrc'), '-rc', at('commands')], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, TERM: 'vt100' },
      });
      let written = '';
      let complaints = '';
      const stop = () => bochs.kill('SIGKILL');
      const giveUp = setTimeout(stop, GIVE_UP);
      bochs.stdout.setEncoding('latin1').on('data', (chunk: string) => {
        written += chunk;
        if (until.test(written.slice(-chunk.length - 400))) stop();
      });
      bochs.stderr.setEncoding('latin1').on('data', (chunk: string) => (complaints += chunk));
      bochs.on('error', reject);
      bochs.on('close', () => {
        clearTimeout(giveUp);
        const text = guestText(written);
        if (text === null) reject(new Error(`Bochs did not start:\n${complaints}`));
        else resolve(text);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function configuration(run: BochsRun, at: (name: string) => string): string[] {
  return [
    'config_interface: textconfig',
    'display_library: term',
    `megs: ${run.megabytes ?? 64}`,
    `romimage: file=${at('image.rom')}, address=0xffff0000`,
    `cpu: model=${run.cpu ?? 'broadwell_ult'}, count=${run.vcpus ?? 1}, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0`,
    'port_e9_hack: enabled=1',
    'clock: sync=none',
    `log: ${at('log')}`,
    'panic: action=fatal',
    'error: action=ignore',
    'info: action=ignore',
    'debug: action=ignore',
  ];
}

/** What follows the debugger's greeting, which ends with the instruction at the reset vector; null without a greeting. */
function guestText(written: string): string | null {
  const greeting = /^Next at t=0\n.*\n/m.exec(written);
  return greeting === null ? null : written.slice(greeting.index + greeting[0].length);
}
