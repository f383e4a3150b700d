import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Mc146818 } from '../../../server/src/devices/mc146818';
import { HandClock } from './clock';

const SECOND = 1_000_000_000;

/** A clock that starts on 2026-11-20 23:59:58 UTC, a Friday. */
function rtc(options: { periodicOnly?: true } = {}) {
  const clock = new HandClock();
  const edges: number[] = [];
  const device = new Mc146818(clock, (level) => level && edges.push(clock.now()), {
    size: 0x60,
    beyond: 0x0d,
    memory: { 0x34: 0x12, 0x5b: 0x34 },
    century: 0x32,
    epoch: Date.UTC(2026, 10, 20, 23, 59, 58) / 1000,
    indexReads: false,
    ...options,
  });
  const read = (index: number) => {
    device.writePort(0x70, 1, index);
    return device.readPort(0x71);
  };
  const write = (index: number, value: number) => {
    device.writePort(0x70, 1, index);
    device.writePort(0x71, 1, value);
  };
  return { clock, device, edges, read, write };
}

for (const [index, name, expected] of [
  [0x00, 'seconds', 0x58],
  [0x02, 'minutes', 0x59],
  [0x04, 'hours', 0x23],
  [0x06, 'day of the week', 6],
  [0x07, 'day', 0x20],
  [0x08, 'month', 0x11],
  [0x09, 'year', 0x26],
  [0x32, 'century', 0x20],
  [0x0b, 'register B', 0x02],
  [0x0d, 'register D', 0x80],
  [0x34, 'memory byte', 0x12],
] as const) {
  test(`index ${index.toString(16)} reads the ${name} in BCD`, () =>
    assert.equal(rtc().read(index), expected));
}

test('time goes on with guest time, over midnight and the end of the month', () => {
  const { clock, read } = rtc();
  clock.advance(2 * SECOND + 10 * 86400 * SECOND);
  assert.deepEqual([0, 2, 4, 7, 8].map(read), [0, 0, 0, 0x01, 0x12]);
});

test('the guest can set the clock, and the index of the NMI mask is the same', () => {
  const { clock, read, write } = rtc();
  write(0x0b, 0x82);
  for (const [index, value] of [
    [0, 0x30],
    [2, 0x15],
    [4, 0x08],
  ] as const) {
    write(index, value);
  }
  clock.advance(5 * SECOND);
  write(0x0b, 0x02);
  clock.advance(SECOND);
  assert.deepEqual([0x80, 2, 4].map(read), [0x31, 0x15, 0x08]);
});

test('an index beyond the memory selects the register that the board says', () => {
  assert.equal(rtc().read(0x7f), 0x80);
});

test('the periodic interrupt comes at 1024 Hz for rate 6, once until register C is read', () => {
  const { clock, edges, read, write } = rtc();
  write(0x0a, 0x26);
  write(0x0b, 0x42);
  clock.advance(3_000_000);
  assert.deepEqual(edges, [976563]);
  assert.equal(read(0x0c), 0xc0);
  clock.advance(1_000_000);
  assert.equal(edges.length, 2);
});

test('register C shows an update without an interrupt, and reading clears it', () => {
  const { clock, read } = rtc();
  clock.advance(SECOND);
  assert.equal(read(0x0c), 0x10);
  assert.equal(read(0x0c), 0x00);
});

test('the alarm of every minute at second 0 interrupts two seconds on', () => {
  const { clock, edges, read, write } = rtc();
  write(0x01, 0x00);
  write(0x03, 0xff);
  write(0x05, 0xff);
  write(0x0b, 0x22);
  clock.advance(10 * SECOND);
  assert.deepEqual(edges, [2 * SECOND]);
  assert.equal(read(0x0c) & 0xa0, 0xa0);
});

test('update in progress is up shortly before each second', () => {
  const { clock, read } = rtc();
  clock.advance(SECOND - 244_001);
  assert.equal(read(0x0a) & 0x80, 0);
  clock.advance(1);
  assert.equal(read(0x0a) & 0x80, 0x80);
});

test('a restored clock keeps the time that the guest set, and its alarm', () => {
  const { clock, device, write, read } = rtc();
  write(0x0a, 0x26);
  write(0x0b, 0x42);
  write(0x04, 0x05);
  const saved = structuredClone(device.save());
  const next = clock.next;
  device.reset();
  assert.equal(clock.next, null);
  device.restore(saved);
  assert.deepEqual([clock.next, read(0x04)], [next, 0x05]);
});

test('an interrupt that is enabled while its flag is set comes at once, and goes with the enable bit', () => {
  const { clock, device, edges, read, write } = rtc();
  read(0x0c);
  clock.advance(SECOND);
  write(0x0b, 0x12);
  assert.deepEqual(edges, [SECOND]);
  write(0x0b, 0x02);
  assert.equal(read(0x0c), 0x10);
  assert.equal((device.save() as { interrupting: boolean }).interrupting, false);
});

test('setting the clock disables its update interrupt', () => {
  const { read, write } = rtc();
  write(0x0b, 0x92);
  assert.equal(read(0x0b), 0x82);
});

test('the index port is write-only', () => {
  const { device } = rtc();
  device.writePort(0x70, 1, 0x0d);
  assert.equal(device.readPort(0x70), 0xff);
});

// usr.sbin/vmd/mc146818.c rev 1.31: rtc_updateregs, rtc_fireper, vcpu_exit_mc146818.
test('as vmd has it: no update in progress, no alarm and no update interrupt, BCD whatever register B says', () => {
  const { clock, read, write, edges } = rtc({ periodicOnly: true });
  write(0x0a, 0x26);
  write(0x0b, 0x36);
  for (const index of [1, 3, 5]) write(index, 0xff);
  clock.advance(SECOND - 1000);
  assert.equal(read(0x0a), 0x26);
  clock.advance(SECOND + 1000);
  assert.deepEqual([0, 2, 4].map(read), [0, 0, 0]);
  assert.deepEqual([edges, read(0x0c)], [[], 0]);
});

test('as vmd has it: the periodic interrupt sets PF alone, and reading register C clears it', () => {
  const { clock, read, write, edges } = rtc({ periodicOnly: true });
  write(0x0a, 0x2f);
  write(0x0b, 0x42);
  clock.advance(SECOND / 2);
  assert.equal(edges.length, 1);
  assert.deepEqual([read(0x0c), read(0x0c)], [0x40, 0]);
});

test('as vmd has it: a time that the guest writes is gone with the next second', () => {
  const { clock, read, write } = rtc({ periodicOnly: true });
  write(0x0b, 0x82);
  write(0x02, 0x15);
  assert.equal(read(0x02), 0x15);
  clock.advance(SECOND);
  assert.deepEqual([0, 2].map(read), [0x59, 0x59]);
});
