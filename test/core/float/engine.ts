/** The floating-point engine alone, without the core around it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.env['BOOTPATH_ROOT'] ?? '.';

type F32Binary = (a: number, b: number) => number;
type F64Binary = (a: bigint, b: bigint) => bigint;

export interface Engine {
  readonly beginSse: (mxcsr: number) => void;
  readonly reported: () => number;
  readonly unmasked: () => number;
  readonly addF32: F32Binary;
  readonly subF32: F32Binary;
  readonly mulF32: F32Binary;
  readonly divF32: F32Binary;
  readonly sqrtF32: (a: number) => number;
  readonly addF64: F64Binary;
  readonly subF64: F64Binary;
  readonly mulF64: F64Binary;
  readonly divF64: F64Binary;
  readonly sqrtF64: (a: bigint) => bigint;
  readonly compareF32: (a: number, b: number, signalling: number) => number;
  readonly compareF64: (a: bigint, b: bigint, signalling: number) => number;
  readonly f32ToF64: (a: number) => bigint;
  readonly f64ToF32: (a: bigint) => number;
  readonly f32ToI32: (a: number, truncate: number) => number;
  readonly f32ToI64: (a: number, truncate: number) => bigint;
  readonly f64ToI32: (a: bigint, truncate: number) => number;
  readonly f64ToI64: (a: bigint, truncate: number) => bigint;
  readonly i32ToF32: (a: number) => number;
  readonly i64ToF32: (a: bigint) => number;
  readonly i32ToF64: (a: number) => bigint;
  readonly i64ToF64: (a: bigint) => bigint;
}

/** Compiles assembly/float by itself. */
export function floatEngine(): Engine {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-float-'));
  try {
    const out = join(folder, 'float.wasm');
    const source = join(root, 'server/emulator/assembly/float/float.ts');
    const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
    const run = spawnSync(process.execPath, [asc, source, '-o', out, '--runtime', 'stub', '-O3'], {
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(out)), {});
    return instance.exports as unknown as Engine;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
