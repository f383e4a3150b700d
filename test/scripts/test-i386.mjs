// `npm run test:i386 [-- PROGRAM…]`: QEMU's own test programs for x86 user mode, from Debian's source package, built into a
// folder outside the repository, and run twice: on the host's CPU and, as a process of Linux, on our core. The two outputs
// must be the same line by line. Needs apt-get, gcc with 32-bit support (gcc-multilib) and an x86-64 Linux host. Where the
// source package cannot be had nothing is run, loudly; with BOOTPATH_REQUIRE_I386=1 that is a failure.
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCore, shared } from '../../esbuild.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const cache = join(process.env['BOOTPATH_CACHE'] ?? join(homedir(), '.cache/bootpath'), 'test-i386');
const INSTRUCTIONS = 4e9;
/** Differing lines that are printed of one program. */
const SHOWN = 5;

const FLAGS = ['-O2', '-fno-pie', '-no-pie', '-static', '-w'];
/** A program of one source file, for 32-bit code. */
const single = (name, ...flags) => ({ name, bits: 32, sources: [`test-i386-${name}.c`], flags });
const WHOLE = ['test-i386.c', 'test-i386-code16.S', 'test-i386-vm86.S'];
const PROGRAMS = [
  { name: 'test-i386, 64-bit', bits: 64, sources: WHOLE, flags: [] },
  { name: 'test-i386, 32-bit', bits: 32, sources: WHOLE, flags: [] },
  ...[
    'f2xm1',
    'fbstp',
    'fisttp',
    'fldcst',
    'fp-exceptions',
    'fpatan',
    'fscale',
    'fxam',
    'fxtract',
    'fyl2x',
    'fyl2xp1',
  ].map((name) => single(name)),
  ...['pseudo-denormal', 'snan-convert'].map((name) => single(name)),
  // Its 1.7 million lines take a hundred thousand million instructions: the first of them.
  { ...single('fprem'), first: 1e9 },
];

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'latin1', maxBuffer: 1 << 30, ...options });
  if (result.error) throw result.error;
  return result;
}
function must(command, args, options = {}) {
  const result = run(command, args, options);
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${result.stderr}${result.stdout}`);
  return result.stdout;
}

/** The test programs' folder of Debian's qemu source package; downloaded once, with apt's lists of its own. */
function sources() {
  const folder = join(cache, 'source');
  const programs = join(folder, 'tests/tcg/i386');
  if (existsSync(programs)) return programs;
  const apt = join(cache, 'apt');
  for (const part of ['lists/partial', 'archives/partial', 'sources'])
    mkdirSync(join(apt, part), { recursive: true });
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1] ?? 'bookworm';
  writeFileSync(
    join(apt, 'sources/debian.sources'),
    `Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: ${codename}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`,
  );
  const options = [
    ...['-q', '-o', `Dir::State=${apt}`, '-o', `Dir::State::lists=${apt}/lists`, '-o', `Dir::Cache=${apt}`],
    ...['-o', `Dir::Etc::SourceList=${apt}/none`, '-o', `Dir::Etc::SourceParts=${apt}/sources`],
    ...['-o', 'Dir::State::status=/var/lib/dpkg/status'],
  ];
  must('apt-get', [...options, 'update'], { cwd: apt });
  must('apt-get', [...options, 'source', '--download-only', 'qemu'], { cwd: apt });
  const archive = readdirSync(apt).find((name) => /^qemu_.*\.orig\.tar/.test(name));
  if (!archive) throw new Error('the source package holds no .orig.tar');
  mkdirSync(folder, { recursive: true });
  must('tar', [
    '-xf',
    join(apt, archive),
    '-C',
    folder,
    '--strip-components=1',
    '--wildcards',
    '*/tests/tcg/i386/*',
  ]);
  rmSync(apt, { recursive: true });
  return programs;
}

/** As `sources`; null, with the reason printed, where Debian's mirror does not answer. */
function reachableSources() {
  try {
    return sources();
  } catch (error) {
    console.log(
      `*** test-i386 did NOT run: Debian's qemu source package cannot be had. ***\n${error.message}`,
    );
    return null;
  }
}

