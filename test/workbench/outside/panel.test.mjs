// The address-space panel by mouse and keyboard, and what a reload leaves of it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { root, Workbench } from './driver.mjs';

export function define(test) {
  test('the panel: click and keys lead to the line, the cursor leads to the region, edits are followed', async () => {
    const workbench = await Workbench.open({
      folder: join(root, 'test/workbench/workspace'),
      file: 'vmd/vm.conf',
    });
    try {
      const { page } = workbench;
      await workbench.lens('Show address space').first().click();
      const view = workbench.webview();
      const regions = view.getByRole('list', { name: /address space of alpine/ }).getByRole('listitem');
      await regions.first().waitFor();
      const count = await regions.count();
      assert.ok(count >= 4, `${count} regions`);

      // Click: the editor comes to the line that asks for memory.
      await regions.filter({ hasText: 'line 3' }).last().click();
      await workbench.cursorAt(3);

      // Keys: Tab reaches the selected region, arrows walk, Enter goes to its line and gives the editor the focus.
      await page.keyboard.press('Control+Home');
      await regions.first().click();
      await page.keyboard.press('End');
      const last = regions.last();
      await last.and(view.locator(':focus')).waitFor();
      await page.keyboard.press('Home');
      await regions.first().and(view.locator('[aria-current=true]')).waitFor();
      await page.keyboard.press('Enter');
      await workbench.cursorAt(3);
      await page.locator('.monaco-editor.focused').waitFor();

      // The cursor on another machine's line shows that machine.
      await page.keyboard.press('Control+G');
      await page.locator('.quick-input-widget input').fill(':8');
      await page.keyboard.press('Enter');
      await view.getByRole('heading', { name: /tiny/ }).waitFor();

      // Back, and an edit: the sizes follow and the selection stays.
      await page.keyboard.press('Control+G');
      await page.locator('.quick-input-widget input').fill(':3:10');
      await page.keyboard.press('Enter');
      await view.getByRole('heading', { name: /alpine/ }).waitFor();
      const selected = view.locator('[role=listitem][aria-current=true]');
      const name = (await selected.getAttribute('aria-label')).split(',')[0];
      await page.keyboard.press('End');
      await page.keyboard.press('Backspace');
      await page.keyboard.press('Backspace');
      await page.keyboard.type('3G');
      await view.getByText('3071 MiB').first().waitFor();
      assert.ok((await selected.getAttribute('aria-label')).startsWith(name));

      // The table says the same.
      await view.getByText('As a table').click();
      assert.equal(await view.getByRole('row').count(), (await regions.count()) + 1);

      // A reload brings the panel back with its machine.
      await workbench.reload();
      await page.locator('.tab', { hasText: 'Address Space' }).click();
      await view.getByRole('heading', { name: /alpine/ }).waitFor();
      assert.deepEqual([...workbench.refused], []);
    } finally {
      await workbench.close();
    }
  });
}
