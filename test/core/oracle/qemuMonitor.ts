/** What QEMU's monitor answers about a machine that it runs on its interpreter (TCG), stopped first. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param machine arguments of QEMU
 * @param milliseconds how long the machine runs before it is stopped; 0 stops it before its first instruction
 * @returns the text of the whole session with the prompts; rejects with it where QEMU ends by itself
 */
export async function askMonitor(
  machine: readonly string[],
  commands: readonly string[],
  milliseconds: number,
): Promise<string> {
  const qemu = spawn('qemu-system-x86_64', [
    ...['-accel', 'tcg', '-display', 'none', '-nodefaults', '-monitor', 'stdio'],
    ...(milliseconds === 0 ? ['-S'] : []),
    ...machine,
  ]);
  const ended = new Promise((resolve) => qemu.on('close', resolve));
  // The monitor's answers are lost with QEMU, so it is told to end when the last one is there.
  const answered = new Promise<string>((resolve, reject) => {
    let text = '';
    qemu.on('error', reject);
    qemu.on('close', () => reject(new Error(text)));
    for (const stream of [qemu.stdout, qemu.stderr])
      stream.on('data', (data: Buffer) => {
        text += data.toString('latin1');
        if (/VM status: /.test(text)) resolve(text);
      });
  });
  if (milliseconds > 0) await sleep(milliseconds);
  for (const command of ['stop', ...commands, 'info status']) qemu.stdin.write(`${command}\n`);
  const text = await answered;
  qemu.stdin.write('quit\n');
  await ended;
  return text;
}
