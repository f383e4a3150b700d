import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { I8254 } from '../../../server/src/devices/i8254';
import { Frequency } from '../../../server/src/devices/frequency';
import { SystemPort61 } from '../../../server/src/devices/systemPort61';
import { HandClock } from './clock';

const INPUT = new Frequency(1_193_182);

function timer() {
  const clock = new HandClock();
  const edges: { at: number; level: boolean }[] = [];
  const pit = new I8254(clock, (level) => edges.push({ at: clock.now(), level }), { restartsOnCount: false });
  const load = (channel: number, mode: number, count: number) => {
    pit.writePort(0x43, 1, (channel << 6) | 0x30 | (mode << 1));
    pit.writePort(0x40 + channel, 1, count & 0xff);
    pit.writePort(0x40 + channel, 1, count >> 8);
  };
  const readLatched = (channel: number) => {
    pit.writePort(0x43, 1, channel << 6);
    return pit.readPort(0x40 + channel) | (pit.readPort(0x40 + channel) << 8);
  };
  return { clock, pit, edges, load, readLatched };
}

for (const [ticks, ns] of [
  [0, 0],
  [1, 839],
  [1193, 999848],
  [1_193_182, 1_000_000_000],
  [65536 * 1_193_182, 65_536_000_000_000],
] as const) {
  test(`${ticks} clocks of 1.193182 MHz have passed first after ${ns} ns`, () => {
    assert.equal(INPUT.nanoseconds(ticks), ns);
    assert.equal(INPUT.ticks(ns), ticks);
    if (ns > 0) assert.equal(INPUT.ticks(ns - 1), ticks - 1);
  });
}

test('mode 0 raises OUT once, after the count', () => {
  const { clock, edges, load, pit } = timer();
  load(0, 0, 1193);
  assert.equal(pit.output(0), false);
  edges.length = 0;
  clock.advance(10_000_000);
  assert.deepEqual(edges, [{ at: INPUT.nanoseconds(1193), level: true }]);
  assert.equal(pit.output(0), true);
});

for (const mode of [2, 3, 6, 7]) {
  test(`mode ${mode} interrupts once a period`, () => {
    const { clock, edges, load } = timer();
    load(0, mode, 11932);
    edges.length = 0;
    clock.advance(35_000_000);
    const rising = edges.filter(({ level }) => level).map(({ at }) => at);
    assert.deepEqual(
      rising,
      [1, 2, 3].map((n) => INPUT.nanoseconds(n * 11932)),
    );
  });
}

test('a count of 0 is 65536, about 54.9 ms', () => {
  const { clock, load } = timer();
  load(0, 2, 0);
  assert.equal(clock.next, INPUT.nanoseconds(65536));
});

for (const [mode, count, clocks, expected] of [
  [0, 1000, 0, 1000],
  [0, 1000, 400, 600],
  [0, 1000, 1001, 0xffff],
  [2, 1000, 400, 600],
  [2, 1000, 1400, 600],
  [3, 1000, 100, 800],
  [3, 1000, 600, 800],
  [4, 1000, 400, 600],
] as const) {
  test(`mode ${mode} with count ${count} reads ${expected} after ${clocks} clocks`, () => {
    const { clock, load, readLatched } = timer();
    load(0, mode, count);
    clock.advance(INPUT.nanoseconds(clocks));
    assert.equal(readLatched(0), expected);
  });
}

test('a latched count stands still until it is read', () => {
  const { clock, load, pit, readLatched } = timer();
  load(0, 2, 5000);
  clock.advance(INPUT.nanoseconds(100));
  pit.writePort(0x43, 1, 0x00);
  clock.advance(INPUT.nanoseconds(1000));
  assert.equal(pit.readPort(0x40) | (pit.readPort(0x40) << 8), 4900);
  assert.equal(readLatched(0), 3900);
});

test('the read-back command latches status, then count', () => {
  const { load, pit } = timer();
  load(0, 2, 0x1234);
  pit.writePort(0x43, 1, 0xc2);
  assert.equal(pit.readPort(0x40), 0x80 | 0x34);
  assert.equal(pit.readPort(0x40), 0x34);
  assert.equal(pit.readPort(0x40), 0x12);
});

test('low-byte access counts 256 at most, BCD counts in decimals', () => {
  const { clock, pit } = timer();
  pit.writePort(0x43, 1, 0x10 | (2 << 1));
  pit.writePort(0x40, 1, 200);
  assert.equal(clock.next, INPUT.nanoseconds(200));
  pit.writePort(0x43, 1, 0x30 | (2 << 1) | 1);
  pit.writePort(0x40, 1, 0x00);
  pit.writePort(0x40, 1, 0x10);
  clock.advance(INPUT.nanoseconds(1));
  pit.writePort(0x43, 1, 0);
  assert.equal(pit.readPort(0x40) | (pit.readPort(0x40) << 8), 0x0999);
});

test('channel 2 counts while port 0x61 bit 0 opens its gate, and bit 5 shows OUT', () => {
  const { clock, load, pit, readLatched } = timer();
  const port = new SystemPort61(clock, pit, { writable: true });
  load(2, 0, 1000);
  clock.advance(INPUT.nanoseconds(500));
  assert.equal(readLatched(2), 1000);
  port.writePort(0x61, 1, 1);
  clock.advance(INPUT.nanoseconds(999));
  assert.equal(port.readPort() & 0x21, 0x01);
  clock.advance(INPUT.nanoseconds(2));
  assert.equal(port.readPort() & 0x21, 0x21);
});

