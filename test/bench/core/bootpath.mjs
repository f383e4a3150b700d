// Our core running a ROM from its reset vector, and a whole boot of SeaBIOS.
import * as esbuild from 'esbuild';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { shared } from '../../../esbuild.mjs';

const STX = 2;
const ETX = 3;
const MEMORY = 64n << 20n;

/** Bundles a TypeScript file of the tests and loads it. */
export async function bundle(root, file, folder) {
  const outfile = join(folder, `${file.split('/').at(-1)}.cjs`);
  const options = { absWorkingDir: root, entryPoints: [join(root, file)], platform: 'node', format: 'cjs' };
  await esbuild.build({ ...shared, ...options, outfile });
  return createRequire(import.meta.url)(outfile);
}

export function runRom(Lab, rom) {
  let began = null;
  let from = 0;
  let result = null;
  const { core } = new Lab({
    bus: {
      trace: undefined,
      writePort(port, _, value) {
        if (port !== 0xe9) return;
        if (value === STX) {
          from = core.instructions;
          began = performance.now();
        } else if (value === ETX) {
          const seconds = (performance.now() - began) / 1000;
          result = { seconds, instructions: core.instructions - from };
          core.requestStop();
        }
      },
    },
  });
  core.map(0n, MEMORY, 'ram');
  const size = BigInt(rom.length);
  core.map(0xf0000n, 0x100000n, 'rom');
  core.map(0x100000000n - size, 0x100000000n, 'rom');
  core.write(0xf0000n, rom.subarray(rom.length - 0x10000));
  core.write(0x100000000n - size, rom);
  core.reset();
  const exit = core.run(Number.MAX_SAFE_INTEGER);
  if (result !== null) return result;
  const [fault] = exit.faults ?? [];
  throw new Error(fault ? fault.reason : `it ended: ${exit.reason}`);
}

const SEABIOS = '/usr/share/seabios/bios-256k.bin';

/** SeaBIOS under vmd to "No bootable device": millions of instructions per second, or why not. */
export function bootSeabios(bootVmd) {
  if (!existsSync(SEABIOS)) throw new Error(`${SEABIOS} is not there (Debian package seabios)`);
  const started = performance.now();
  const report = bootVmd('7.8', { firmware: readFileSync(SEABIOS), taps: [0x402] });
  const milliseconds = performance.now() - started;
  if (!/No bootable device/.test(report.firmwareLog)) throw new Error(`it ended: ${report.reason}`);
  return report.instructions / milliseconds / 1000;
}
