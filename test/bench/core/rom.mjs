// The ROM of a workload, assembled once, with its number of turns patched in.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), 'guest.asm');
const TURNS_FROM_END = 32;

/** The image of a workload with one turn. */
export function assemble(name, folder) {
  const out = join(folder, `${name}.rom`);
  const result = spawnSync('nasm', ['-f', 'bin', '-D', `WORKLOAD_${name}`, '-o', out, source]);
  if (result.error) throw new Error(`nasm assembles the guests: ${result.error.message}`);
  if (result.status !== 0) throw new Error(String(result.stderr));
  return new Uint8Array(readFileSync(out));
}

export function withTurns(rom, turns) {
  const copy = rom.slice();
  new DataView(copy.buffer).setUint32(copy.length - TURNS_FROM_END, turns, true);
  return copy;
}
