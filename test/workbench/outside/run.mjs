// Tests that drive the workbench from outside, as a person with a keyboard and eyes. Each file of this folder that ends
// in `.test.mjs` calls `test(name, run)`; they run one after the other, since each has a server and a browser.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const TIME_LIMIT_MS = 120_000;

const tests = [];
export function test(name, run) {
  tests.push({ name, run });
}

/**
 * @param {{available: boolean, part?: string}} options `available`: the npm host and a browser can be had
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runOutside({ available, part }) {
  tests.length = 0;
  for (const file of readdirSync(folder).sort())
    if (file.endsWith('.test.mjs')) {
      const module = await import(pathToFileURL(join(folder, file)).href);
      module.define(test);
    }
  const chosen = tests.filter(({ name }) => !part || name.includes(part));
  if (!available) {
    console.log('  outside: skipped, these tests drive the npm host with Chromium');
    return { passed: 0, failed: 0, skipped: chosen.length };
  }
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, run } of chosen) {
    const started = Date.now();
    try {
      await limited(run());
      sum.passed++;
      console.log(`    ✔ ${name} (${Date.now() - started}ms)`);
    } catch (error) {
      sum.failed++;
      console.log(`FAILED ${name}\n${String(error?.stack ?? error).replace(/^/gm, '    ')}`);
    }
  }
  return sum;
}

function limited(promise) {
  let timer;
  const limit = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no end within ${TIME_LIMIT_MS / 1000} s`)), TIME_LIMIT_MS);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
