/**
 * The instruction specifications on our core and on the CPU of this machine (user mode) or, with
 * `npm run test:core -- --oracle NAME specs`, on another x86: qemu, bochs, kvm.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISAGREEMENTS } from './disagreements';
import { missingHost } from '../oracle/hostCpu';
import { oracleNamed } from '../oracle/oracles';
import { testProfile } from '../oracle/profile';
import { decodeResult, encodeCases } from '../oracle/stepper/records';
import { onCore, rulesKnowHost } from '../oracle/stepper/runners';
import { modeNamed, type Mode } from '../oracle/stepper/stage';
import { assemble, missingTools } from '../oracle/tools';
import { CHAPTERS } from './chapters';
import { prepare, type Prepared, type Row } from './spec';

/** Without a wish the CPU of this machine, where it can be asked and its quirks are known. */
const byItself = missingHost() || rulesKnowHost() ? undefined : 'host';
const oracle = oracleNamed(process.env['BOOTPATH_ORACLE'] ?? byItself);
const skip = missingTools('nasm');

const USER: Readonly<Record<number, string>> = {
  16: 'compatibility-16-user',
  32: 'compatibility-user',
  64: 'long-user',
};
const KERNEL: Readonly<Record<number, string>> = { 16: 'protected-16', 32: 'protected-32', 64: 'long' };

function modesOf(row: Row): readonly Mode[] {
  const { in: where = [16, 32, 64], cpl } = row[5] ?? {};
  return where.map((each) =>
    modeNamed(typeof each === 'number' ? ((cpl === 0 ? KERNEL : USER)[each] ?? '') : each),
  );
}

const ROWS = CHAPTERS.flatMap(({ title, rows }) =>
  rows.map((row) => ({ chapter: title, row, modes: modesOf(row) })),
);

/** The bytes of many rows in one code size, from one run of the assembler. */
function encodings(bits: number, rows: readonly Row[]): readonly Uint8Array[] {
  const lines = rows.map(([, assembly], i) => {
    const code = assembly
      .split(';')
      .map((line) => line.trim())
      .join('\n');
    return `row${i}:\n${code}\nend${i}:\nalign 64, db 0xcc`;
  });
  const lengths = rows.map((_, i) => `db end${i} - row${i}`);
  const image = assemble([`bits ${bits}`, 'org 0', ...lines, ...lengths].join('\n') + '\n');
  return rows.map((_, i) => image.slice(64 * i, 64 * i + (image[64 * rows.length + i] ?? 0)));
}

const known = (row: Row, mode: Mode) =>
  DISAGREEMENTS.find((each) => each.oracle === oracle?.name && each.matches(row, mode.name));

interface Outcome {
  readonly mode: Mode;
  readonly core: readonly string[];
  readonly oracle: readonly string[] | null;
}

/** Every row in every mode that it names: what is wrong on the core and on the oracle. */
async function runAll(): Promise<ReadonlyMap<Row, readonly Outcome[]>> {
  const outcomes = new Map<Row, Outcome[]>();
  const modes = new Set(ROWS.flatMap((each) => each.modes));
  const prepared = new Map<Mode, { row: Row; ready: Prepared }[]>();
  for (const bits of [16, 32, 64] as const) {
    const pairs = [...modes].flatMap((mode) =>
      mode.bits === bits
        ? ROWS.filter((each) => each.modes.includes(mode)).map(({ row }) => ({ mode, row }))
        : [],
    );
    const rows = [...new Set(pairs.map(({ row }) => row))];
    const codes = encodings(bits, rows);
    for (const { mode, row } of pairs) {
      const code = codes[rows.indexOf(row)] ?? new Uint8Array();
      const list = prepared.get(mode) ?? [];
      list.push({ row, ready: prepare(row, mode, code) });
      prepared.set(mode, list);
    }
  }
  const profile = testProfile({ vendor: oracle?.vendor ?? 'intel', with: ['POPCNT', 'MOVBE'] });
  for (const [mode, list] of prepared) {
    const core = await onCore(profile)(mode, encodeCases(list.map(({ ready }) => ready.case)));
    const asked =
      oracle?.runs(mode) === true ? list.filter(({ row }) => known(row, mode)?.fatal !== true) : [];
    const other =
      oracle && asked.length > 0
        ? await oracle.run(mode, encodeCases(asked.map(({ ready }) => ready.case)))
        : null;
    list.forEach((one, i) => {
      const { row, ready } = one;
      const entry = outcomes.get(row) ?? [];
      const there = asked.indexOf(one);
      entry.push({
        mode,
        core: ready.check(decodeResult(core, i)),
        oracle: other && there >= 0 ? ready.check(decodeResult(other, there)) : null,
      });
      outcomes.set(row, entry);
    });
  }
  return outcomes;
}

const skipped = skip || (oracle?.missing ?? false);
const running = skipped === false ? runAll() : Promise.resolve(new Map<Row, readonly Outcome[]>());

for (const { chapter, row, modes } of ROWS) {
  const [form, assembly, before, after] = row;
  const title = `${chapter}, ${form}: ${assembly}${before === '' ? '' : ` with ${before}`} gives ${after === '' ? 'no change' : after}`;
  test(`${title} (${modes.map(({ name }) => name).join(', ')})`, { skip: skipped }, async () => {
    const source = row[5]?.source ?? `SDM vol. 2, ${form.split(' ')[0] ?? ''}`;
    const outcomes = (await running).get(row) ?? [];
    assert.equal(outcomes.length, modes.length);
    const wrong: string[] = [];
    for (const { mode, core, oracle: other } of outcomes) {
      wrong.push(...core.map((what) => `the core in ${mode.name}: ${what}`));
      if (!other || !oracle) continue;
      const disagreement = known(row, mode);
      if (!disagreement) wrong.push(...other.map((what) => `${oracle.name} in ${mode.name}: ${what}`));
      else if (other.length === 0)
        wrong.push(`${oracle.name} in ${mode.name} agrees, unlike disagreements.ts: ${disagreement.because}`);
    }
    assert.deepEqual(wrong, [], source);
  });
}
