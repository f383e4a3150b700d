// How fast the core runs beside other emulators: `npm run bench:core`, `-- --format json` for scripts, `-- NAME…` for some
// workloads only. Each engine gets as many turns as fill SLICE; then all run in turn, ROUNDS times, and the best counts.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCore } from '../../esbuild.mjs';
import { bootSeabios, bundle, runRom } from './core/bootpath.mjs';
import { PEERS } from './core/peers.mjs';
import { assemble, withTurns } from './core/rom.mjs';
import { WORKLOADS } from './core/workloads.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const out = join(root, 'dist/bench');
const SLICE = 0.4;
const ROUNDS = 4;
const MAX_TURNS = 2 ** 32 - 1;

const args = process.argv.slice(2);
const json = args.includes('--format') && args.includes('json');
const wanted = args.filter((arg) => !['--format', 'json', '--'].includes(arg));
const skipped = [];

const three = (value) => Number(value.toPrecision(3));

/** An engine's image file with `turns`. */
function place(rom, turns, engine) {
  const path = join(out, `${engine.replace(/\W+/g, '-')}.rom`);
  writeFileSync(path, withTurns(rom, turns));
  return path;
}

/** How many turns fill a slice, found by growing steps. */
async function calibrate(run, turns) {
  for (let tries = 0; ; tries++) {
    const seconds = await run(turns);
    if (seconds > SLICE / 2 || tries === 4) return turns;
    turns = Math.min(MAX_TURNS, Math.ceil(turns * Math.min(50, SLICE / Math.max(seconds, 1e-3))));
  }
}

async function measure(workload, Lab, peers) {
  const rom = assemble(workload.rom, out);
  let perTurn = workload.per;
  const own = async (turns) => {
    const { seconds, instructions } = runRom(Lab, withTurns(rom, turns));
    perTurn = workload.per ?? instructions / turns / 1e6;
    return seconds;
  };
  const engines = [
    { name: 'Bootpath', run: own },
    ...peers
      .filter((peer) => peer.runs(workload.rom))
      .map((peer) => ({
        name: peer.name,
        run: (turns) => peer.run(workload.rom, place(rom, turns, peer.name)),
      })),
  ];
  const ready = [];
  for (const engine of engines) {
    try {
      ready.push({ ...engine, turns: await calibrate(engine.run, workload.turns), best: 0 });
    } catch (error) {
      skipped.push({ name: `${workload.name}: ${engine.name}`, reason: error.message });
      if (engine.name === 'Bootpath') return null;
    }
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const engine of ready)
      engine.best = Math.max(engine.best, (engine.turns * perTurn) / (await engine.run(engine.turns)));
  const [{ best }, ...others] = ready;
  return {
    name: workload.name,
    value: three(best),
    unit: workload.unit,
    peers: others.map((peer) => ({
      name: peer.name,
      value: three(peer.best),
      ratio: three(best / peer.best),
    })),
  };
}

async function measureSeabios() {
  const name = 'SeaBIOS under vmd to "No bootable device"';
  const { bootVmd } = await bundle(root, 'test/core/boot/bootVmd.ts', out);
  try {
    let best = 0;
    for (let round = 0; round < ROUNDS; round++) best = Math.max(best, bootSeabios(bootVmd));
    return { name, value: three(best), unit: 'MIPS', peers: [] };
  } catch (error) {
    skipped.push({ name, reason: error.message });
    return null;
  }
}

function print({ name, value, unit, peers }) {
  const beside = peers.map((peer) => `${peer.name} ${peer.value} (${peer.ratio} times)`).join(', ');
  console.log(`${name}: ${value} ${unit}${beside ? `; ${beside}` : ''}`);
}

buildCore();
mkdirSync(out, { recursive: true });
try {
  const { Lab } = await bundle(root, 'test/core/lab.ts', out);
  const peers = PEERS.filter((peer) => {
    const reason = peer.missing();
    if (reason !== null) skipped.push({ name: peer.name, reason });
    return reason === null;
  });
  const results = [];
  const chosen = (name) => wanted.length === 0 || wanted.includes(name);
  const add = (result) => {
    if (result === null) return;
    results.push(result);
    if (!json) print(result);
  };
  for (const workload of WORKLOADS) if (chosen(workload.rom)) add(await measure(workload, Lab, peers));
  if (chosen('seabios')) add(await measureSeabios());
  if (json) console.log(JSON.stringify({ results, skipped }));
  else for (const { name, reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
} finally {
  rmSync(out, { recursive: true, force: true });
}
