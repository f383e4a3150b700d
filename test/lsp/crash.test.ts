/** Crash dumps of every format in the editor and on the command line: hovers, the decode request, links, JSON. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type * as lsp from 'vscode-languageserver-types';
import type { DecodeResult } from '../../server/src/protocol';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 120_000 };
const root = process.env.BOOTPATH_ROOT!;
const fixture = (name: string): string => readFileSync(join(root, 'test/fixtures/crash', name), 'utf8');
const example = (name: string): string => join(root, 'examples', name);

let client: Client;
let cli: CommandLine;
let opened = 0;

before(async () => {
  client = await Client.start(await buildServer());
  cli = await buildCommandLine();
});

after(async () => {
  client.kill();
  await client.exited;
  removeServer();
  cli.remove();
});

/** Opens a text and gives what a hover says at the start of `word` in it. */
async function hoverAt(text: string, word: string): Promise<string> {
  const uri = `file:///crash/${++opened}/dump.txt`;
  await client.open(uri, 'plaintext', text);
  const before = text.slice(0, text.indexOf(word)).split('\n');
  const position = { line: before.length - 1, character: before.at(-1)!.length + 3 };
  const found = await client.about<lsp.Hover | null>('hover', uri, { position });
  await client.close(uri);
  return found ? (found.contents as lsp.MarkupContent).value : '';
}

for (const [name, file, word, wanted] of [
  ['an illumos panic: the live entry', 'illumos-vacate-destroy.txt', '0x7a31c5067', /7a31c5067/],
  ['an illumos panic: the interrupt command', 'illumos-pending-mmio.txt', '0xc4500', /INIT/],
  ['a list of registers: CR0', 'registers-vmd-flat32.txt', '0x80000011', /\*\*cr0\*\*.*PG/s],
  ['QEMU’s registers: EFER', 'registers-vmd-flat64-qemu.txt', '0000000000000500', /LMA/],
] as const) {
  test(`hover in ${name}`, LIMIT, async () => assert.match(await hoverAt(fixture(file), word), wanted));
}

test('the outline of a plain text names its crash', LIMIT, async () => {
  const uri = `file:///crash/${++opened}/dump.txt`;
  await client.open(uri, 'plaintext', fixture('illumos-pending-mmio.txt'));
  const symbols = await client.about<lsp.DocumentSymbol[]>('documentSymbol', uri);
  assert.deepEqual(
    symbols.map(({ name }) => /^illumos host panic: bad pending MMIO state/.test(name)),
    [true],
  );
  await client.close(uri);
});

test('the decode request puts the findings of a host panic on the lines of the map', LIMIT, async () => {
  const uri = `file:///crash/${++opened}/map.txt`;
  const map = readFileSync(join(example('illumos-14042'), 'memory-map.txt'), 'utf8');
  await client.open(uri, 'memmap', map);
  const result = await client.request<DecodeResult>('bootpath/decode', {
    text: fixture('illumos-vacate-destroy.txt'),
    uri: null,
    configs: [uri],
  });
  assert.equal(result.recognised, true);
  const issue = result.findings.find(({ code }) => code === 'illumos-14042')!;
  assert.equal(issue.uri, uri);
  assert.match(map.split('\n')[issue.range!.start.line]!, /bootrom/);
  assert.match(issue.page, /docs\/known-issues\/illumos-14042\.md$/);
  const seam = result.findings.find(({ code }) => code === 'range-end-taken-as-inclusive')!;
  assert.match(seam.page, /docs\/crashes\/range-end-taken-as-inclusive\.md$/);
  // The report's links: places of the map and of the clipboard's own lines.
  assert.match(result.text, /→ \S*map\.txt:\d+:\d+ gives/);
  assert.match(result.text, /seen at clipboard:\d+:\d+/);
  await client.close(uri);
});

interface Finding {
  code: string;
  severity: string;
  confidence: string;
  evidence: string;
  cause: string | null;
  file: string | null;
  line: number | null;
}

