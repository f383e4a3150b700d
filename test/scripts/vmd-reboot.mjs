// `npm run vmd:reboot`: reboots real Linux kernels through the BIOS under the vmd model, with Debian's SeaBIOS, and says how each
// ended (docs/known-issues/vmd-lowmem.md). Kernels are Debian packages, downloaded by apt into a cache; nothing is installed.
// `-- NAME…` makes the runs of these names, `-- --full` prints all that the guest wrote after its restart.
import * as esbuild from 'esbuild';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCore, shared } from '../../esbuild.mjs';
import { debianPackage } from '../boot-matrix/packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const SEABIOS = ['seabios', 'usr/share/seabios/bios-256k.bin'];
/** Without CONFIG_X86_KERNEL_IBT, and with it. */
const WITHOUT_IBT = [
  ['linux-image-cloud-amd64', 'linux-image-6\\.1\\..*-cloud-amd64'],
  'boot/vmlinuz-*-cloud-amd64',
];
const WITH_IBT = [
  ['linux-image-6.12-cloud-amd64', 'linux-image-6\\.12\\..*-cloud-amd64'],
  'boot/vmlinuz-*-cloud-amd64',
];
const LINE = 'console=ttyS0 earlyprintk=ttyS0 reboot=b panic=1';

/** vmd@7.8 ends low RAM at 640 KiB, vmd@2026-01 at 576. */
const RUNS = [
  { name: 'no-ibt-640', version: '7.8', kernel: WITHOUT_IBT, line: LINE },
  { name: 'no-ibt-576', version: '2026-01', kernel: WITHOUT_IBT, line: LINE },
  { name: 'ibt-640', version: '7.8', kernel: WITH_IBT, line: LINE },
  { name: 'ibt-576', version: '2026-01', kernel: WITH_IBT, line: LINE },
  { name: 'ibt-nopti-576', version: '2026-01', kernel: WITH_IBT, line: `${LINE} nopti` },
  { name: 'ibt-off-640', version: '7.8', kernel: WITH_IBT, line: `${LINE} ibt=off` },
  { name: 'ibt-nokaslr-640', version: '7.8', kernel: WITH_IBT, line: `${LINE} nokaslr` },
  { name: 'ibt-nokaslr-576', version: '2026-01', kernel: WITH_IBT, line: `${LINE} nokaslr` },
];

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('--'));
const runs = RUNS.filter(({ name }) => names.length === 0 || names.includes(name));
if (runs.length === 0) {
  console.error(
    `there is no run ${names.join(' or ')}; there are ${RUNS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

buildCore();
const outfile = join(root, 'dist/test/vmd-reboot.cjs');
await esbuild.build({
  ...shared,
  absWorkingDir: root,
  entryPoints: [join(root, 'test/vmd-reboot/rebootRun.ts')],
  outfile,
  platform: 'node',
  format: 'cjs',
});
process.env.BOOTPATH_ROOT = root;
const { rebootUnder } = createRequire(import.meta.url)(outfile);

const file = ([name, path]) => debianPackage(name).file(path);
const hex = (value) => `0x${value.toString(16)}`;
const firmware = readFileSync(file(SEABIOS));
for (const { name, version, kernel, line } of runs) {
  const started = performance.now();
  const run = rebootUnder({
    version,
    firmware,
    kernel: readFileSync(file(kernel)),
    commandLine: line,
    progress: () => undefined,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`\n${name}: Linux ${run.release} under vmd@${version}, ${line}`);
  console.log(`  base memory ${run.baseMemoryKib} KiB, EBDA at ${hex(run.ebda)}`);
  for (const entry of run.memoryMap) console.log(`  e820 ${entry}`);
  const code = run.restartCode;
  console.log(
    code ? `  restart code at ${hex(code.address)}: ${code.bytes}` : '  restart code not found below 640 KiB',
  );
  console.log(`  CR4 before the jump ${hex(run.cr4BeforeJump)}`);
  if (run.loop) {
    console.log(
      `  went round without a word at ${hex(run.loop.rip)} with CR3 ${hex(run.loop.cr3)}; then its translations were dropped`,
    );
  }
  console.log(`  ended: ${run.ended} (${(run.instructions / 1e9).toFixed(1)} G instructions, ${seconds} s)`);
  for (const { vector, errorCode, state, reason } of run.faults) {
    const error = errorCode === null ? '' : ` error code ${hex(errorCode)}`;
    console.log(`  fault ${vector}${error} at ${hex(state.rip)}: ${reason}`);
  }
  const lines = [...run.lastWords.split(/\r?\n/), ...run.firmwareAfter.split(/\r?\n/)].filter((text) =>
    text.trim(),
  );
  const shown = args.includes('--full')
    ? lines
    : lines
        .filter((text) => /double fault|ENDBR|RIP: 0008|RSP:|RAX:|CR2:|CS:|reboot|resume/.test(text))
        .slice(0, 10);
  for (const text of shown) console.log(`  | ${text}`);
}
