/** A run saved at any moment and continued from its file is the run that was never interrupted. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { createCore } from '../../../server/emulator/core';
import { symbolsFor } from '../../../server/src/machine/image/symbolFiles';
import type { Machine } from '../../../server/src/machine/machine';
import { crc32 } from '../../../server/src/simulation/crc32';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import type { SavedRun } from '../../../server/src/simulation/savedRun';
import {
  decodeRun,
  encodeRun,
  isSavedRun,
  STATE_FORMAT,
  type Compression,
} from '../../../server/src/simulation/savedRunFile';
import { simulate } from '../../../server/src/simulation/simulate';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { vmmModel } from '../../../server/src/vmm/models';
import { vmdMachine } from '../../unit/simulation/vmdMachine';

const TICKER = readFileSync(join(process.env.BOOTPATH_ROOT!, 'test/fixtures/state/ticker.bin'));
const WRITER = { program: '1.2.3', core: '0badcafe' };
const COMPRESSION: Compression = {
  deflate: (bytes) => deflateRawSync(bytes, { level: 1 }),
  inflate: (bytes, length) => {
    const inflated = inflateRawSync(bytes);
    return inflated.length === length ? inflated : null;
  },
};

interface Case {
  readonly machine: Machine;
  readonly asked: Partial<SimulationRequest>;
}

function go({ machine, asked }: Case, more: Partial<SimulationRequest> = {}) {
  const saved: SavedRun[] = [];
  const request: SimulationRequest = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 500_000_000,
    reboots: 0,
    ...asked,
    ...more,
  };
  const whole = simulate(machine, vmmModel(machine.vmm!)!, machine.version!, request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
    saved: (run) => saved.push(structuredClone(run)),
  });
  // What two runs may differ in: their own pace.
  const report: BootReport = { ...whole, milliseconds: 0, instructionsBefore: 0 };
  return { report, saved };
}

function fileOf(run: SavedRun): Uint8Array {
  return Uint8Array.from(Buffer.concat([...encodeRun(run, WRITER, COMPRESSION)]));
}

/** Through the file, with nothing else kept. */
function resumed(run: SavedRun, more: Partial<SimulationRequest> = {}) {
  const read = decodeRun(fileOf(run), WRITER, COMPRESSION);
  if ('problem' in read) throw new Error(read.problem);
  return go({ machine: read.machine, asked: { ...read.request, ...more, resume: read } });
}

const ticker = (vcpus: number, more: Partial<SimulationRequest> = {}): Case => ({
  machine: pcMachine({ name: 'ticker', memory: 16n << 20n, vcpus }),
  asked: {
    kernel: TICKER,
    boot: {
      protocol: null,
      commandLine: 'ticker',
      imageName: 'ticker',
      modules: [],
    },
    ...more,
  },
});

const vmd = (version: string, probe: string, more: Partial<SimulationRequest> = {}): Case => ({
  machine: vmdMachine(version),
  asked: { probe, ...more },
});

const CASES: readonly (readonly [title: string, run: Case, instructions: readonly number[]])[] = [
  [
    'a plain PC with two vCPUs and the 8254',
    ticker(2),
    [0, 1, 45, 999_999, 1_000_100, 3_000_001, 39_000_000],
  ],
  ['a plain PC that reboots', ticker(1, { reboots: 2 }), [60, 2_000, 5_000, 9_000]],
  ['a plain PC with a quantum of 7', ticker(2, { quantum: 7, maxInstructions: 3_000_000 }), [46, 1_000_003]],
  ['vmd with its first probe', vmd('7.8', 'boot-path'), [1, 5_000, 20_000]],
  ['vmd 1.27 with a local APIC', vmd('x86_vm-1.27', 'ap-start'), [20_000]],
  ['vmd 1.24, which reboots', vmd('x86_vm-1.24', 'reset-cf9', { reboots: 2 }), [10, 3_000]],
  ['vmd whose guest dies', vmd('7.8', 'reset-triple-fault'), [100]],
];

