// Writes dist/THIRD-PARTY-NOTICES.txt: name, version and licence text of every library that is inside the bundles.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([-.]|$)/i;

/** Folders of the packages that bundled files come from, from the paths that esbuild lists. */
export function packageFolders(inputs) {
  const folders = inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** One section a package; a package without a licence text is an error, since we may not ship it then. */
export function noticesText(root, folders) {
  const sections = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((file) => LICENCE_FILE.test(file));
    if (files.length === 0) throw new Error(`${name}@${version} (${license}) has no licence file`);
    const texts = files.sort().map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
    sections.set(`${name} ${version} (${license})`, texts.join('\n\n').replaceAll('\r\n', '\n'));
  }
  const parts = [...sections]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([title, text]) => `${title}\n\n${text}`);
  const rule = `\n\n${'-'.repeat(100)}\n\n`;
  return ['Bootpath contains the following libraries.', ...parts].join(rule) + '\n';
}

/** `inputs`: dist/inputs.json of a production build. `copied`: packages whose files, or compiled code, go in another way. */
export function writeNotices(root, copied = ['node_modules/assemblyscript']) {
  const inputs = JSON.parse(readFileSync(join(root, 'dist/inputs.json'), 'utf8'));
  const present = copied.filter((folder) => existsSync(join(root, folder, 'package.json')));
  const folders = [...new Set([...packageFolders(inputs), ...present])];
  writeFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), noticesText(root, folders));
  return folders.length;
}
