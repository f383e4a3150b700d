// Files of Debian packages, downloaded by apt into a cache and unpacked there; nothing is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env['BOOTPATH_CACHE'] ?? join(homedir(), '.cache/bootpath'), 'boot-matrix');

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (error) throw new Error(`${command} is not there (${error.code})`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`);
  return stdout;
}

/** A metapackage stands for what it depends on: `linux-image-cloud-amd64` for the kernel of today. */
function resolved(name, depends) {
  if (!depends) return name;
  const match = new RegExp(`^ *Depends: (${depends})$`, 'm').exec(run('apt-cache', ['depends', name]));
  if (!match) throw new Error(`${name} depends on no package ${depends}`);
  return match[1];
}

/** `{ name, version, file(path) }` of a package's candidate version. Throws a sentence where it cannot be had. */
export function debianPackage(asked) {
  const [name, depends] = Array.isArray(asked) ? asked : [asked, null];
  const real = resolved(name, depends);
  const version = /^ *Candidate: (\S+)$/m.exec(run('apt-cache', ['policy', real]))?.[1];
  if (!version || version === '(none)') throw new Error(`apt knows no package ${real}`);
  const folder = join(cache, `${real}_${version.replace(/[^\w.+~-]/g, '_')}`);
  if (!existsSync(folder)) unpack(real, folder);
  return { name: real, version, file: (path) => onlyMatch(folder, path, real) };
}

/** A command line with the names of files alone where they lie in the cache. */
export function withoutFolders(command) {
  const [first, ...rest] = command.split(`${cache}/`);
  return first + rest.map((text) => text.replace(/^[^\s']*\//, '')).join('');
}

function unpack(name, folder) {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(join(partial, 'files'), { recursive: true });
  run('apt-get', ['download', '-q', name], { cwd: partial });
  const archive = readdirSync(partial).find((file) => file.endsWith('.deb'));
  run('dpkg-deb', ['-x', join(partial, archive), join(partial, 'files')]);
  renameSync(join(partial, 'files'), folder);
  rmSync(partial, { recursive: true });
}

/** A path inside a package, whose last part may hold one `*`. */
function onlyMatch(folder, path, name) {
  const parts = path.split('/');
  const last = parts.pop();
  const directory = join(folder, ...parts);
  const [before, after] = last.split('*');
  const fits = (file) =>
    after === undefined ? file === last : file.startsWith(before) && file.endsWith(after);
  const found = existsSync(directory) ? readdirSync(directory).filter(fits) : [];
  if (found.length !== 1) throw new Error(`${name} holds ${found.length} files ${path}`);
  return join(directory, found[0]);
}
