/** `bootpath test`: boot plans on the command line, as a CI service runs them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';

const root = process.env.BOOTPATH_ROOT!;
let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
});
after(() => cli.remove());

/** Flat 32-bit protected mode on the plain PC, at code of 1 MiB; the expectations begin in line 21. */
const plan = (code: string, expect: string, head = '') => `${head}vmm = "pc"
[[region]]
kind = "ram"
start = 0
end = "2M"
[gdt]
base = 0x1000
entries = [0, { type = "code32" }, { type = "data" }]
[[vcpu]]
cr0 = ["PE", "ET"]
cs = 8
ds = 16
es = 16
ss = 16
rip = 0x100000
rdx = 0x3f8
[[load]]
kind = "flat"
at = 0x100000
bytes = "${code}"
[expect]
${expect}
`;
/** `mov al, 'A'; out dx, al; cli; hlt`. */
const HALTS = 'b041 ee fa f4';
const SPINS = 'ebfe';
const GOOD = plan(HALTS, 'outcome = "halted"\nconsole = "A"');

interface Results {
  plans: {
    file: string;
    passed: boolean;
    failures: { expected: string; actual: string; line: number | null }[];
    outcome: string | null;
    instructions: number | null;
  }[];
}

/** Runs `bootpath test` in a folder of its own with these plans. */
function run(plans: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const folder = join(cli.folder, 'plans');
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of Object.entries(plans)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    cli.write(join('plans', name), text);
  }
  return cli.run(['test', ...args], { cwd: folder });
}

const json = (...parameters: Parameters<typeof run>) => {
  const { code, stdout, stderr } = run(parameters[0], ...parameters.slice(1).map(String), '--format', 'json');
  assert.ok(code === 0 || code === 1, stderr);
  return { code, ...(JSON.parse(stdout) as Results) };
};
const only = (text: string) => json({ 'one.boot.toml': text }).plans[0]!;

test('a plan in UTF-16 with its byte order mark is read as check reads it', () => {
  cli.write('wide.boot.toml', Buffer.from(`\ufeff${GOOD}`, 'utf16le'));
  const { code, stdout } = cli.run(['test', 'wide.boot.toml'], { cwd: cli.folder });
  assert.equal(code, 0, stdout);
});

test('- is the plan of standard input', () => {
  const { code, stdout } = cli.run(['test', '-'], { cwd: cli.folder, input: GOOD });
  assert.equal(code, 0, stdout);
});

test('a plan whose expectations are met passes', () => {
  assert.deepEqual(json({ 'a.boot.toml': GOOD }), {
    code: 0,
    plans: [{ file: 'a.boot.toml', passed: true, failures: [], outcome: 'halted', instructions: 4 }],
  });
});

test('a missed expectation is told with its line, and the exit code is 1', () => {
  const { code, plans } = json({
    'a.boot.toml': GOOD,
    'b.boot.toml': plan(HALTS, 'console = "B"\nregisters = { rax = 0x42, cr0 = ["!PE"] }'),
  });
  assert.equal(code, 1);
  assert.deepEqual(
    plans.map(({ passed }) => passed),
    [true, false],
  );
  assert.deepEqual(plans[1]!.failures, [
    { expected: 'the console has "B"', actual: 'the text ends with "A"', line: 22 },
    { expected: 'rax of vCPU 0 is 0x42', actual: 'it was 0x41', line: 23 },
    {
      expected: 'cr0 of vCPU 0 is 0x0 in the bits 0x1',
      actual: 'it was 0x11, which differs in 0x1',
      line: 23,
    },
  ]);
});

test('what keeps a plan from being run fails it, at its line', () => {
  for (const [text, line, expected, actual] of [
    [GOOD.replace('rdx = 0x3f8', 'rqx = 0x3f8'), 16, 'the plan has no errors', /rqx/],
    ['vmm = "pc"\n[expect', 2, 'the plan has no errors', /./],
    [
      GOOD.replace('bytes = "b041 ee fa f4"', 'file = "nowhere.bin"'),
      20,
      'the plan can be run',
      /nowhere\.bin: there is no such file$/,
    ],
    [
      GOOD.replace('kind = "flat"', 'kind = "elf"')
        .replace('bytes = "b041 ee fa f4"', 'file = "one.boot.toml"')
        .replace('at = 0x100000\n', '\n'),
      17,
      'the plan can be run',
      /one\.boot\.toml is no ELF file to load: /,
    ],
    [plan(HALTS, ''), null, 'the plan has an [expect] table', /expects nothing/],
  ] as const) {
    const { passed, failures, outcome } = only(text);
    assert.equal(passed, false);
    assert.equal(outcome, null);
    assert.equal(failures[0]!.expected, expected);
    assert.equal(failures[0]!.line, line, JSON.stringify(failures));
    assert.match(failures[0]!.actual, actual);
  }
});

