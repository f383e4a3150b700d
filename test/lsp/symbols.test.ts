/** Symbols on the command line: found beside the image, given by hand, and shown wherever there is an address. */
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { elfFile } from '../unit/simulation/elfFile';
import { withSymbols } from '../unit/simulation/elfSymbolsFile';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';

let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
});

after(() => cli.remove());

const PHYSICAL = 0x100000n;
const VIRTUAL = 0xc0100000n;
/** Multiboot magic, no flags, checksum; then `lidt` of an empty table and `ud2`: a triple fault. */
const CODE = Uint8Array.from([
  ...[0x02, 0xb0, 0xad, 0x1b, 0, 0, 0, 0, 0xfe, 0x4f, 0x52, 0xe4],
  ...[0x0f, 0x01, 0x1d, 0x20, 0x00, 0x10, 0x00],
  ...[0x0f, 0x0b],
  ...new Array<number>(20).fill(0),
]);

const stripped = elfFile({
  bits: 32,
  entry: VIRTUAL + 12n,
  segments: [{ physical: PHYSICAL, virtual: VIRTUAL, bytes: CODE, memorySize: 0x1000n }],
});
const withTable = withSymbols(stripped, {
  bits: 32,
  sections: [{ name: '.text', address: VIRTUAL, size: 0x29n }],
  symbols: [
    { name: 'entry', value: VIRTUAL + 12n, size: 7n },
    { name: 'dies_here', value: VIRTUAL + 19n, size: 2n },
  ],
});

interface ReportJson {
  reason: string;
  symbols: string | null;
  vcpus: { symbol: string | null }[];
  faultChain: { symbol: string | null }[];
  timeline: { event: string; symbol?: string }[];
  notModelled: string[];
}

const run = (args: readonly string[]) => cli.run(['simulate', ...args]);
const report = (args: readonly string[]): ReportJson =>
  JSON.parse(run([...args, '--format', 'json']).stdout) as ReportJson;

test('an image with a symbol table names its addresses, physical ones by its segments', () => {
  const image = cli.write('own.elf', withTable);
  const { reason, symbols, vcpus, faultChain, timeline } = report([image]);
  assert.match(reason, /from the instruction at 0x100013 \(dies_here, protected-32 mode/);
  assert.equal(symbols, image);
  assert.deepEqual(
    [vcpus, faultChain].map((states) => [...new Set(states.map(({ symbol }) => symbol))]),
    [['dies_here'], ['dies_here']],
  );
  assert.equal(timeline.find(({ event }) => event === 'table-load')?.symbol, 'entry');
  const text = run([image]).stdout;
  assert.match(text, /symbols: .*own\.elf/);
  assert.match(text, /at 0x10000c \(entry\)/);
  assert.match(text, /linear 0x100013 \(dies_here\)/);
  assert.match(text, /vCPU 0: protected-32, at dies_here/);
});

test('a stripped image gets those of the file beside it', () => {
  const image = cli.write('vmlinux-1.0', stripped);
  cli.write('System.map-1.0', 'c010000c T entry\nc0100013 T dies_in_map\nc0100029 B _end\n');
  const { reason, symbols } = report([image]);
  assert.equal(symbols, join(cli.folder, 'System.map-1.0'));
  assert.match(reason, /\(dies_in_map, /);
});

test('files beside the image that are of no use are named with the reason', () => {
  const image = cli.write('vmlinux-2.0', stripped);
  cli.write(
    'System.map-2.0',
    'ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n',
  );
  const { symbols, notModelled } = report([image]);
  assert.equal(symbols, null);
  assert.match(notModelled.join('\n'), /symbols of .*System\.map-2\.0: it is a placeholder with one line/);
});

test('--symbols takes any file, and is bad usage where the file is of another kernel', () => {
  const image = cli.write('plain.elf', stripped);
  assert.match(report([image, '--symbols', cli.write('table', withTable)]).reason, /\(dies_here, /);
  const other = run([image, '--symbols', cli.write('other.map', 'c0200000 T start\n')]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /--symbols .*other\.map: it is of another build/);
  const missing = run([image, '--symbols', 'nowhere']);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /nowhere: there is no such file/);
});
