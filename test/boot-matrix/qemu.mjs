// A row of the matrix under QEMU's interpreter-and-translator TCG: how long it takes to the same milestone.
import { spawn, spawnSync } from 'node:child_process';

const LIMIT_MS = 180_000;
const ESCAPES = new RegExp(`${String.fromCharCode(27)}(?:\\[[0-?]*[ -/]*[@-~]|[@-Z\\\\-~])`, 'g');

/** `QEMU emulator version 7.2.22`, or null where there is none. */
export function qemuVersion() {
  const { stdout, error } = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' });
  return error ? null : stdout.split('\n')[0].replace(/ \(.*/, '');
}

/** Seconds from the start of the process to the text, or to its end where the row ends by a reset. */
export function runQemu(row, files) {
  const { args, channel = 'serial' } = row.qemu(files);
  const text = channel === 'serial' ? ['-serial', 'stdio'] : ['-serial', 'none', ...debugPort('stdio')];
  const cpus = ['-smp', String(row.cpus ?? 1)];
  const common = ['-accel', 'tcg', '-display', 'none', '-no-reboot', '-nic', 'none', '-m', row.memory];
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn('qemu-system-x86_64', [...common, ...cpus, ...text, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let written = '';
    let problem = '';
    const finish = (settle) => {
      clearTimeout(limit);
      child.kill('SIGKILL');
      settle();
    };
    const seconds = () => (performance.now() - started) / 1000;
    const limit = setTimeout(
      () => finish(() => reject(new Error(`QEMU did not get there in ${LIMIT_MS / 1000} s`))),
      LIMIT_MS,
    );
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (piece) => {
      written = (written + piece).replace(ESCAPES, '');
      if (row.until !== undefined && written.includes(row.until)) finish(() => resolve(seconds()));
    });
    child.stderr.on('data', (piece) => (problem += piece));
    child.on('error', (error) => finish(() => reject(error)));
    child.on('close', (code) => {
      const ended = row.until === undefined && code === 0;
      finish(() =>
        ended ? resolve(seconds()) : reject(new Error(problem.trim() || `QEMU ended with ${code}`)),
      );
    });
  });
}

function debugPort(device) {
  return ['-chardev', `${device},id=log`, '-device', 'isa-debugcon,iobase=0x402,chardev=log'];
}
