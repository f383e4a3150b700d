// Assembles the probe guests and the plain PC's BIOS: NAME.asm to NAME.bin and NAME.labels.json beside it. With --check
// nothing is written: it exits 1 where a committed file differs from what NASM makes of the source.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../../server/src');
/** Where the sources are, and the address of the first byte or behind the last one as their labels count it. */
const FOLDERS = [
  { folder: join(source, 'simulation/probes'), end: 0x100000 },
  { folder: join(source, 'simulation/probes/kernels'), start: 0x200000 },
  { folder: join(source, 'vmm/pc/bios'), end: 0x10000 },
];

/** All images: the .asm files (what they share are .mac files). */
const images = () =>
  FOLDERS.flatMap(({ folder, ...place }) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.asm'))
      .map((name) => ({ folder, ...place, name: name.slice(0, -'.asm'.length) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  );

/**
 * Labels of a NASM map, name to address in lower-case hex: those of the image, without local ones (with a dot) and the
 * generated fault stubs.
 */
function labelsOf(map, start, end) {
  const labels = {};
  for (const [, address, name] of map.matchAll(/^\s*[0-9A-F]+\s+([0-9A-F]+)\s+([A-Za-z_]\w*)$/gm)) {
    const value = parseInt(address, 16);
    if (value < start || value >= end || /^stub\d+_/.test(name)) continue;
    labels[name] = `0x${value.toString(16)}`;
  }
  return labels;
}

/** @returns {{binary: Buffer, labels: string}} */
function assemble({ folder, start, end, name }) {
  const work = mkdtempSync(join(tmpdir(), 'bootpath-probe-'));
  try {
    const [wrapper, map, out] = ['probe.asm', 'probe.map', 'probe.bin'].map((file) => join(work, file));
    writeFileSync(wrapper, `[map symbols ${map}]\n%include "${name}.asm"\n`);
    const args = ['-f', 'bin', '-w+all', '-w-prefix-seg', '-w+error', '-I', `${folder}/`, '-o', out, wrapper];
    const nasm = spawnSync('nasm', args, { encoding: 'utf8' });
    if (nasm.error) throw new Error(`nasm cannot be run: ${nasm.error.message}`);
    if (nasm.status !== 0) throw new Error(nasm.stderr);
    const binary = readFileSync(out);
    const first = start ?? end - binary.length;
    const labels = labelsOf(readFileSync(map, 'utf8'), first, first + binary.length);
    return { binary, labels: JSON.stringify(labels, null, 2) + '\n' };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  let stale = 0;
  for (const image of images()) {
    const { folder, name } = image;
    const { binary, labels } = assemble(image);
    const files = [
      [`${name}.bin`, binary],
      [`${name}.labels.json`, Buffer.from(labels)],
    ];
    for (const [file, bytes] of files) {
      const path = join(folder, file);
      if (existsSync(path) && readFileSync(path).equals(bytes)) continue;
      stale++;
      if (check) console.error(`${file} is not what NASM makes of ${name}.asm`);
      else writeFileSync(path, bytes);
      if (!check) console.log(`${file}: ${bytes.length} bytes`);
    }
  }
  if (check && stale > 0) {
    console.error('run `node test/scripts/assemble-probes.mjs` and commit what it writes');
    process.exit(1);
  }
  if (check) console.log(`${images().length} images are what their sources say`);
}
