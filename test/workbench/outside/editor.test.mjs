// The editor as a person uses it: the status item, the links of a report, the formatter of others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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
      await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
      assert.equal(await page.locator('.monaco-dialog-box').count(), 0);
    }));

  test('a boot with a probe guest that is chosen by hand: progress, report and outcome', () =>
    inWorkbench({ file: 'vmd/vm.conf' }, async (workbench, page) => {
      await workbench.lens('Simulate boot').first().waitFor();
      await workbench.command('Simulate Boot With');
      const rows = page.locator('.quick-input-list .monaco-list-row');
      await rows.filter({ hasText: 'alpine' }).first().click();
      await rows.filter({ hasText: 'reset-triple-fault' }).first().click();
      await page.locator('.output-view .view-line', { hasText: 'Outcome:' }).first().waitFor();
      const lens = workbench.lens('instructions').first();
      await lens.waitFor();
      await page.keyboard.press('Control+J');
      await lens.click();
      await page.locator('.output-view .view-line', { hasText: 'Outcome:' }).first().waitFor();
    }));

  test('the picture beside the line follows the theme', () =>
    inWorkbench(
      { file: 'vmd/vm.conf', settings: { 'workbench.colorTheme': 'Default Light Modern' } },
      async (workbench, page) => {
        /** The SVG after the line that asks for memory, null while there is none. */
        const picture = () =>
          page.evaluate(() => {
            for (const span of document.querySelectorAll('.view-line span')) {
              const { content } = getComputedStyle(span, '::after');
              const found = /data:image\/svg\+xml;base64,([^"')]+)/.exec(content);
              if (found) return window.atob(decodeURIComponent(found[1]));
            }
            return null;
          });
        const until = async (colour) => {
          for (let i = 0; i < 100; i++) {
            if ((await picture())?.includes(colour)) return;
            await page.waitForTimeout(100);
          }
          assert.fail(`no picture with ${colour}`);
        };
        const { light, dark } = ramColours();
        await until(light);
        await workbench.command('Preferences: Toggle between Light/Dark Themes');
        await until(dark);
      },
    ));
}

/** Colours of RAM by theme, as contributed. */
function ramColours() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return manifest.contributes.colors.find(({ id }) => id === 'bootpath.regionRam').defaults;
}