test('a board that ignores writes to port 0x61 leaves channel 2 running', () => {
  const { clock, load, pit } = timer();
  const port = new SystemPort61(clock, pit, { writable: false });
  load(2, 0, 1000);
  port.writePort(0x61, 1, 0);
  assert.equal(port.readPort(), 0);
  clock.advance(INPUT.nanoseconds(1001));
  assert.equal(port.readPort(), 0x20);
});

test('a restored timer interrupts at the same time', () => {
  const { clock, load, pit } = timer();
  load(0, 2, 2000);
  clock.advance(INPUT.nanoseconds(300));
  const saved = structuredClone(pit.save());
  const expected = clock.next;
  pit.reset();
  assert.equal(clock.next, null);
  pit.restore(saved);
  assert.equal(clock.next, expected);
});

/** Clocks to the start of the first nanosecond in which so many have passed. */
const after = (clocks: number) => INPUT.nanoseconds(clocks);

for (const mode of [2, 3]) {
  test(`a count that is written in mode ${mode} waits for the end of the period, and the status says so`, () => {
    const { clock, edges, load, pit } = timer();
    load(0, mode, 1000);
    clock.advance(after(400));
    pit.writePort(0x40, 1, 0xf4);
    pit.writePort(0x40, 1, 0x01);
    pit.writePort(0x43, 1, 0xe2);
    assert.equal(pit.readPort(0x40) & 0x40, 0x40, 'null count');
    edges.length = 0;
    clock.advance(after(3000) - after(400));
    const rising = edges.filter(({ level }) => level).map(({ at }) => at);
    assert.deepEqual(rising.slice(0, 3), [after(1000), after(1000) + after(500), after(1000) + after(1000)]);
    pit.writePort(0x43, 1, 0xe2);
    assert.equal(pit.readPort(0x40) & 0x40, 0);
  });
}

test('a VMM’s timer takes a new count at once', () => {
  const clock = new HandClock();
  const pit = new I8254(clock, () => undefined, { restartsOnCount: true });
  for (const byte of [0x34]) pit.writePort(0x43, 1, byte);
  for (const byte of [0xe8, 0x03]) pit.writePort(0x40, 1, byte);
  clock.advance(after(400));
  for (const byte of [0xf4, 0x01]) pit.writePort(0x40, 1, byte);
  assert.equal(clock.next, clock.now() + after(500));
});

test('mode 0: the first byte of a new count stops counting and lowers OUT', () => {
  const { clock, load, pit } = timer();
  load(0, 0, 100);
  clock.advance(after(200));
  assert.equal(pit.output(0), true);
  pit.writePort(0x40, 1, 50);
  assert.equal(pit.output(0), false);
  clock.advance(after(1000));
  assert.equal(pit.output(0), false);
  pit.writePort(0x40, 1, 0);
  clock.advance(after(50));
  assert.equal(pit.output(0), true);
});

test('mode 1: a rising GATE starts the one-shot anew, a falling one changes nothing, a new count waits for the trigger', () => {
  const { clock, load, pit } = timer();
  load(2, 1, 100);
  assert.equal(pit.output(2), true);
  pit.setGate2(true);
  assert.equal(pit.output(2), false);
  pit.setGate2(false);
  clock.advance(after(60));
  pit.setGate2(true);
  clock.advance(after(60));
  assert.equal(pit.output(2), false, 'it was triggered again');
  pit.writePort(0x42, 1, 10);
  pit.writePort(0x42, 1, 0);
  assert.equal(pit.output(2), false);
  clock.advance(after(41));
  assert.equal(pit.output(2), true);
  pit.setGate2(false);
  pit.setGate2(true);
  clock.advance(after(9));
  assert.equal(pit.output(2), false);
  clock.advance(after(2));
  assert.equal(pit.output(2), true);
});

for (const [mode, start] of [
  [4, 'by its count'],
  [5, 'by GATE'],
] as const) {
  test(`mode ${mode} is started ${start} and strobes for one clock`, () => {
    const { clock, load, pit } = timer();
    if (mode === 4) pit.setGate2(true);
    load(2, mode, 20);
    if (mode === 5) pit.setGate2(true);
    const levels = [];
    for (let clocks = 0; clocks < 23; clocks++) {
      levels.push(pit.output(2));
      clock.advance(after(clocks + 1) - after(clocks));
    }
    assert.deepEqual(
      levels.flatMap((level, index) => (level ? [] : [index])),
      [20],
    );
  });
}

for (const [count, expected] of [
  [6, [6, 4, 2, 6, 4, 2, 6]],
  [5, [4, 2, 0, 4, 2, 4, 2, 0, 4]],
] as const) {
  test(`mode 3 counts ${count} down by two, once for each half of the square wave`, () => {
    const { clock, load, readLatched } = timer();
    load(0, 3, count);
    const seen = expected.map((_, clocks) => {
      const value = readLatched(0);
      clock.advance(after(clocks + 1) - after(clocks));
      return value;
    });
    assert.deepEqual(seen, expected);
  });
}
