/** The guests of the tests of captured states are what their sources assemble to. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = join(process.env.BOOTPATH_ROOT!, 'test/fixtures/state');
const nasm = spawnSync('nasm', ['-v']).status === 0 ? {} : { skip: 'nasm is not installed' };

for (const name of ['ticker', 'printer']) {
  test(`${name}.bin is ${name}.asm assembled`, nasm, () => {
    const scratch = mkdtempSync(join(tmpdir(), 'bootpath-fixture-'));
    try {
      const out = join(scratch, 'out.bin');
      const { status, stderr } = spawnSync('nasm', ['-f', 'bin', join(folder, `${name}.asm`), '-o', out]);
      assert.equal(status, 0, String(stderr));
      assert.deepEqual(readFileSync(out), readFileSync(join(folder, `${name}.bin`)));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}
