/** The command line as scripts call it: exit codes, what is on stdout and what on stderr, and the JSON contract. */
import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildCommandLine, type CommandLine, type Run } from './bundledCommandLine';

const root = process.env.BOOTPATH_ROOT!;
const example = join(root, 'examples/vmd-alpine');
let folder = '';
let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
  folder = cli.folder;
});

after(() => cli.remove());

const bootpath = (args: readonly string[], options: { cwd?: string; input?: string } = {}): Run =>
  cli.run(args, options);

function jsonOf<T>(run: Run): T {
  return JSON.parse(run.stdout) as T;
}

const write = (name: string, text: string): string => cli.write(name, text);

interface CheckJson {
  files: {
    file: string;
    language: string | null;
    vmm: string | null;
    findings: {
      code: string;
      severity: string;
      message: string;
      file: string;
      line: number;
      column: number;
    }[];
  }[];
}

test('check lists findings with one-based places and exits 0 without errors', () => {
  const run = bootpath(['check', 'vm.conf', '--format', 'json'], { cwd: example });
  const [file] = jsonOf<CheckJson>(run).files;
  assert.equal(file!.language, 'vmconf');
  assert.equal(file!.vmm, 'vmd@7.8');
  const text = readFileSync(join(example, 'vm.conf'), 'utf8').split('\n');
  const unknown = file!.findings.find(({ code }) => code === 'vmconf-switch-undefined')!;
  assert.ok(text[unknown.line - 1]!.slice(unknown.column - 1).startsWith('"uplnk"'));
  assert.equal(unknown.file, 'vm.conf');
  assert.equal(run.code, 0);
});

test('check exits 1 on an error', () => {
  const run = bootpath(['check', write('broken.conf', 'vm "a" {\n\tmemory 512\n\tdisk "/a.img"\n}\n')]);
  assert.equal(run.code, 1, run.stdout + run.stderr);
});

test('what nobody recognises is listed with a null language, named on stderr, and is exit 2', () => {
  const run = bootpath(['check', write('notes.txt', 'hello\n'), '--format', 'json']);
  assert.equal(jsonOf<CheckJson>(run).files[0]!.language, null);
  assert.match(run.stderr, /notes\.txt: not recognised/);
  assert.equal(run.code, 2);
});

test('this host is asked for images only with --check-host', () => {
  const file = write('host.conf', 'vm "a" {\n\tdisk "/nowhere/a.img"\n\tboot "/"\n}\n');
  const places = (run: Run) =>
    jsonOf<CheckJson>(run)
      .files[0]!.findings.filter(({ code }) => code === 'host-image-missing')
      .map(({ line }) => line);
  assert.deepEqual(places(bootpath(['check', file, '--format', 'json'])), []);
  assert.deepEqual(places(bootpath(['check', file, '--check-host', '--format', 'json'])), [2]);
});

test('"-" reads standard input', () => {
  const run = bootpath(['check', '-', '--format', 'json'], {
    input: 'vm "a" {\n\tmemory 1G\n\tcdrom "/a.iso"\n}\n',
  });
  assert.equal(jsonOf<CheckJson>(run).files[0]!.language, 'vmconf', run.stderr);
  assert.equal(jsonOf<CheckJson>(run).files[0]!.file, '-');
});

interface LayoutJson {
  machines: {
    name: string;
    vmm: string | null;
    regions: { start: string; end: string; kind: string; file: string | null; line: number | null }[];
  }[];
}

for (const [version, end] of [
  ['7.8', '0xa0000'],
  ['x86_vm-1.27', '0x90000'],
] as const) {
  test(`layout --as vmd@${version} ends low RAM at ${end}`, () => {
    const run = bootpath(['layout', 'vm.conf', '--as', `vmd@${version}`, '--format', 'json'], {
      cwd: example,
    });
    const [machine] = jsonOf<LayoutJson>(run).machines;
    assert.equal(machine!.vmm, `vmd@${version}`);
    assert.equal(machine!.regions[0]!.end, end);
    assert.equal(machine!.regions[0]!.kind, 'ram');
    assert.equal(machine!.regions[0]!.file, 'vm.conf');
    assert.equal(run.code, 0);
  });
}

test('a guest that its own VMM refuses: layout says who knows why, another VMM takes it', () => {
  const big = write('big.conf', 'vm "big" {\n\tmemory 900G\n\tdisk "/big.raw"\n}\n');
  assert.match(
    bootpath(['layout', big]).stderr,
    /vmd lays out no memory for "big"; bootpath simulate says why/,
  );
  assert.match(
    bootpath(['layout', '--diff', big, big, '--format', 'json']).stderr,
    /No region of the left is known: vmd lays out no memory for "big".*\n.*No region of the right is known/,
  );
  const own = bootpath(['simulate', big, '--format', 'json']);
  const report = jsonOf<{ reason: string; findings: { code: string }[] }>(own);
  assert.match(report.reason, /its 900 GiB are more than this vmm\(4\) takes, 128 GiB/);
  assert.ok(report.findings.some(({ code }) => code === 'boot-config-rejected'));
  const other = bootpath(['simulate', big, '--as', 'firecracker', '--format', 'json']);
  const taken = jsonOf<{ outcome: string; findings: { code: string }[] }>(other);
  assert.deepEqual([taken.outcome, taken.findings], ['halted', []]);
});