test('a state that no CPU enters fails a plan that does not expect that', () => {
  const refused = (expect: string) => only(plan(HALTS, expect).replace('["PE", "ET"]', '["ET", "PG"]'));
  const told = refused('no-fault = true').failures[0]!;
  assert.deepEqual([told.expected, told.line], ['the plan has no errors', 10]);
  assert.equal(refused('outcome = "invalid-entry"').passed, true);
});

test('a guest that goes round and round ends by the limit of its plan', () => {
  const limited = (expect: string) => plan(SPINS, expect) + '[run]\nmax-instructions = 100000\n';
  assert.equal(only(limited('outcome = "budget"\nmax-instructions = 100000')).passed, true);
  const late = only(plan(SPINS, 'max-instructions = 5000'));
  assert.deepEqual(late.failures, [
    { expected: '5000 instructions at most', actual: 'it was still running after 5001', line: 22 },
  ]);
  const awaited = only(plan(SPINS, '') + '[run]\nmax-instructions = 1000\nuntil = "login:"\n');
  assert.match(
    awaited.failures[0]!.actual,
    /^it ended without: The budget is spent after 1 000 instructions/,
  );
  assert.equal(awaited.failures[0]!.line, 25);
});

const VM = 'vm "one" {\n\tmemory 64M\n\tdisk "/one.img"\n}\n';
const NAMES = 'config = "../vm.conf"\n[expect]\nconsole = "status complete"\n';

test('a plan that names a config boots the machine of that file', () => {
  const at = (config: string, text = NAMES) =>
    json({ 'vm.conf': config, 'plans/one.boot.toml': text }).plans[0]!;
  const { passed, outcome } = at(VM);
  assert.deepEqual([passed, outcome], [true, 'expectation-met']);
  const small = at(VM.replace('64M', '32M'), NAMES.replace('status complete', 'length 0x3f00000 type'));
  assert.deepEqual(
    small.failures.map(({ line }) => line),
    [3],
  );
  const [wrong] = at(VM.replace('disk', 'disc')).failures;
  assert.deepEqual([wrong!.expected, wrong!.line], ['the plan has no errors', 1]);
  assert.match(wrong!.actual, /^\.\.\/vm\.conf has an error in line 3: .*disc/);
  const [missing] = json({ 'one.boot.toml': NAMES }).plans[0]!.failures;
  assert.match(missing!.actual, /vm\.conf is not there or cannot be read$/);
});

test('layout and simulate take the machine of the config too', () => {
  run({ 'vm.conf': VM, 'plans/one.boot.toml': NAMES });
  const cwd = join(cli.folder, 'plans');
  const layout = (file: string) =>
    JSON.parse(cli.run(['layout', file, '--format', 'json'], { cwd }).stdout) as unknown;
  assert.deepEqual(layout('plans/one.boot.toml'), layout('vm.conf'));
  const { code, stdout } = cli.run(['simulate', 'plans/one.boot.toml'], { cwd });
  assert.equal(code, 0);
  assert.match(stdout, /^Simulated boot of "one" under vmd@/);
  cli.write(join('plans', 'vm.conf'), 'hello\n');
  for (const command of ['layout', 'simulate']) {
    const { stderr } = cli.run([command, 'plans/one.boot.toml'], { cwd });
    assert.match(stderr, /one\.boot\.toml:1: \.\.\/vm\.conf is not recognised/);
  }
});

const MANY = Object.fromEntries(
  Array.from({ length: 11 }, (_, i) => [
    `${i % 2 ? 'odd' : 'even'}/${i}.boot.toml`,
    // Some take longer than those behind them.
    i % 3 === 0 ? plan('b900400000 e2fe b041 ee fa f4', 'console = "A"') : GOOD,
  ]),
);

test('the output is the same however many plans run at a time', () => {
  const one = run(MANY, '--jobs', '1');
  assert.equal(one.code, 0, one.stdout);
  assert.equal(run(MANY, '--jobs', '4').stdout, one.stdout);
  assert.match(one.stdout, /^ok {3}even\/0\.boot\.toml .*\nok {3}even\/10\.boot\.toml .*\n/);
  assert.match(one.stdout, /\n11 plans, 11 passed, 0 failed\n$/);
});

