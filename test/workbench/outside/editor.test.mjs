// The editor as a person uses it: the status item, the links of a report, the formatter of others.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { root, Workbench } from './driver.mjs';

const folder = join(root, 'test/workbench/workspace');

async function inWorkbench(options, act) {
  const workbench = await Workbench.open({ folder, ...options });
  try {
    await act(workbench, workbench.page);
    assert.deepEqual([...workbench.refused], []);
  } finally {
    await workbench.close();
  }
}

export function define(test) {
  test('the version: shown in the status bar, changed by a click, remembered over a reload, and given back', () =>
    inWorkbench({ file: 'vmd/vm.conf' }, async (workbench, page) => {
      await workbench.lens('Show address space').first().waitFor();
      const choose = async () => {
        await workbench.command('Choose VMM Version');
        await page.locator('.quick-input-list .monaco-list-row', { hasText: 'vmd@' }).first().waitFor();
      };
      await choose();
      const rows = page.locator('.quick-input-list .monaco-list-row', { hasText: 'vmd@' });
      assert.ok((await rows.count()) >= 3);
      const oldest = (await rows.last().locator('.label-name').first().innerText()).trim();
      await rows.last().click();
      await page.locator('[id="status.languageStatus"]').hover();
      await page.locator('.hover-language-status', { hasText: oldest }).first().waitFor();
      await workbench.lens('Show address space').first().click();
      await workbench.webview().getByText(oldest).first().waitFor();

      await workbench.reload();
      await workbench.openFile('vmd/vm.conf');
      await workbench.lens('Show address space').first().click();
      await workbench.webview().getByText(oldest).first().waitFor();

      await page.locator('.tab[data-resource-name="vm.conf"]').click();
      await choose();
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Not a config of vmd' }).click();
      await page.locator('[id="status.editor.mode"]', { hasText: 'Properties' }).waitFor();
      await workbench.lens('Simulate boot').first().waitFor({ state: 'detached' });
    }));

  test('a place in the report leads to the line', () =>
    inWorkbench(
      { folder: join(root, 'examples/vmd-alpine'), file: 'reboot-crash.txt' },
      async (workbench, page) => {
        await page.locator('.view-line', { hasText: 'RIP' }).first().waitFor();
        await workbench.command('Decode Crash Dump');
        // The report opens at its first line; the machine's lines come at its end.
        await page.locator('.output-view .view-line', { hasText: 'double fault' }).first().click();
        await page.keyboard.press('Control+End');
        const link = page.locator('.output-view .detected-link, .output-view .detected-link-active', {
          hasText: /^vm\.conf:\d+/,
        });
        await link.first().waitFor();
        const line = /:(\d+)/.exec(await link.first().innerText())[1];
        await link.first().click({ modifiers: ['ControlOrMeta'] });
        await page.locator('.tab.active', { hasText: 'vm.conf' }).waitFor();
        await workbench.cursorAt(Number(line));
      },
    ));

  test('formatting a JSON file beside us asks no question', () =>
    inWorkbench({ file: 'vmd/vm.conf' }, async (workbench, page) => {
      await workbench.lens('Show address space').first().waitFor();
      await workbench.openFile('foreign/balloon.json');
      await page.locator('.view-line').first().waitFor();
      await workbench.command('Format Document');
      await page.locator('.view-lines .view-line').nth(3).waitFor();
      assert.equal(await page.locator('.quick-input-widget:visible, .monaco-dialog-box').count(), 0);
    }));
}
