// `npm run code`: opens examples/vmd-alpine in VS Code with the extension of this checkout. Uses `code` where it is
// installed; else serves a workbench on localhost, from the npm registry's code-server, and prints its address.
// usage: open-example.mjs [FOLDER]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureHost } from './ensure-host.mjs';
import { remoteUri, startServer, workbenchUrl } from './vscode-host.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = resolve(process.argv[2] ?? join(root, 'examples/vmd-alpine'));
const first = ['vm.conf'].map((name) => join(folder, name)).find((path) => existsSync(path));

const build = spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) process.exit(1);

const names = process.platform === 'win32' ? ['code.cmd'] : ['code', 'codium', 'code-oss'];
const desktop = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((path) => names.map((name) => join(path, name)))
  .find((path) => existsSync(path));

if (desktop && !process.env.BOOTPATH_SERVE) {
  const args = [`--extensionDevelopmentPath=${root}`, folder, ...(first ? [first] : [])];
  const shell = process.platform === 'win32';
  spawn(shell ? `"${desktop}"` : desktop, args, { stdio: 'inherit', shell }).on('close', (code) =>
    process.exit(code ?? 1),
  );
} else {
  console.error(
    'VS Code is not installed here: serving one on localhost (the first time it is fetched from npm).',
  );
  const port = process.env.PORT ? Number(process.env.PORT) : undefined;
  const server = await startServer({ hostDir: ensureHost(), port });
  const payload = [['extensionDevelopmentPath', remoteUri(server, root)]];
  if (first) payload.push(['openFile', remoteUri(server, first)]);
  console.log(workbenchUrl(server, { folder, payload }));
  console.error('Open that address in a browser on this machine. Ctrl+C ends it.');
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void server.stop().finally(() => process.exit(0)));
}
