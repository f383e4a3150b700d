/** Saving a run to a file and going on from it, on the command line. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { noteBytes, noteFile, number } from '../unit/image/noteFile';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';

const TICKER = join(process.env.BOOTPATH_ROOT!, 'test/fixtures/state/ticker.bin');
/** A kernel that jumps to itself, by PVH. */
const FOREVER = noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) }]), {
  code: Uint8Array.of(0xeb, 0xfe),
});
let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
});

after(() => cli.remove());

const run = (...args: readonly string[]) => cli.run(['simulate', ...args]);
const json = (...args: readonly string[]): Record<string, unknown> =>
  JSON.parse(run(...args, '--format', 'json').stdout) as Record<string, unknown>;

test('a run that is saved and continued tells the same as one that is not interrupted', () => {
  const state = join(cli.folder, 'middle.state');
  const whole = json(TICKER, '--cpus', '2', '--max-instructions', '5000000');
  const saving = run(
    TICKER,
    '--cpus',
    '2',
    '--max-instructions',
    '5000000',
    '--save',
    state,
    '--save-at',
    '2000000',
  );
  assert.match(saving.stderr, /middle\.state: the state after 2000000 instructions/);
  assert.equal(saving.code, 1, 'the budget is spent, as without saving');
  assert.deepEqual(json(state, '--max-instructions', '3000000'), whole);
});

test('without --save-at it is the end that is saved; the budget of the next run comes on top', () => {
  const state = join(cli.folder, 'end.state');
  run(TICKER, '--max-instructions', '100', '--save', state);
  const more = json(state, '--max-instructions', '50');
  assert.equal(more.outcome, 'budget');
  assert.equal(more.instructions, 150);
  const until = json(state, '--until', '00000000', '--format', 'json');
  assert.equal(until.outcome, 'expectation-met');
});

test('a machine of a config is saved with its VMM', () => {
  const config = cli.write('vm.conf', 'vm "a" {\n\tmemory 512M\n\tdisk "/a.img"\n}\n');
  const state = join(cli.folder, 'vmd.state');
  run(config, '--as', 'vmd@7.8', '--save', state, '--save-at', '5000');
  assert.match(run(state).stdout, /Simulated boot of "a" under vmd@7\.8/);
  assert.deepEqual(json(state), json(config, '--as', 'vmd@7.8'));
});

test('what the saved run was begun with cannot be changed, and wrong files are named with the reason', () => {
  const state = join(cli.folder, 'fixed.state');
  run(TICKER, '--save', state, '--save-at', '10', '--max-instructions', '20');
  for (const [args, message] of [
    [
      [state, '--cpus', '2'],
      /--cpus does not go with .*fixed\.state: a saved state goes on as its run was begun/,
    ],
    [[state, '--tap', '0x402'], /--tap does not go with/],
    [[TICKER, '--save-at', '5'], /--save-at goes with --save FILE/],
    [
      [cli.write('cut.state', readFileSync(state).subarray(0, 300))],
      /cut\.state: this saved state cannot be used: it is truncated/,
    ],
    [
      [TICKER, '--save', state, '--save-at', '30', '--max-instructions', '20'],
      /--save-at 30: the run ended after 20 instructions, and nothing was saved/,
    ],
    // Before the run, which may take minutes.
    [[TICKER, '--save', join(cli.folder, 'none/state')], /--save .*: there is no folder .*none$/m],
    [[TICKER, '--save', cli.folder], /--save .*: is a folder$/m],
  ] as const) {
    const { code, stderr } = run(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

test('Ctrl-C ends a run with exit code 130, though a text was awaited that did not come', async () => {
  const state = join(cli.folder, 'begun.state');
  const args = ['--max-instructions', String(Number.MAX_SAFE_INTEGER), '--until', 'never'];
  const child = cli.start([
    'simulate',
    cli.write('forever', FOREVER),
    ...args,
    '--save',
    state,
    '--save-at',
    '1000',
  ]);
  let out = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  // The state is there: the run goes on.
  const poll = setInterval(() => {
    if (!existsSync(state)) return;
    clearInterval(poll);
    child.kill('SIGINT');
  }, 20);
  const [code, signal] = await ended;
  assert.deepEqual([code, signal], [130, null]);
  assert.match(out, /Outcome: cancelled/);
});
