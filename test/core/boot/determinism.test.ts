/**
 * Two runs of the same input are the same to the last instruction, and a run that goes on from a snapshot, elsewhere, is the
 * run that was never interrupted: registers, memory, what is cached, devices, alarms, console, exits, timeline.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { restoreMachine, saveMachine } from '../../../server/src/simulation/snapshot';
import { missingTools } from '../oracle/tools';
import { BusyMachine, Log, type Busy } from './busyMachine';

const RUNS = Number(process.env['BOOTPATH_SNAPSHOT_RUNS'] ?? 12);
const skip = { skip: missingTools('nasm') };

interface Result {
  readonly ending: unknown;
  readonly log: Record<string, unknown>;
  readonly state: Record<string, unknown>;
}
function result(machine: BusyMachine): Result {
  const ending = machine.go();
  return { ending, log: machine.log.all(), state: machine.state() };
}
const finished = new Map<string, Result>();
/** The run that nothing interrupts. */
function whole(options: Busy): Result {
  const key = JSON.stringify(options);
  let found = finished.get(key);
  if (!found) finished.set(key, (found = result(new BusyMachine(options))));
  return found;
}

/** What the guest is there for: else the tests of it would show nothing. */
const PARTS: readonly (readonly [string, RegExp])[] = [
  ['the 8254 through the 8259 pair', /"vector":32,"source":"pic"/],
  ['the 16550, level-triggered', /"vector":52,"source":"apic"/],
  ['the MC146818', /"vector":56,"source":"apic"/],
  ['8254 and HPET through the I/O APIC', /"vector":57,"source":"apic"/],
  ['a level that stays up', /"vector":58,"source":"apic"/],
  ['local APIC timers', /"vector":80,"source":"apic"/],
  ['fixed IPIs', /"vector":96,"source":"apic"/],
  ['TSC deadlines', /"event":"msr-write".*"index":1760/],
  ['single steps', /"event":"exception".*"vector":1,/],
  ['page faults', /"event":"exception".*"vector":14,/],
  ['HLT', /"event":"halt"/],
];
const PARTS_OF_SEVERAL: typeof PARTS = [
  ['NMIs', /"source":"nmi"/],
  ['INIT', /"event":"init"/],
  ['start-up IPIs', /"event":"sipi"/],
  ['IPIs by shorthand', /"vector":97,"source":"apic"/],
];

for (const [vcpus, rounds] of [
  [1, 400],
  [2, 400],
  [4, 400],
  [8, 100],
  [32, 10],
] as const)
  test(
    `the guest of these tests, with ${vcpus} vCPUs: everything in it happens, and every vCPU works`,
    skip,
    () => {
      const { ending, log } = whole({ vcpus, rounds });
      assert.match(JSON.stringify(ending), /exit status 1/);
      const events = log['events'] as string[];
      for (const [name, pattern] of [...PARTS, ...(vcpus > 1 ? PARTS_OF_SEVERAL : [])])
        if (vcpus <= 4 || name !== 'the MC146818')
          assert.ok(
            events.some((event) => pattern.test(event)),
            name,
          );
      for (let vcpu = 0; vcpu < vcpus; vcpu++)
        assert.ok(
          events.some((event) => event.includes(`"vcpu":${vcpu},"vector":6,`)),
          `vCPU ${vcpu}`,
        );
    },
  );

for (const options of [
  { vcpus: 1 },
  { vcpus: 2 },
  { vcpus: 4 },
  { vcpus: 32, rounds: 10 },
  { vcpus: 4, quantum: 1 },
  { vcpus: 4, quantum: 7 },
  { vcpus: 4, quantum: 1_000_000 },
] as const)
  test(`two runs are the same: ${JSON.stringify(options)}`, skip, () =>
    assert.deepEqual(result(new BusyMachine(options)), whole(options)),
  );

for (const options of [
  { vcpus: 1, rounds: 300 },
  { vcpus: 2, rounds: 200 },
  { vcpus: 4, rounds: 100 },
  { vcpus: 4, quantum: 7 },
  { vcpus: 32, rounds: 10 },
] as const)
  test(
    `saved at any instruction, it goes on the same here and elsewhere: ${JSON.stringify(options)}`,
    skip,
    () => {
      const expected = whole(options);
      const last = Number(expected.state['instructions']);
      fc.assert(
        fc.property(fc.integer({ min: 0, max: last - 1 }), (at) => {
          const first = new BusyMachine(options);
          first.go(at);
          const snapshot = structuredClone(saveMachine(first.powered));
          const console = first.log.recorder.console.text;
          const events = first.log.events.length;
          assert.deepEqual(result(first), expected, `going on after a snapshot at ${at}`);
          const second = new BusyMachine(options);
          assert.equal(restoreMachine(second.powered, snapshot), true);
          const { ending, log, state } = result(second);
          assert.deepEqual(
            { ending, state },
            { ending: expected.ending, state: expected.state },
            `from ${at}`,
          );
          assert.equal(console + String(log['console']), expected.log['console']);
          assert.deepEqual(log['events'], (expected.log['events'] as string[]).slice(events));
        }),
        { numRuns: RUNS, seed: 7, examples: [[0], [1], [last - 1]] },
      );
    },
  );

/** A small generator of hops, so that no state of the guest is left out: shadows, REP, INIT-SIPI-SIPI, what is pending. */
function* hops(most: number): Generator<number> {
  for (let seed = 99; ;) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    yield 1 + ((seed >>> 8) % most);
  }
}
for (const options of [
  { vcpus: 1, rounds: 60, most: 40 },
  { vcpus: 2, rounds: 60, most: 40 },
  { vcpus: 4, rounds: 30, most: 40 },
  { vcpus: 2, rounds: 9, most: 1 },
] as const)
  test(
    `carried from machine to machine every ${options.most === 1 ? 'instruction' : 'few instructions'}: ${JSON.stringify(options)}`,
    skip,
    () => {
      const { most, ...busy } = options;
      const log = new Log();
      const machines = [new BusyMachine(busy, log), new BusyMachine(busy, log)] as const;
      let at = 0;
      let turn = 0;
      for (const hop of hops(most)) {
        const here = machines[turn & 1]!;
        at += hop;
        const ending = here.go(at);
        if (ending.kind !== 'budget') {
          assert.deepEqual({ ending, log: log.all(), state: here.state() }, whole(busy));
          break;
        }
        turn++;
        assert.equal(restoreMachine(machines[turn & 1]!.powered, saveMachine(here.powered)), true);
      }
      assert.ok(turn > 500, `${turn} times`);
    },
  );