test('the shards together run each plan once', () => {
  const all = json(MANY).plans.map(({ file }) => file);
  const parts = [1, 2, 3].flatMap((part) => json(MANY, '--shard', `${part}/3`).plans.map(({ file }) => file));
  assert.deepEqual([...parts].sort(), [...all].sort());
  const empty = json({ 'a.boot.toml': GOOD }, '--shard', '2/2');
  assert.deepEqual(empty, { code: 0, plans: [] });
});

test('JUnit’s XML for services that read it', () => {
  const { code, stdout } = run(
    { 'a.boot.toml': GOOD, 'b.boot.toml': plan('b01b ee f4', 'console = "<"') },
    '--format',
    'junit',
  );
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="bootpath" tests="2" failures="1" /,
  );
  assert.match(
    stdout,
    /<failure type="boot-expectation-missed" message="Expected: the console has &quot;&lt;&quot;\. /,
  );
  // ESC is no character of XML.
  assert.ok(!stdout.includes('\x1b'));
});

test('bad usage and what cannot be read are exit code 2', () => {
  const plans = { 'a.boot.toml': GOOD };
  for (const [args, message] of [
    [['--shard', '3/2'], /--shard takes I\/N with I from 1 to N, for example 2\/8, not "3\/2"/],
    [['--jobs', '0'], /--jobs takes 1 at least/],
    [['nowhere'], /nowhere: there is no such file/],
    [['--format', 'svg'], /test prints text, json, junit, not "svg"/],
  ] as const) {
    const { code, stderr } = run(plans, ...args);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
  const none = run({ 'a.toml': '' });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /there is no boot plan \(\*\.boot\.toml\) in \./);
});

test('Ctrl-C ends it at once', { skip: process.platform === 'win32' }, async () => {
  const folder = join(cli.folder, 'endless');
  mkdirSync(folder, { recursive: true });
  for (const name of ['a', 'b', 'c', 'd'])
    cli.write(`endless/${name}.boot.toml`, plan(SPINS, 'console = "A"'));
  const child = spawn(process.execPath, [cli.program, 'test'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (data: Buffer) => (told += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await new Promise((resolve) => setTimeout(resolve, 700));
  const asked = performance.now();
  child.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.ok(performance.now() - asked < 3000);
  assert.match(told, /cancelled: 0 of 4 plans were run/);
});

test('simulate runs a plan once, by the same rules', () => {
  const file = cli.write('one.boot.toml', plan('0f0b', 'outcome = "triple-fault"'));
  assert.equal(cli.run(['simulate', file]).code, 0);
  const missed = cli.write('two.boot.toml', plan(HALTS, 'console = "B"'));
  const { code, stdout } = cli.run(['simulate', missed]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /two\.boot\.toml:22:11: error: Expected: the console has "B"\. But the text ends with "A"\.\s+\[boot-expectation-missed\]/,
  );
  const limited = cli.run(['simulate', missed, '--max-instructions', '2', '--format', 'json']);
  assert.equal((JSON.parse(limited.stdout) as { instructions: number }).instructions, 2);
  const firmware = cli.run(['simulate', missed, '--firmware', file]);
  assert.equal(firmware.code, 2);
  assert.match(
    firmware.stderr,
    /--firmware does not go with .*two\.boot\.toml: a boot plan says that itself/,
  );
  const outside = cli.write('three.boot.toml', GOOD.replace('at = 0x100000', 'at = 0x300000'));
  assert.match(
    cli.run(['simulate', outside]).stderr,
    /three\.boot\.toml:17: this load goes to \[0x300000, 0x300005\), which is not all memory/,
  );
});

test('a run of a plan can be saved and continued, with what it expects', () => {
  const file = cli.write(
    'saved.boot.toml',
    plan('b041 ee 40 ee 40 ee fa f4', 'console = ["AB", "C"]\nno-fault = true'),
  );
  const state = join(cli.folder, 'plan.state');
  assert.equal(cli.run(['simulate', file, '--save', state, '--save-at', '3']).code, 0);
  const whole = cli.run(['simulate', file, '--format', 'json']);
  assert.deepEqual(
    JSON.parse(cli.run(['simulate', state, '--format', 'json']).stdout),
    JSON.parse(whole.stdout),
  );
});

test('the boot plan of the README passes', () => {
  const [, text] = /```toml\n(vmm = [^`]*)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  assert.ok(text);
  assert.equal(only(text).passed, true, JSON.stringify(only(text)));
});

test('all boot plans of the examples pass', () => {
  const { code, stdout, stderr } = cli.run(['test', join(root, 'examples')]);
  assert.equal(code, 0, stdout + stderr);
});
