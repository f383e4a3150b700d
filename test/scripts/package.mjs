// `npm run package`: a production build, the notices of what is inside, and bootpath-VERSION.vsix of at most 5 MB.
// usage: package.mjs [OUTPUT.vsix]
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNotices } from './notices.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const SIZE_LIMIT = 5 * 1024 * 1024;

/** Builds the package at `output`. Throws with the reason where it cannot. @returns {{output: string, size: number}} */
export function packageExtension(output) {
  mkdirSync(dirname(output), { recursive: true });
  rmSync(output, { force: true });
  run([join(root, 'esbuild.mjs'), '--production']);
  writeNotices(root);
  const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
  run([vsce, 'package', '--no-dependencies', '--allow-unused-files-pattern', '--out', output]);
  const { size } = statSync(output);
  if (size > SIZE_LIMIT) throw new Error(`the package has ${size} bytes, more than ${SIZE_LIMIT}`);
  return { output, size };
}

function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${relative(root, args[0])} failed:\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { output, size } = packageExtension(
    resolve(process.argv[2] ?? join(root, `bootpath-${version}.vsix`)),
  );
  console.log(`${relative(process.cwd(), output)}: ${(size / 1024 / 1024).toFixed(2)} MiB`);
}
