// Other emulators: each runs a ROM and answers how many seconds passed between its two marks, or throws.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROMS_32 } from './workloads.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const STX = 2;
const ETX = 3;
const LIMIT = 60_000;

const has = (command) => !spawnSync(command, ['--help'], { stdio: 'ignore' }).error;

/** Seconds between the marks on a child's standard output. */
function betweenMarks(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    let began = null;
    let seconds = null;
    child.stdout.on('data', (chunk) => {
      const now = performance.now();
      if (began === null && chunk.includes(STX)) began = now;
      if (began !== null && seconds === null && chunk.includes(ETX)) seconds = (now - began) / 1000;
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      if (seconds === null) reject(new Error(`${command} did not finish the workload`));
      else resolve(seconds);
    });
  });
}

const qemu = {
  name: 'QEMU TCG',
  missing: () => (has('qemu-system-x86_64') ? null : 'qemu-system-x86_64 is not installed'),
  runs: () => true,
  run(_, image) {
    const machine = [
      '-accel',
      'tcg',
      '-M',
      'pc',
      '-m',
      '64',
      '-nodefaults',
      '-display',
      'none',
      '-bios',
      image,
    ];
    const marks = ['-chardev', 'stdio,id=marks', '-device', 'isa-debugcon,iobase=0xe9,chardev=marks'];
    return betweenMarks('qemu-system-x86_64', [
      ...machine,
      ...marks,
      '-device',
      'isa-debug-exit,iobase=0xf4',
    ]);
  },
};

const bochs = {
  name: 'Bochs',
  missing: () => (existsSync('/usr/bin/bochs') ? null : 'bochs is not installed'),
  runs: () => true,
  run(_, image) {
    const config = `${image}.bochsrc`;
    const commands = `${image}.commands`;
    const lines = [
      'display_library: rfb, options="timeout=0"',
      `romimage: file=${image}`,
      'megs: 64',
      'cpu: count=1, reset_on_triple_fault=0',
      'port_e9_hack: enabled=1',
      `log: ${image}.log`,
      'panic: action=fatal',
      ...['error', 'info', 'debug'].map((level) => `${level}: action=ignore`),
    ];
    writeFileSync(config, lines.join('\n'));
    // Debian's has the debugger, which waits for a command.
    writeFileSync(commands, 'c\n');
    return betweenMarks('bochs', ['-q', '-f', config, '-rc', commands]);
  },
};

const v86 = (name, options) => ({
  name,
  missing() {
    try {
      createRequire(import.meta.url).resolve('v86');
      return null;
    } catch {
      return 'the package v86 is not installed';
    }
  },
  // It has no 64-bit mode.
  runs: (rom) => ROMS_32.has(rom),
  run: (_, image) => betweenMarks(process.execPath, [join(here, 'v86.mjs'), image, ...options]),
});

export const PEERS = [qemu, bochs, v86('v86', []), v86('v86 without JIT', ['--no-jit'])];
