// `npm run vmm:matrix`: runs every probe guest on every version of every VMM model and writes docs/vmm-matrix.md.
// `-- --format json` prints JSON instead; `-- --check` writes nothing and exits 1 where the page is not what the models do.
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { shared } from '../../esbuild.mjs';
import { temporaryFolder } from './vscode-host.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const page = join(root, 'docs/vmm-matrix.md');
const json = process.argv.includes('json');

/** What the program in test/vmm-matrix prints. */
async function matrix() {
  const folder = temporaryFolder('vmm-matrix');
  try {
    const outfile = join(folder, 'matrix.cjs');
    await esbuild.build({
      ...shared,
      entryPoints: [join(root, 'test/vmm-matrix/main.ts')],
      outfile,
      platform: 'node',
    });
    const run = spawnSync(process.execPath, [outfile, ...(json ? ['--json'] : [])], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (run.status !== 0) throw new Error(run.stderr || `the matrix ended with ${run.status}`);
    return run.stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const text = await matrix();
if (json) process.stdout.write(text);
else {
  const options = await prettier.resolveConfig(page);
  const formatted = await prettier.format(text, { ...options, parser: 'markdown' });
  if (!process.argv.includes('--check')) writeFileSync(page, formatted);
  else if (readFileSync(page, 'utf8') !== formatted) {
    console.error(
      'docs/vmm-matrix.md is not what the models do: run `npm run vmm:matrix` and look at what changed',
    );
    process.exit(1);
  }
}