function build(folder, { name, bits, sources: files, flags }) {
  const binary = join(cache, name.replace(/\W+/g, '-'));
  const names = files.map((file) => join(folder, file));
  must('gcc', [
    ...FLAGS,
    ...flags,
    ...(bits === 32 ? ['-m32', '-msse2'] : []),
    '-o',
    binary,
    ...names,
    '-lm',
  ]);
  return binary;
}

/** The core with its Linux process, bundled for this script. */
async function loadProcess() {
  buildCore();
  const outfile = join(root, 'dist/test-i386/process.cjs');
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    stdin: {
      contents: `export { runProgram } from './test/core/oracle/linux/process'; export { processProfile } from './test/core/oracle/linux/profile'; export { EXPLAINED } from './test/core/oracle/linux/explained';`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    platform: 'node',
    format: 'cjs',
  });
  return createRequire(import.meta.url)(outfile);
}

/** The lines that differ, by position, and how many of the differing ones are explained. */
function differences(expected, got, rules) {
  const lines = [];
  let explained = 0;
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    if (expected[i] === got[i]) continue;
    const known = rules.some((rule) => rule.lines.test(expected[i] ?? '') && rule.lines.test(got[i] ?? ''));
    if (known) explained++;
    else lines.push([i + 1, expected[i], got[i]]);
  }
  return { lines, explained };
}

const wanted = process.argv.slice(2);
const folder = reachableSources();
if (folder === null) process.exit(process.env['BOOTPATH_REQUIRE_I386'] === '1' ? 1 : 0);
const { runProgram, processProfile, EXPLAINED } = await loadProcess();
const vendor = readFileSync('/proc/cpuinfo', 'utf8').includes('AuthenticAMD') ? 'amd' : 'intel';
let failed = 0;
for (const program of PROGRAMS) {
  if (wanted.length > 0 && !wanted.some((part) => program.name.includes(part))) continue;
  const binary = build(folder, program);
  // Without address randomisation, so that printed stack addresses can be the same from run to run.
  const native = run('setarch', ['-R', binary]);
  const started = performance.now();
  const onCore = runProgram(
    new Uint8Array(readFileSync(binary)),
    processProfile(vendor),
    program.first ?? INSTRUCTIONS,
  );
  const seconds = (performance.now() - started) / 1000;
  const got = onCore.output.split('\n');
  const all = native.stdout.split('\n');
  // Where a program is cut short, so is what it is compared with; the last line of either may be half a line.
  const expected = program.first ? all.slice(0, got.length - 1) : all;
  const { lines, explained } = differences(expected, program.first ? got.slice(0, -1) : got, EXPLAINED);
  const end = program.first ? onCore.end : `exit ${native.status}`;
  if (lines.length > 0 || onCore.end !== end || (program.first && got.length < 1000)) failed++;
  const mips = Math.round(onCore.instructions / seconds / 1e6);
  console.log(
    `${program.name}: ${expected.length - (program.first ? 0 : 1)}${program.first ? ` of ${all.length - 1}` : ''} lines, ${lines.length} differ (${explained} more are explained); ` +
      `host ${end}, core ${onCore.end}, ${onCore.instructions} instructions, ${mips} MIPS`,
  );
  for (const [line, host, core] of lines.slice(0, SHOWN))
    console.log(`  line ${line}\n    host ${host ?? '(none)'}\n    core ${core ?? '(none)'}`);
}
for (const { reason } of EXPLAINED) console.log(`explained: ${reason}`);
console.log(failed === 0 ? 'no unexplained difference' : `${failed} programs differ`);
process.exitCode = failed === 0 ? 0 : 1;
