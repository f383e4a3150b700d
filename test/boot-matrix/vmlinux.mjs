// Kernels unpacked into files, where QEMU does not unpack them itself: an ELF kernel from a bzImage for PVH, a gzipped one.
import * as esbuild from 'esbuild';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { shared } from '../../esbuild.mjs';

const beside = (file, what) => join(dirname(file), `${what}-of-${basename(file)}`);

/** Path of the unpacked kernel beside `kernel`. */
export function vmlinuxOf(root, kernel) {
  const path = beside(kernel, 'vmlinux');
  if (!existsSync(path)) writeFileSync(path, bzImagePayload(root)(readFileSync(kernel)));
  return path;
}

/** Path of the file without gzip's wrapping. */
export function gunzipped(file) {
  const path = beside(file, 'gunzipped');
  if (!existsSync(path)) writeFileSync(path, gunzipSync(readFileSync(file)));
  return path;
}

function bzImagePayload(root) {
  const outfile = join(root, 'dist/boot-matrix/payload.cjs');
  esbuild.buildSync({
    ...shared,
    entryPoints: [join(root, 'server/src/packedKernel.ts')],
    platform: 'node',
    format: 'cjs',
    outfile,
  });
  return createRequire(import.meta.url)(outfile).bzImagePayload;
}