for (const [title, run, places] of CASES) {
  let uninterrupted: BootReport | null = null;
  for (const at of places) {
    test(`${title}, saved after ${at} instructions, gives the same report`, () => {
      uninterrupted ??= go(run).report;
      const { report, saved } = go(run, { save: { at } });
      assert.equal(saved.length, 1, `it ended after ${report.instructions} instructions`);
      assert.equal(saved[0]!.instructions, at);
      assert.deepEqual(report, uninterrupted, 'saving changes nothing');
      assert.deepEqual(resumed(saved[0]!).report, uninterrupted);
    });
  }
}

test('any instruction will do, and a resumed run can be saved again', () => {
  const run = ticker(2, { maxInstructions: 2_500_000 });
  const whole = go(run).report;
  fc.assert(
    fc.property(fc.nat(2_400_000), fc.nat(100_000), (first, more) => {
      const [one] = go(run, { save: { at: first } }).saved;
      const [two] = resumed(one!, { save: { at: first + more } }).saved;
      assert.equal(two!.instructions, first + more);
      assert.deepEqual(resumed(two!).report, whole);
    }),
    { numRuns: 12 },
  );
});

test('the end of a run is a state like any other: a larger budget goes on from there', () => {
  const run = ticker(2);
  const { report, saved } = go(
    { ...run, asked: { ...run.asked, maxInstructions: 2_345_678 } },
    { save: { at: null } },
  );
  assert.equal(report.outcome, 'budget');
  const whole = go(run).report;
  const rest = resumed(saved[0]!, { maxInstructions: 500_000_000 }).report;
  assert.deepEqual(rest, whole);
  assert.ok(rest.console.length > report.console.length);
});

test('a run that ended in a reset goes on with it where reboots are allowed: the images are in the file', () => {
  const run = ticker(1);
  const { report, saved } = go(run, { save: { at: null } });
  assert.equal(report.outcome, 'reset');
  assert.deepEqual(resumed(saved[0]!).report, report, 'without reboots it stays there');
  const more = resumed(saved[0]!, { reboots: 1 }).report;
  assert.deepEqual(more.console, report.console + report.console);
  assert.deepEqual(more, go(run, { reboots: 1 }).report);
});

test('a text that is waited for may come in two halves', () => {
  const run = ticker(1, { until: '0000\n00' });
  const whole = go(run).report;
  const at = whole.instructions - 5;
  const { saved } = go(run, { save: { at } });
  assert.deepEqual(resumed(saved[0]!).report, whole);
});

test('symbols are in the file, too', () => {
  const symbols = symbolsFor(
    null,
    'ticker.map',
    new TextEncoder().encode('00100000 T header\n001000d0 t idle\n00100300 B end\n'),
  );
  assert.ok(!('problem' in symbols), 'the list is right');
  const used = { ...symbols, loadedAsLinked: true };
  const run = ticker(1, { symbols: { used, notes: [] } });
  const whole = go(run, { save: { at: 100 } });
  assert.equal(whole.report.vcpus[0]!.symbol, 'idle+0x45');
  assert.deepEqual(resumed(whole.saved[0]!).report, whole.report);
});

test('the images are in the file once', () => {
  const firmware = new Uint8Array(1 << 20);
  for (let i = 0, x = 1; i < firmware.length; i++) firmware[i] = (x = Math.imul(x, 1103515245) + 12345) >> 16;
  firmware.set([0xfa, 0xf4], firmware.length - 16);
  const { saved } = go(
    { machine: pcMachine({ name: 'rom', memory: 16n << 20n, vcpus: 1 }), asked: { firmware } },
    { save: { at: null } },
  );
  // Once as an image, once as the ROM in guest memory (and its last 128 KiB below 1 MiB).
  const { length } = fileOf(saved[0]!);
  assert.ok(length > firmware.length && length < 2.5 * firmware.length, String(length));
});

const STATE = fileOf(go(ticker(1), { save: { at: 100 } }).saved[0]!);