test('layout --format svg draws', () => {
  assert.match(bootpath(['layout', 'vm.conf', '--format', 'svg'], { cwd: example }).stdout, /^<svg /);
});

test('layout --diff names the span that two maps disagree on', () => {
  const e820 = (end: string): string => `BIOS-e820: [mem 0x0000000000000000-${end}] usable\n`;
  const a = write('a.e820', e820('0x000000000009fbff'));
  const b = write('b.e820', e820('0x000000000009ffff'));
  const run = bootpath(['layout', '--diff', a, b, '--format', 'json']);
  assert.deepEqual(jsonOf<{ differences: object[] }>(run).differences, [
    { start: '0x9fc00', end: '0xa0000', left: null, right: 'ram' },
  ]);
});

test('layout --diff takes two machines of one file, by name or the first two', () => {
  const log = write(
    'boot.log',
    'BIOS-e820: [mem 0x0-0x9fbff] usable\ne820: update [mem 0x0-0xfff] usable ==> reserved\n' +
      'e820: remove [mem 0x90000-0x9ffff] usable\nBIOS-e820: [mem 0x100000-0x1fffff] usable\n',
  );
  const differences = (...args: string[]): object[] =>
    jsonOf<{ differences: object[] }>(bootpath(['layout', '--diff', ...args, '--format', 'json']))
      .differences;
  const amended = [
    { start: '0x0', end: '0x1000', left: 'ram', right: 'reserved' },
    { start: '0x90000', end: '0x9fc00', left: 'ram', right: null },
  ];
  assert.deepEqual(differences(log), amended);
  assert.deepEqual(differences(log, '--vm', 'BIOS-e820', '--vm', 'BIOS-e820 as amended'), amended);
  assert.deepEqual(differences(log, '--vm', 'BIOS-e820', '--vm', 'BIOS-e820'), []);
  const text = bootpath(['layout', '--diff', log]).stdout;
  assert.match(text, /^! \[0x0, 0x1000\) {2}4 KiB {2}RAM \| reserved$/m);
});

test('layout --diff says what it lacks', () => {
  const one = write('one.e820', 'BIOS-e820: [mem 0x0-0x9fbff] usable\n');
  for (const [args, reason] of [
    [['--diff', one], /describes one machine only/],
    [['--diff', one, '--vm', 'BIOS-e820'], /takes --vm twice/],
    [['--diff', one, one, '--vm', 'x'], /has no machine "x"/],
    [['--diff', one, one, one], /takes two files/],
    [['--diff'], /takes two files/],
    [['--diff', one, one, '--format', 'svg'], /text or json/],
    [[one, '--vm', 'a', '--vm', 'b'], /only with --diff/],
  ] as const) {
    const run = bootpath(['layout', ...args]);
    assert.equal(run.code, 2, args.join(' '));
    assert.match(run.stderr, reason);
  }
});

interface DecodeJson {
  crashes: {
    format: string;
    mode: string;
    registers: Record<string, string>;
    rootCause: object | null;
    findings: { code: string; confidence: string; evidence: string; cause: string | null }[];
    mappings: {
      what: string;
      address: string;
      region: string | null;
      file: string | null;
      line: number | null;
    }[];
  }[];
}

test('decode leads the example’s crash to the memory line of vm.conf, without a root cause', () => {
  const run = bootpath(['decode', 'reboot-crash.txt', '--config', 'vm.conf', '--format', 'json'], {
    cwd: example,
  });
  const [crash] = jsonOf<DecodeJson>(run).crashes;
  assert.equal(crash!.registers.rip, '0x9a070');
  assert.equal(crash!.mode, 'compatibility');
  assert.equal(crash!.rootCause, null);
  assert.ok(crash!.findings.some(({ code }) => code === 'vmd-lowmem'));
  const rip = crash!.mappings.find(({ address }) => address === '0x9a070')!;
  const text = readFileSync(join(example, 'vm.conf'), 'utf8').split('\n');
  assert.equal(rip.file, 'vm.conf');
  assert.match(text[rip.line! - 1]!, /memory/);
  assert.equal(run.code, 0);
});

test('decode answers text without a crash with what it looked for, and exit 1', () => {
  const run = bootpath(['decode', '-', '--format', 'json'], { input: 'all is well\n' });
  assert.deepEqual(jsonOf<DecodeJson>(run).crashes, []);
  assert.equal(run.code, 1);
});

test('explain decodes a descriptor', () => {
  const run = bootpath(['explain', 'descriptor', '0x00af9b000000ffff', '--format', 'json']);
  assert.equal(jsonOf<{ value: string }>(run).value, '0xaf9b000000ffff');
  assert.match(jsonOf<{ summary: string }>(run).summary, /64-bit code/);
});

