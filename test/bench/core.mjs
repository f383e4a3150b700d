// How fast the core runs: a 64-bit loop of loads, stores, pushes, arithmetic and branches under 4-level paging, and the same
// in 32-bit protected mode without paging. Prints millions of guest instructions per second; `--format json` for scripts.
import * as esbuild from 'esbuild';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCore, shared } from '../../esbuild.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const json = process.argv.includes('--format') && process.argv.includes('json');
const TURNS = 5;
const INSTRUCTIONS = 40e6;

/** add rax,rbx; load; add; store; push; xor; pop; add [mem],3; cmp; jc; inc; dec; jnz, from the label on. */
const LOOP_64 = '4801d8 488b16 4801c2 48895608 50 4831ca 5b 4883461003 4839da 7203 48ffc3 48ffc9 75dc';
/** The same without REX prefixes: INC and DEC have one byte. */
const LOOP_32 = '01d8 8b16 01c2 895608 50 31ca 5b 83461003 39da 7201 43 49 75e7';

const bytes = (hex) => Uint8Array.from(hex.replace(/\s/g, '').match(/../g), (byte) => parseInt(byte, 16));

function prepare(Lab, mode, code) {
  const lab = new Lab({ mode });
  lab.core.write(0x8000n, bytes(code));
  return lab.set({ rsi: 0x9000n, rcx: 0xffffffffn, rsp: 0x7000n });
}

function measure(lab) {
  let best = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const started = performance.now();
    const { reason } = lab.core.run(lab.core.now + INSTRUCTIONS);
    if (reason !== 'deadline') throw new Error(`the loop ended: ${reason}`);
    best = Math.max(best, INSTRUCTIONS / (performance.now() - started) / 1000);
  }
  return best;
}

buildCore();
const out = join(root, 'dist/bench');
mkdirSync(out, { recursive: true });
try {
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: [join(root, 'test/core/lab.ts')],
    outfile: join(out, 'lab.cjs'),
    platform: 'node',
    format: 'cjs',
  });
  const { Lab } = createRequire(import.meta.url)(join(out, 'lab.cjs'));
  const results = [
    { name: 'loop, 64-bit, 4-level paging', value: measure(prepare(Lab, 'long', LOOP_64)) },
    { name: 'loop, 32-bit, no paging', value: measure(prepare(Lab, 'protected-32', LOOP_32)) },
  ].map(({ name, value }) => ({ name, value: Math.round(value), unit: 'MIPS', peers: [] }));
  if (json) console.log(JSON.stringify({ results }));
  else for (const { name, value, unit } of results) console.log(`${name}: ${value} ${unit}`);
} finally {
  rmSync(out, { recursive: true, force: true });
}