interface DecodeJson {
  crashes: {
    format: string;
    mode: string | null;
    registers: Record<string, unknown>;
    rootCause: Finding | null;
    hypotheses: { message: string; for: string[]; against: string[]; experiment: string }[];
    findings: Finding[];
    mappings: {
      what: string;
      address: string;
      region: string | null;
      file: string | null;
      line: number | null;
    }[];
  }[];
}

function decode(args: readonly string[], cwd: string, input?: string) {
  const run = cli.run(
    ['decode', ...args, '--format', 'json'],
    input === undefined ? { cwd } : { cwd, input },
  );
  assert.equal(run.code, 0, run.stderr);
  const { crashes } = JSON.parse(run.stdout) as DecodeJson;
  return crashes;
}

const lineOf = (folder: string, file: string, line: number): string =>
  readFileSync(join(folder, file), 'utf8').split('\n')[line - 1]!;

for (const shape of ['whole', 'flattened'] as const) {
  test(`illumos-14042, ${shape}: its example leads to both lines of the map`, () => {
    const folder = example('illumos-14042');
    const panic = readFileSync(join(folder, 'host-panic.txt'), 'utf8');
    const text = shape === 'whole' ? panic : panic.replaceAll('\n', ' ');
    const [crash, ...more] = decode(['-', '--config', 'memory-map.txt'], folder, text);
    assert.equal(more.length, 0);
    assert.equal(crash!.format, 'illumos-panic');
    assert.equal(crash!.mode, null);
    const { code, cause, confidence, evidence, file, line } = crash!.rootCause!;
    assert.deepEqual([code, cause, confidence, evidence], ['illumos-14042', 'vmm', 'likely', 'inferred']);
    assert.equal(file, 'memory-map.txt');
    assert.match(lineOf(folder, file, line!), /bootrom/);
    assert.deepEqual(
      crash!.mappings.map(({ address, region, line: at }) => [
        address,
        region,
        /bootrom|sysmem/.exec(lineOf(folder, 'memory-map.txt', at!))![0],
      ]),
      [
        ['0x100000000', 'bootrom', 'bootrom'],
        ['0x100000000', 'sysmem', 'sysmem'],
      ],
    );
  });

  test(`illumos-13253, ${shape}: its example, with the value that the text names`, () => {
    const folder = example('illumos-13253');
    const panic = readFileSync(join(folder, 'host-panic.txt'), 'utf8');
    const text = shape === 'whole' ? panic : panic.replaceAll('\n', ' ');
    const [crash] = decode(['-'], folder, text);
    assert.deepEqual([crash!.rootCause?.code, crash!.rootCause?.cause], ['illumos-13253', 'vmm']);
    const codes = crash!.findings.map(({ code }) => code);
    for (const code of ['interrupt-command-decoded', 'unreliable-symbol'])
      assert.ok(codes.includes(code), code);
    assert.deepEqual(crash!.mappings, []);
  });
}

test('illumos-14042: a bhyve config leads to the line of the boot ROM and that of the memory', () => {
  const folder = example('illumos-14042');
  const panic = readFileSync(join(folder, 'host-panic.txt'), 'utf8');
  const stack = panic.slice(0, panic.indexOf('Address '));
  const [crash] = decode(['-', '--config', 'guest.conf'], folder, stack);
  assert.match(lineOf(folder, 'guest.conf', crash!.rootCause!.line!), /bootrom=/);
  assert.deepEqual(
    crash!.mappings.map(({ line }) => lineOf(folder, 'guest.conf', line!).split('=')[0]),
    ['lpc.bootrom', 'memory.size'],
  );
});

test('illumos-13253: a bhyve config leads to the line of its vCPUs', () => {
  const folder = example('illumos-13253');
  const [crash] = decode(['host-panic.txt', '--config', 'guest.conf'], folder);
  assert.match(lineOf(folder, 'guest.conf', crash!.rootCause!.line!), /^cpus=4/);
});

