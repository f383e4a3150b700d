// One workbench in a browser, opened on a copy of a folder, with the words that tests and screenshots speak.
import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureHost } from '../../scripts/ensure-host.mjs';
import {
  remoteUri,
  startBrowser,
  startServer,
  temporaryFolder,
  workbenchUrl,
} from '../../scripts/vscode-host.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

export class Workbench {
  /**
   * @param {object} options
   * @param {string} options.folder copied, so that the run may write to it
   * @param {string=} options.file opened at once, relative to the folder
   * @param {string=} options.extensionsDir run what is installed there instead of the checkout
   * @param {object=} options.settings
   * @param {{width: number, height: number}=} options.size
   * @param {number=} options.scale
   */
  static async open({ folder, file, extensionsDir, settings, size, scale }) {
    const temporary = temporaryFolder('ui');
    const workspace = join(temporary, folder.split('/').at(-1));
    cpSync(folder, workspace, { recursive: true });
    const server = await startServer({
      hostDir: ensureHost(),
      extensionsDir,
      settings,
      automation: !extensionsDir,
    });
    const { browser, page, refused } = await startBrowser({ size, scale });
    page.setDefaultTimeout(30_000);
    const extension = extensionsDir ? [] : [['extensionDevelopmentPath', remoteUri(server, root)]];
    const workbench = new Workbench({ temporary, workspace, server, browser, page, refused, extension });
    const payload = file ? [...extension, ['openFile', remoteUri(server, join(workspace, file))]] : extension;
    try {
      await page.goto(workbenchUrl(server, { folder: workspace, payload }));
      await page.waitForSelector('.monaco-workbench');
      if (file) await page.waitForSelector('.monaco-editor .view-line');
    } catch (error) {
      await workbench.close();
      throw error;
    }
    return workbench;
  }

  constructor(parts) {
    Object.assign(this, parts);
  }

  async close() {
    await this.browser.close().catch(() => {});
    await this.server.stop();
    rmSync(this.temporary, { recursive: true, force: true });
  }

  /** Runs a command by its title, through the palette. What takes the focus closes it: then it is opened again. */
  async command(title) {
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.typeInPalette(`>${title}`, 10_000);
        await row.waitFor({ timeout: 10_000 });
        break;
      } catch (error) {
        if (attempt === 3) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
    await this.page.keyboard.press('Enter');
  }

  async typeInPalette(text, timeout) {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor({ timeout });
    // The list is made when the palette opens; what is typed before is lost.
    await this.page.locator('.quick-input-list .monaco-list-row').nth(1).waitFor({ timeout });
    await input.fill(text, { timeout });
  }

  async openFile(name) {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor();
    await input.fill(name);
    await this.page
      .locator('.quick-input-list .monaco-list-row', { hasText: name.split('/').at(-1) })
      .first()
      .waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator(`.tab.active[data-resource-name="${name.split('/').at(-1)}"]`).waitFor();
  }

  /** Drags the left edge of the panel at the right to `x`. */
  async widenPanel(x) {
    const { x: left } = await this.page.locator('.part.panel').boundingBox();
    const sashes = await Promise.all(
      (await this.page.locator('.monaco-sash.vertical:visible').all()).map((sash) => sash.boundingBox()),
    );
    const distance = (sash) => Math.abs(sash.x - left);
    const edge = sashes.filter((sash) => sash).sort((a, b) => distance(a) - distance(b))[0];
    const y = edge.y + edge.height / 2;
    await this.page.mouse.move(edge.x + edge.width / 2, y);
    await this.page.mouse.down();
    await this.page.mouse.move(x, y, { steps: 8 });
    await this.page.mouse.up();
  }

  /** The window again, as a person reloads it. */
  async reload() {
    // Without a file to open: what was open is restored.
    const url = workbenchUrl(this.server, { folder: this.workspace, payload: this.extension });
    await this.page.evaluate((next) => window.history.replaceState(null, '', next), url);
    const loaded = this.page.waitForEvent('load');
    await this.command('Developer: Reload Window');
    await loaded;
    await this.page.waitForSelector('.monaco-workbench');
  }

  lens(title) {
    return this.page.locator('.codelens-decoration a', { hasText: title });
  }

  /** The contents of the one webview that is shown. */
  webview() {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** Until nothing moves: animations, late decorations, the caret's blink. */
  async settle() {
    await this.page.waitForTimeout(900);
  }

  /** Waits until the editor's cursor is on a line (one-based), whether it has the focus or not. */
  async cursorAt(line) {
    await this.page
      .locator('.line-numbers.active-line-number', { hasText: new RegExp(`^${line}$`) })
      .first()
      .waitFor();
  }
}
