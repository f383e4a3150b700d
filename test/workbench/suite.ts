/** Runs in the extension host: all files of `inside/` under mocha, the sum as JSON in BOOTPATH_TEST_RESULT. */
import { writeFileSync } from 'node:fs';

export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const part = process.env['BOOTPATH_TEST_PART'];
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 60_000, ...(part ? { grep: part } : {}) });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  await import('./inside/claim.test');
  await import('./inside/editor.test');
  await import('./inside/simulate.test');
  await import('./inside/formats.test');
  await import('./inside/simulateImage.test');
  await import('./inside/decode.test');
  await import('./inside/panel.test');
  await import('./inside/compare.test');
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats!;
      const file = process.env['BOOTPATH_TEST_RESULT'];
      if (file) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
    });
  });
  if (failures > 0) throw new Error(`${failures} failed`);
}