test('vmd-direct-launch: a register set, the boot line of the vm.conf, no root cause', () => {
  const conf = cli.write('direct.conf', '# bootpath: vmd@7.8\nvm "bsd" {\n\tmemory 1G\n\tboot "/bsd"\n}\n');
  const [crash] = decode(['-', '--config', conf], root, fixture('registers-vmd-flat64-qemu.txt'));
  assert.equal(crash!.format, 'register-set');
  assert.equal(crash!.mode, 'compatibility');
  assert.equal(crash!.rootCause, null);
  const issue = crash!.findings.find(({ code }) => code === 'vmd-direct-launch')!;
  assert.deepEqual([issue.line, issue.severity, issue.cause], [4, 'information', 'vmm']);
  assert.deepEqual(crash!.registers['cs'], {
    selector: '0x8',
    base: '0x0',
    limit: '0xffffffff',
    attributes: '0xc09f',
  });
});

test('libkrun-i8042-reset: a log of the write, hypotheses with their experiments, no root cause', () => {
  const [crash] = decode(['-'], root, fixture('reset-libkrun.txt'));
  assert.equal(crash!.format, 'port-write');
  assert.equal(crash!.rootCause, null);
  assert.deepEqual(crash!.registers, {});
  const reset = crash!.findings.find(({ code }) => code === 'guest-requested-reset')!;
  assert.deepEqual([reset.cause, reset.confidence, reset.evidence], ['guest', 'certain', 'proven']);
  assert.ok(crash!.findings.some(({ code }) => code === 'libkrun-i8042-reset'));
  assert.ok(crash!.hypotheses.length >= 2);
  for (const { experiment } of crash!.hypotheses) assert.notEqual(experiment, '');
});

test('the example of vmd-direct-launch: the boot line of its vm.conf', () => {
  const folder = example('vmd-direct-launch');
  const [crash] = decode(['registers-at-entry.txt', '--config', 'vm.conf'], folder);
  assert.deepEqual([crash!.mode, crash!.rootCause], ['compatibility', null]);
  const issue = crash!.findings.find(({ code }) => code === 'vmd-direct-launch')!;
  assert.equal(issue.file, 'vm.conf');
  assert.match(lineOf(folder, 'vm.conf', issue.line!), /boot "/);
});

test('the example of libkrun-i8042-reset: the box whose command line is libkrun’s own', () => {
  const folder = example('libkrun-i8042-reset');
  const [crash] = decode(['vmm.log', '--config', 'box.json'], folder);
  assert.equal(crash!.rootCause, null);
  for (const code of ['libkrun-i8042-reset', 'silent-panic-command-line']) {
    const finding = crash!.findings.find((candidate) => candidate.code === code)!;
    assert.equal(finding.file, 'box.json', code);
  }
  const heard = decode(['vmm.log', '--config', 'own-kernel.c'], folder)[0]!;
  assert.ok(heard.findings.every(({ code }) => code !== 'silent-panic-command-line'));
});

test('the example of firecracker-triple-fault-status: the version whose status says nothing, and no cause', () => {
  const folder = example('firecracker-triple-fault-status');
  const [crash] = decode(['vmm.log', '--config', 'guest.json'], folder);
  assert.deepEqual([crash!.format, crash!.rootCause], ['kvm-shutdown', null]);
  const issue = crash!.findings.find(({ code }) => code === 'firecracker-triple-fault-status')!;
  assert.deepEqual([issue.cause, issue.confidence], ['vmm', 'certain']);
});

for (const file of ['healthy-kvm-trace.txt', 'illumos-vacate-map.txt']) {
  test(`decode finds no crash in ${file}, says what it looked for, and exits 1`, () => {
    const run = cli.run(['decode', join(root, 'test/fixtures/crash', file), '--format', 'json']);
    assert.equal(run.code, 1);
    const { crashes, misses } = JSON.parse(run.stdout) as { crashes: object[]; misses: string[] };
    assert.deepEqual(crashes, []);
    assert.ok(misses.some((miss) => miss.startsWith('Looked for an illumos panic')));
  });
}
