// `npm run screenshots`: pictures of the real workbench into docs/images/, in light, dark and high contrast, and the icon.
// usage: screenshots.mjs [THEME…] [SCENE…]      all themes and scenes where none is named
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Workbench } from '../workbench/outside/driver.mjs';
import { startBrowser } from './vscode-host.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const images = join(root, 'docs/images');

const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  contrast: 'Default High Contrast',
};

const WIDTH = 1380;
/** Of the window in each scene: no more than it has to show. */
const HEIGHTS = { hover: 560, 'address-space': 600, 'memory-map': 500 };
const HEIGHT = 800;

const FIRMWARE = '/usr/share/seabios/bios-256k.bin';

/** Each scene starts from vm.conf in the one editor and leaves the workbench as it found it. */
const SCENES = {
  async findings({ page, workbench, shot }) {
    await page.locator('.codelens-decoration a').first().waitFor();
    await page.locator('.monaco-editor .squiggly-warning, .monaco-editor .squiggly-error').first().waitFor();
    await page.keyboard.press('Control+Shift+M');
    await page.locator('.markers-panel .monaco-list-row').first().waitFor();
    await workbench.settle();
    await shot();
    await page.keyboard.press('Control+J');
  },

  async hover({ page, workbench, shot }) {
    // Lenses move the lines below them once, when they come.
    await workbench.lens('Simulate boot').first().waitFor();
    await workbench.settle();
    await page.locator('.view-line span span', { hasText: 'alpine"' }).first().hover();
    await page.locator('.monaco-hover img').first().waitFor();
    await workbench.settle();
    await shot();
    await page.keyboard.press('Escape');
    await page.mouse.move(5, 5);
  },

  async 'address-space'({ page, workbench, shot }) {
    await workbench.lens('Show address space').first().click();
    const regions = workbench.webview().locator('svg [role=listitem]');
    await regions.first().waitFor();
    await regions.nth(0).click();
    await workbench.settle();
    await shot();
    await page.locator('.tab', { hasText: 'Address Space' }).click({ button: 'middle' });
    await page.locator('.tab', { hasText: 'Address Space' }).waitFor({ state: 'detached' });
    await page.locator('.tab', { hasText: 'vm.conf' }).click();
  },

  async report({ workbench, shot, page }) {
    await workbench.command('View: Move Panel Right');
    await workbench.lens('Simulate boot').first().click();
    await page.locator('.output-view .view-line', { hasText: 'Outcome' }).first().waitFor();
    await workbench.widenPanel(500);
    await page.mouse.move(5, 5);
    await workbench.lens('instructions').first().waitFor();
    await workbench.settle();
    await shot();
  },

  async crash({ workbench, shot, page }) {
    await workbench.openFile('reboot-crash.txt');
    await workbench.command('Decode Crash Dump');
    await page.locator('.output-view .view-line', { hasText: 'double fault' }).first().waitFor();
    await workbench.settle();
    await shot();
  },
};

/** Scenes of a memory map, whose every line is a region. */
const MAP_SCENES = {
  async 'memory-map'({ page, workbench, shot }) {
    await workbench.lens('Show address space').first().waitFor();
    await workbench.settle();
    await page.locator('.view-line span span', { hasText: '0x00000000000e0000' }).first().hover();
    await page.locator('.monaco-hover img').first().waitFor();
    await workbench.settle();
    await shot();
  },
};

/** Scenes of a bhyve config whose guest panics the host of an affected version. */
const ISSUE_SCENES = {
  async 'boot-as'({ page, workbench, shot }) {
    await workbench.lens('as…').first().click();
    await page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await workbench.settle();
    await shot();
    await page.keyboard.press('Escape');
  },

  async 'known-issue'({ page, workbench, shot }) {
    await workbench.command('View: Move Panel Right');
    await workbench.lens('as…').first().click();
    await page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await page.keyboard.type('illumos-14042');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'illumos-14042' }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.output-view .view-line', { hasText: 'Known issue' }).first().waitFor();
    await workbench.widenPanel(500);
    await page.mouse.move(5, 5);
    await workbench.lens('instructions').first().waitFor();
    await workbench.settle();
    await shot();
  },
};

/** Scenes of a boot plan with a wrong bit. */
const PLAN_SCENES = {
  async 'boot-plan'({ page, workbench, shot }) {
    await workbench.lens('Simulate boot').first().waitFor();
    await page.locator('.monaco-editor .squiggly-warning, .monaco-editor .squiggly-error').first().waitFor();
    await page.keyboard.press('Control+Shift+M');
    await page.locator('.markers-panel .monaco-list-row').first().waitFor();
    await workbench.settle();
    await shot();
    await page.keyboard.press('Control+J');
  },
};

async function theme(name, colorTheme, chosen) {
  const config = { folder: join(root, 'examples/vmd-alpine'), file: 'vm.conf' };
  const map = { folder: join(root, 'test/workbench/workspace'), file: 'maps/guest.memmap' };
  await take(name, colorTheme, config, SCENES, chosen);
  await take(name, colorTheme, map, MAP_SCENES, chosen);
  const issue = { folder: join(root, 'examples/illumos-14042'), file: 'guest.conf' };
  await take(name, colorTheme, issue, ISSUE_SCENES, chosen);
  const plan = { folder: join(root, 'examples/boot-plans'), file: 'gdt-l-and-d.boot.toml' };
  await take(name, colorTheme, plan, PLAN_SCENES, chosen);
}

async function take(name, colorTheme, what, scenes, chosen) {
  const mine = Object.keys(scenes).filter((scene) => chosen.includes(scene));
  if (mine.length === 0) return;
  const workbench = await Workbench.open({
    ...what,
    size: { width: WIDTH, height: HEIGHT },
    scale: 1.5,
    settings: {
      'workbench.colorTheme': colorTheme,
      'workbench.activityBar.location': 'hidden',
      'workbench.statusBar.visible': true,
      'workbench.layoutControl.enabled': false,
      'editor.minimap.enabled': false,
      'editor.fontSize': 13,
      'bootpath.simulate.firmware': FIRMWARE,
      'bootpath.simulate.taps': ['0x402'],
    },
  });
  try {
    const { page } = workbench;
    await page.keyboard.press('Control+B'); // the file tree, which shows nothing of ours
    for (const scene of mine) {
      const path = join(images, `${scene}-${name}.png`);
      await page.setViewportSize({ width: WIDTH, height: HEIGHTS[scene] ?? HEIGHT });
      await scenes[scene]({ page, workbench, shot: () => page.screenshot({ path }) });
      console.log(path);
    }
  } catch (error) {
    await workbench.page.screenshot({ path: join(images, 'failed.png') });
    throw error;
  } finally {
    await workbench.close();
  }
}

/** The extension's icon, from its drawing. */
async function icon() {
  const { browser, page } = await startBrowser({ size: { width: 128, height: 128 } });
  const svg = readFileSync(join(images, 'icon.svg'), 'utf8');
  await page.setContent(`<style>body{margin:0}svg{display:block;width:128px}</style>${svg}`);
  await page.screenshot({ path: join(images, 'icon.png'), omitBackground: true });
  await browser.close();
}

const build = spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
mkdirSync(images, { recursive: true });
const asked = process.argv.slice(2);
const pick = (all) => {
  const named = Object.keys(all).filter((name) => asked.includes(name));
  return named.length > 0 ? named : Object.keys(all);
};
if (asked.length === 0 || asked.includes('icon')) await icon();
for (const name of pick(THEMES))
  await theme(name, THEMES[name], pick({ ...SCENES, ...MAP_SCENES, ...ISSUE_SCENES, ...PLAN_SCENES }));