test('versions are listed oldest first', () => {
  const { vmms } = jsonOf<{ vmms: { name: string; versions: { id: string }[] }[] }>(
    bootpath(['versions', 'vmd', '--format', 'json']),
  );
  const ids = vmms[0]!.versions.map(({ id }) => id);
  assert.ok(ids.indexOf('7.8') < ids.indexOf('x86_vm-1.27'));
  assert.equal(ids.at(-1), 'x86_vm-1.27');
});

interface SimulateJson {
  outcome: string;
  reason: string;
  instructions: number;
  console: string;
  vcpus: { registers: Record<string, string>; mode: string }[];
  notModelled: string[];
}

test('simulate boots the built-in probe where no image is given', () => {
  const run = bootpath(['simulate', 'vm.conf', '--format', 'json'], { cwd: example });
  const report = jsonOf<SimulateJson>(run);
  assert.equal(report.outcome, 'halted', report.reason + run.stderr);
  assert.match(report.console, /mode long/);
  assert.match(report.vcpus[0]!.registers.rip!, /^0x[0-9a-f]+$/);
  assert.ok(report.notModelled.length > 0);
  assert.equal(run.code, 0);
});

/** 32-bit code behind a Multiboot header that loads it at 1 MiB: MOV AL, 0x10; OUT 0xF4, AL. */
const EXITING = [0x1badb002, 0x10000, -0x1badb002 - 0x10000, 0x100000, 0x100000, 0, 0, 0x100020, 0xf4e610b0];

test('simulate boots an image without a config on the plain PC', () => {
  const words = new Uint8Array(Uint32Array.from(EXITING.map((word) => word >>> 0)).buffer);
  const file = join(folder, 'kernel.flat');
  writeFileSync(file, words);
  const run = bootpath([
    'simulate',
    file,
    '--memory',
    '16M',
    '--cpus',
    '2',
    '--feature',
    'no-x2apic',
    '--format',
    'json',
  ]);
  const report = jsonOf<{ outcome: string; exitStatus: number; vcpus: object[] }>(run);
  assert.deepEqual([report.outcome, report.exitStatus, report.vcpus.length], ['shutdown', 0x21, 2]);
  assert.equal(run.code, 0);
  for (const [args, message] of [
    [['--memory', '17K'], /--memory 17K: 2M to 512G/],
    [['--cpus', '0'], /--cpus takes 1 to 32/],
    [['--vendor', 'via'], /intel or amd/],
    [['--feature', 'warp'], /no CPUID feature "warp"/],
    [['--probe', 'e820'], /--probe goes with a config/],
    [['--as', 'vmd'], /boots on the plain PC only/],
  ] as const) {
    const wrong = bootpath(['simulate', file, ...args]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, message);
  }
});

test('simulate survives a firmware of garbage', () => {
  const garbage = join(folder, 'garbage.bin');
  writeFileSync(garbage, Buffer.alloc(65536, 0x66));
  const report = jsonOf<SimulateJson>(
    bootpath(
      ['simulate', 'vm.conf', '--firmware', garbage, '--max-instructions', '100000', '--format', 'json'],
      {
        cwd: example,
      },
    ),
  );
  assert.ok(report.reason.length > 0);
});

for (const [args, message] of [
  [['frobnicate'], /no command "frobnicate"/],
  [['check'], /needs a file/],
  [['check', 'missing.conf'], /missing\.conf: there is no such file/],
  [['check', 'vm.conf', '--as', 'vmd@99'], /vmd has the versions/],
  [['check', 'vm.conf', '--as', 'vmd@7.8@9'], /vmd has the versions/],
  [['check', 'vm.conf', '--as', 'nonsense'], /no model of "nonsense"/],
  [['layout', 'vm.conf', '--vm', 'nobody'], /no machine "nobody"/],
  [['check', 'vm.conf', '--format', 'yaml'], /prints text, json, sarif, not "yaml"/],
  [['check', 'vm.conf', '--nonsense'], /nonsense/],
  [['explain', 'descriptor', 'zz'], /zz/],
  [['simulate', 'vm.conf', '--probe', 'nobody'], /no probe "nobody"/],
  [['simulate', 'vm.conf', '--tap', '0x10000'], /ports end/],
  [['simulate', 'vm.conf', '--cpus', '2'], /--cpus goes with an image/],
  [['lsp'], /--stdio/],
] as const) {
  test(`bad usage is exit 2 with a reason: ${args.join(' ')}`, () => {
    const run = bootpath(args, { cwd: example });
    assert.match(run.stderr, message);
    assert.equal(run.stdout, '');
    assert.equal(run.code, 2);
  });
}

test('lsp --stdio is the language server: it answers initialize and ends with the client’s exit', async () => {
  const server = cli.start(['lsp', '--stdio']);
  const send = (content: object): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...content });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  send({ id: 1, method: 'initialize', params: { processId: null, rootUri: null, capabilities: {} } });
  let answered = '';
  for await (const piece of server.stdout) {
    answered += String(piece);
    if (!answered.includes('"serverInfo":{"name":"bootpath"}')) continue;
    send({ id: 2, method: 'shutdown' });
    send({ method: 'exit' });
    break;
  }
  const code = await new Promise((resolve) => server.once('exit', resolve));
  assert.equal(code, 0);
});
