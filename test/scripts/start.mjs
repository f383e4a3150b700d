// `npm start`: builds, then shows the main job in the terminal on examples/vmd-alpine, command by command: the config, its
// layout, a boot, the crash of a founding case decoded, the runs that explain it, and what another VMM would do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const example = 'examples/vmd-alpine';
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });

if (run(['esbuild.mjs']).status !== 0) process.exit(1);

const firmware = '/usr/share/seabios/bios-256k.bin';
const simulate = existsSync(firmware)
  ? ['simulate', `${example}/vm.conf`, '--firmware', firmware, '--tap', '0x402']
  : ['simulate', `${example}/vm.conf`];

const steps = [
  ['What is wrong with the config', ['check', `${example}/vm.conf`]],
  ['Where the guest’s memory is, and why', ['layout', `${example}/vm.conf`]],
  ['What the guest does when it boots', simulate],
  [
    'What the guest’s crash says, and which line it leads to',
    ['decode', `${example}/reboot-crash.txt`, '--config', `${example}/vm.conf`],
  ],
  [
    'Which runs come to the state of that crash, and which do not',
    ['simulate', `${example}/vm.conf`, '--known-issue', 'vmd-lowmem'],
  ],
  [
    'Another one: the host panics when this guest restarts',
    ['simulate', 'examples/illumos-14042/guest.conf', '--known-issue', 'illumos-14042'],
  ],
];

for (const [title, args] of steps) {
  console.log(`\n━━ ${title}\n   $ bootpath ${args.join(' ')}\n`);
  const { status } = run(['dist/cli.js', ...args]);
  // 1 says that something was found; 2 and signals mean that the tour is broken.
  if (status !== 0 && status !== 1) process.exit(status ?? 1);
}

console.log(`
━━ The same in VS Code
   $ npm run code
   opens ${example} with the extension: findings, lenses and the address space are in vm.conf;
   "Bootpath: Decode Crash Dump" works on reboot-crash.txt. Each folder of examples/ has a README.`);
