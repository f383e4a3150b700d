// `npm run checks:index`: writes docs/checks/README.md, the list of all codes, from the table in server/src/checks.
// `-- --check` writes nothing and exits 1 where the page is not what the table says.
import * as esbuild from 'esbuild';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { shared } from '../../esbuild.mjs';
import { temporaryFolder } from './vscode-host.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = join(root, 'docs/checks/README.md');

/** Headings by the kinds that a check looks at, in the order of the page. */
const KINDS = {
  machine: 'Every machine: configs, memory maps and boot plans',
  vmconf: 'OpenBSD vm.conf',
  'bhyve-config': 'bhyve: config files',
  'bhyve-command': 'bhyve: command lines in shell scripts',
  'vm-bhyve': 'vm-bhyve',
  propolis: 'Propolis',
  firecracker: 'Firecracker',
  'cloud-hypervisor': 'Cloud Hypervisor',
  boxlite: 'BoxLite options',
  'libkrun-c': 'C sources that call libkrun',
  'qemu-config': 'QEMU -readconfig',
  memmap: 'Memory maps',
  'boot-plan': 'Boot plans',
  'crash-dump': 'Crash dumps',
};

async function loadChecks() {
  const folder = temporaryFolder('checks-index');
  try {
    const outfile = join(folder, 'catalogue.cjs');
    await esbuild.build({
      ...shared,
      absWorkingDir: root,
      entryPoints: ['server/src/checks/catalogue.ts'],
      outfile,
      platform: 'node',
      format: 'cjs',
    });
    return createRequire(import.meta.url)(outfile).CHECKS;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function render(checks) {
  const lines = [
    '# Checks',
    '',
    'Every finding has a code, and every code a page: what it says, why it matters, a wrong and a right example, and the source',
    'of the rule. What the user sets in `bootpath.severity` is stronger than the severity here; `off` turns a code off. In formats',
    'with comments `# bootpath-disable-line CODE` or `# bootpath-disable-next-line CODE` silences one line (`//` in C).',
    '',
    'This page is written by `npm run checks:index`.',
  ];
  const sections = new Map(Object.keys(KINDS).map((kind) => [kind, []]));
  for (const check of checks) {
    const kind = check.on.includes('machine') ? 'machine' : check.on[0];
    if (!sections.has(kind)) throw new Error(`${check.code}: no heading for ${kind}`);
    sections.get(kind).push(check);
  }
  for (const [kind, list] of sections) {
    if (list.length === 0) continue;
    lines.push(
      '',
      `## ${KINDS[kind]}`,
      '',
      '| code | severity | what it finds | also on |',
      '|---|---|---|---|',
    );
    for (const { code, severity, title, on } of list.sort((a, b) => (a.code < b.code ? -1 : 1))) {
      const also = kind === 'machine' ? [] : on.slice(1);
      const link = existsSync(join(root, `docs/checks/${code}.md`))
        ? `${code}.md`
        : `../known-issues/${code}.md`;
      lines.push(`| [${code}](${link}) | ${severity} | ${title} | ${also.join(', ')} |`);
    }
  }
  return lines.join('\n') + '\n';
}

const options = await prettier.resolveConfig(page);
const text = await prettier.format(render(await loadChecks()), { ...options, parser: 'markdown' });
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  console.error('docs/checks/README.md is not what the table of checks says: run `npm run checks:index`');
  process.exit(1);
}
