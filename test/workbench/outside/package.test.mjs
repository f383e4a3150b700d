// The packaged extension: built, installed by the host's own installer, and seen at work in a workbench.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureHost } from '../../scripts/ensure-host.mjs';
import { packageExtension, SIZE_LIMIT } from '../../scripts/package.mjs';
import { runHostCommand, temporaryFolder } from '../../scripts/vscode-host.mjs';
import { root, Workbench } from './driver.mjs';

export function define(test) {
  test('the package is at most 5 MB, installs, shows findings and lenses of a vm.conf, and a boot that can be cancelled', async () => {
    const folder = temporaryFolder('vsix');
    try {
      const { output, size } = packageExtension(join(folder, 'bootpath.vsix'));
      assert.ok(size <= SIZE_LIMIT);
      const extensions = join(folder, 'extensions');
      mkdirSync(extensions);
      const data = ['--user-data-dir', join(folder, 'data'), '--extensions-dir', extensions];
      const installed = await runHostCommand(ensureHost(), [...data, '--install-extension', output], folder);
      assert.equal(installed.code, 0, installed.output);
      const [name] = readdirSync(extensions).filter((entry) => entry.startsWith('bootpath.'));
      assert.ok(name, installed.output);
      const files = readdirSync(join(extensions, name), { recursive: true }).map(String);
      assert.ok(files.includes('dist/THIRD-PARTY-NOTICES.txt'));
      assert.deepEqual(
        files.filter((file) => /\.(map|ts)$|node_modules|^test/.test(file)),
        [],
      );
      const workbench = await Workbench.open({
        folder: join(root, 'test/workbench/workspace'),
        file: 'vmd/vm.conf',
        extensionsDir: extensions,
        settings: {
          'bootpath.simulate.firmware': endlessRom(folder),
          'bootpath.simulate.maxInstructions': Number.MAX_SAFE_INTEGER,
        },
      });
      try {
        await workbench.lens('Simulate boot').first().waitFor();
        await workbench.page
          .locator('.monaco-editor .squiggly-warning, .monaco-editor .squiggly-error')
          .first()
          .waitFor();
        // Only here are notifications shown: with the smoke-test driver there are none.
        await workbench.lens('Simulate boot').first().click();
        const toast = workbench.page.locator('.notification-toast', { hasText: 'Booting "alpine"' });
        await toast.waitFor();
        await toast.getByRole('button', { name: 'Cancel' }).click();
        await toast.waitFor({ state: 'detached' });
        await workbench.page.locator('.statusbar-item', { hasText: 'was ended, as you asked' }).waitFor();
        assert.deepEqual([...workbench.refused], []);
      } finally {
        await workbench.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** A ROM whose reset vector, 16 bytes below its end, jumps to itself. */
function endlessRom(folder) {
  const rom = new Uint8Array(0x1_0000).fill(0x90);
  rom.set([0xeb, 0xfe], 0xfff0);
  const path = join(folder, 'endless.rom');
  writeFileSync(path, rom);
  return path;
}
