// Runs a ROM in v86 and passes its marks on: `node v86.mjs IMAGE [--no-jit]`.
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { V86 } from 'v86';

const [image, option] = process.argv.slice(2);
const folder = dirname(createRequire(import.meta.url).resolve('v86'));
const emulator = new V86({
  wasm_path: join(folder, 'v86.wasm'),
  bios: { buffer: new Uint8Array(readFileSync(image)).buffer },
  memory_size: 64 * 2 ** 20,
  disable_jit: option === '--no-jit',
  autostart: true,
  log_level: 0,
});
emulator.add_listener('serial0-output-byte', (byte) => {
  writeSync(1, Uint8Array.of(byte));
  if (byte === 3) process.exit(0);
});