for (const [title, patch, message] of [
  [
    'another kind of file',
    () => new TextEncoder().encode('vm "a" {}'),
    /does not begin with "bootpath state"/,
  ],
  [
    'a file that was cut in its fixed header',
    (file) => file.slice(0, 20),
    /truncated: it has 20 bytes, its fixed header alone 28/,
  ],
  [
    'a file that was cut in its header',
    (file) => file.slice(0, 40),
    /truncated: its header ends at byte \d+, the file at 40/,
  ],
  [
    'a file that was cut in a chunk',
    (file) => file.slice(0, file.length - 3),
    /truncated: chunk \d of \d ends at byte \d+, the file at \d+/,
  ],
  [
    'a file without its last chunk header',
    (file) => file.slice(0, 28 + headerLength(file) + 5),
    /truncated: chunk 1 of \d/,
  ],
  [
    'a changed byte of the header',
    (file) => changed(file, 40),
    /corrupted: its header has the CRC-32 0x[0-9a-f]{8}, written was 0x[0-9a-f]{8}/,
  ],
  [
    'a changed byte of a chunk',
    (file) => changed(file, file.length - 100),
    /corrupted: chunk \d of \d has the CRC-32/,
  ],
  [
    'a header that is no JSON',
    (file) => withHeader(file, 'x'.repeat(headerLength(file))),
    /its header cannot be read: .*JSON/,
  ],
  [
    'a header that is no object',
    (file) => withHeader(file, 'null'.padEnd(headerLength(file))),
    /Bootpath undefined wrote it/,
  ],
  ['bytes behind the end', (file) => Buffer.concat([file, Buffer.of(1, 2)]), /2 bytes follow its last chunk/],
  [
    'a format to come',
    (file) => changed(file, 16, STATE_FORMAT + 1),
    /its format is 2, this Bootpath reads format 1: a newer Bootpath wrote it/,
  ],
] as const satisfies readonly (readonly [string, (file: Uint8Array) => Uint8Array, RegExp])[]) {
  test(`${title} is told as such`, () => {
    const read = decodeRun(patch(STATE), WRITER, COMPRESSION);
    assert.ok('problem' in read, 'it is refused');
    assert.match(read.problem, message);
  });
}

function headerLength(file: Uint8Array): number {
  return new DataView(file.buffer, file.byteOffset).getUint32(20, true);
}

function withHeader(file: Uint8Array, header: string): Uint8Array {
  const copy = file.slice();
  const bytes = new TextEncoder().encode(header);
  copy.set(bytes, 28);
  new DataView(copy.buffer).setUint32(24, crc32(bytes), true);
  return copy;
}

function changed(file: Uint8Array, at: number, value = file[at]! ^ 0x10): Uint8Array {
  const copy = file.slice();
  copy[at] = value;
  return copy;
}

test('a state of another version or build is told as such', () => {
  const read = (writer: typeof WRITER) => {
    const result = decodeRun(STATE, writer, COMPRESSION);
    return 'problem' in result ? result.problem : '';
  };
  assert.match(read({ ...WRITER, program: '1.3.0' }), /Bootpath 1\.2\.3 wrote it, and this is 1\.3\.0/);
  assert.match(read({ ...WRITER, core: 'ffffffff' }), /its core is 0badcafe, this one's ffffffff/);
  assert.equal(isSavedRun(STATE), true);
});

test('any byte may be changed: the file is refused', () => {
  fc.assert(
    fc.property(fc.nat(STATE.length - 1), fc.integer({ min: 1, max: 255 }), (at, value) => {
      const read = decodeRun(changed(STATE, at, STATE[at]! ^ value), WRITER, COMPRESSION);
      return 'problem' in read && read.problem.length > 0;
    }),
    { numRuns: 100 },
  );
});

test('a state whose parts have another form than those of this build ends in a sentence', () => {
  const run = ticker(1);
  const [saved] = go(run, { save: { at: 100 } }).saved;
  const { devices } = saved!.snapshot;
  const going = (more: Partial<SavedRun>) => () => go(run, { resume: { ...saved!, ...more } });
  const sentence = /The saved state cannot be restored, so another build of Bootpath wrote it: .+\./;
  const withDevices = (list: typeof devices) => ({ snapshot: { ...saved!.snapshot, devices: list } });
  assert.throws(going(withDevices(devices.map(({ name }) => ({ name, state: {} })))), sentence);
  assert.throws(going({ recorder: {} as SavedRun['recorder'] }), sentence);
  assert.throws(going(withDevices(devices.slice(1))), /is of another machine: its devices are/);
});
