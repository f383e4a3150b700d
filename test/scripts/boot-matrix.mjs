// `npm run boot:matrix`: boots real images of Debian packages under Bootpath and, on plain PCs, under QEMU, checks milestones, and writes
// docs/fidelity.md. `-- --format json` prints JSON, `-- NAME…` runs the rows whose id contains a NAME (and writes nothing),
// `-- --no-qemu` leaves QEMU out (and writes nothing), `-- --list` lists the rows.
import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { mismatch, runBootpath } from '../boot-matrix/bootpath.mjs';
import { debianPackage, withoutFolders } from '../boot-matrix/packages.mjs';
import { qemuVersion, runQemu } from '../boot-matrix/qemu.mjs';
import { ROWS } from '../boot-matrix/rows.mjs';
import { cells, COLUMNS, markdown, named } from '../boot-matrix/table.mjs';
import { gunzipped, vmlinuxOf } from '../boot-matrix/vmlinux.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const COMMAND = 'npm run boot:matrix';

const args = process.argv.slice(2);
const json = args.includes('--format') && args.includes('json');
const names = args.filter((arg) => !arg.startsWith('--') && arg !== 'json');
const rows = ROWS.filter(({ id }) => names.length === 0 || names.some((name) => id.includes(name)));
if (args.includes('--list')) {
  for (const row of ROWS) console.log(`${row.id}: ${named(row)}`);
  process.exit(0);
}
if (rows.length === 0) {
  console.error(`no row's id contains ${names.join(' or ')}; --list lists them`);
  process.exit(2);
}

const qemu = args.includes('--no-qemu') ? null : qemuVersion();
const packages = new Map();
const results = [];
const failures = [];
const skipped = [];
/** The highest one-minute load average behind a row: this run alone makes about one. */
let load = 0;
const note = (text) => process.stderr.write(`${text}\n`);

/** The row's files: paths, and what is packed in one of them. */
function filesOf(row) {
  const files = Object.fromEntries(
    Object.entries(row.packages).map(([key, [name, path]]) => {
      const found = packages.get(String(name)) ?? debianPackage(name);
      packages.set(String(name), found);
      return [key, found.file(path)];
    }),
  );
  return {
    ...files,
    vmlinux: () => vmlinuxOf(root, files.kernel),
    gunzipped: (key) => gunzipped(files[key]),
  };
}

async function runRow(row) {
  let files;
  try {
    files = filesOf(row);
  } catch (error) {
    note(`skipped ${row.id}: ${error.message}`);
    skipped.push({ row, reason: error.message });
    return;
  }
  try {
    const { report, seconds, command } = await runBootpath(root, row, files);
    const wrong = mismatch(row, report);
    if (wrong) throw new Error(wrong);
    const result = {
      row,
      instructions: report.instructions,
      wall: seconds,
      mips: report.instructions / seconds / 1e6,
      qemu: null,
      shown: withoutFolders(command),
    };
    results.push(result);
    if (qemu && row.qemu) result.qemu = await runQemu(row, files);
    note([...(row.vmm ? [row.vmm] : []), ...cells(result)].join('  '));
  } catch (error) {
    note(`FAILED ${row.id}: ${error.message}`);
    failures.push({ row, reason: error.message });
  }
}

const built = spawnSync(process.execPath, [join(root, 'esbuild.mjs')], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) process.exit(1);
note(COLUMNS.join('  '));
for (const row of rows) {
  await runRow(row);
  load = Math.max(load, loadavg()[0]);
}

const machine = `${cpus().length} cores (${cpus()[0].model.trim()}), Node ${process.versions.node}`;
const versions = [...packages.values()].map(({ name, version }) => ({ name, version }));
if (json) {
  const plain = ({ row: { id, title, vmm = null }, ...rest }) => ({ id, title, vmm, ...rest });
  const lists = { results: results.map(plain), failures: failures.map(plain), skipped: skipped.map(plain) };
  console.log(JSON.stringify({ machine, load, qemu, packages: versions, ...lists }, null, 2));
} else if (names.length === 0 && qemu) {
  const text = markdown({
    results,
    failures,
    skipped,
    machine,
    load,
    packages: versions,
    qemu,
    command: COMMAND,
  });
  const options = await prettier.resolveConfig(join(root, 'docs/fidelity.md'));
  writeFileSync(
    join(root, 'docs/fidelity.md'),
    await prettier.format(text, { ...options, parser: 'markdown', proseWrap: 'preserve' }),
  );
}
note(`${results.length} reached their milestone, ${failures.length} failed, ${skipped.length} skipped`);
process.exit(failures.length > 0 ? 1 : 0);
