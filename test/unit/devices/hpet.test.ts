import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Hpet, PC_HPET, type HpetShape } from '../../../server/src/devices/hpet';
import { HandClock } from './clock';

const BASE = 0xfed00000n;
const TICK = 10;
const T0 = 0x100;
const T1 = 0x120;
const ENABLE = 1;
const LEGACY = 2;
const LEVEL = 0x02;
const INTERRUPT = 0x04;
const PERIODIC = 0x08;
const SET_VALUE = 0x40;
const MODE_32 = 0x100;
const ROUTE_2 = 2 << 9;

/** What happened to the lines, as `input+` and `input-`. */
function hpet(shape: HpetShape = PC_HPET, routes = 0x4) {
  const clock = new HandClock();
  const events: string[] = [];
  const note = (name: string) => (level: boolean) => {
    events.push(`${name}${level ? '+' : '-'}`);
  };
  const device = new Hpet(clock, {
    base: BASE,
    shape,
    legacy: [note('irq0'), note('irq8')],
    routes,
    route: (input, level) => note(`in${input}`)(level),
    message: (address, data) => events.push(`${address.toString(16)}=${data.toString(16)}+`),
  });
  const read = (offset: number, size: 1 | 2 | 4 | 8 = 8) => device.readMmio(BASE + BigInt(offset), size);
  const write = (offset: number, value: number | bigint, size: 1 | 2 | 4 | 8 = 8) =>
    device.writeMmio(BASE + BigInt(offset), size, BigInt(value));
  const rises = () => events.filter((event) => event.endsWith('+'));
  return { clock, device, events, rises, read, write };
}

for (const [name, offset, size, expected] of [
  ['revision 1, three timers, 64 bits, legacy replacement, vendor 8086', 0x00, 4, 0x8086a201n],
  ['a period of 10 million femtoseconds', 0x04, 4, 10_000_000n],
  ['both at once', 0x00, 8, 0x009896808086a201n],
  ['timer 2 can be periodic and has 64 bits', 0x140, 4, 0x30n],
  ['timer 2 can be routed to input 2', 0x144, 4, 0x4n],
  ['there is no timer 3', 0x160, 8, 0n],
  ['a comparator is all ones at first', 0x108, 8, 0xffffffffffffffffn],
] as const) {
  test(`offset ${offset.toString(16)}, ${size} bytes: ${name}`, () =>
    assert.equal(hpet().read(offset, size), expected));
}

test('the counter runs at 100 MHz while it is enabled, halts with its value and can be written', () => {
  const { clock, read, write } = hpet();
  clock.advance(1000);
  assert.equal(read(0xf0), 0n);
  write(0x10, ENABLE);
  clock.advance(1009);
  assert.equal(read(0xf0), 100n);
  write(0x10, 0);
  clock.advance(1000);
  assert.equal(read(0xf0), 100n);
  write(0xf4, 1, 4);
  assert.equal(read(0xf0), 0x1_0000_0064n);
  assert.equal(read(0xf4, 4), 1n);
});

for (const [name, configuration, comparator, counter, at, again] of [
  ['64 bits', INTERRUPT, 500n, 0n, 500, null],
  ['64 bits, beyond 4 Gi', INTERRUPT, 0x1_0000_0010n, 0xffff_fff0n, 0x20, null],
  ['64 bits, already passed', INTERRUPT, 5n, 10n, null, null],
  ['32 bits, once in each turn of the counter', INTERRUPT | MODE_32, 5n, 10n, 0xffff_fffb, 0x1_0000_0000],
] as const) {
  test(`one-shot, ${name}: ${at === null ? 'no match in sight' : `matches after ${at} ticks`}`, () => {
    const { clock, rises, write } = hpet();
    write(0xf0, counter);
    write(T0, configuration | ROUTE_2);
    write(T0 + 8, comparator);
    write(0x10, ENABLE);
    if (at === null) return assert.equal(clock.next, null);
    clock.advance(at * TICK - 1);
    assert.deepEqual(rises(), []);
    clock.advance(1);
    assert.deepEqual(rises(), ['in2+']);
    assert.equal(clock.next, again === null ? null : (at + again) * TICK);
  });
}

test('a comparator that is written with the present count matches at once', () => {
  const { rises, write } = hpet();
  write(T0, INTERRUPT | ROUTE_2);
  write(0xf0, 7n);
  write(0x10, ENABLE);
  write(T0 + 8, 7n);
  assert.deepEqual(rises(), ['in2+']);
});

test('periodic: "set value" gives the first match and the period, and the comparator moves on', () => {
  const { clock, rises, read, write } = hpet();
  write(0x10, ENABLE);
  write(T0, INTERRUPT | PERIODIC | SET_VALUE | ROUTE_2, 4);
  write(T0 + 8, 100, 4);
  assert.equal(read(T0) & BigInt(SET_VALUE), 0n);
  clock.advance(350 * TICK);
  // The upper half of the comparator is still all ones: nothing matched.
  assert.equal(rises().length, 0);
  write(T0, INTERRUPT | PERIODIC | SET_VALUE | ROUTE_2, 4);
  write(T0 + 8, 400);
  write(T0 + 8, 100);
  clock.advance(50 * TICK);
  assert.equal(rises().length, 1);
  clock.advance(200 * TICK);
  assert.equal(rises().length, 3);
  assert.equal(read(T0 + 8), 700n);
});

test('periodic in 32 bits, as Linux programs it: two writes, the second one the period', () => {
  const { clock, rises, write } = hpet();
  write(0x10, ENABLE, 4);
  clock.advance(1000 * TICK);
  write(T0, INTERRUPT | PERIODIC | SET_VALUE | MODE_32 | ROUTE_2, 4);
  write(T0 + 8, 1250, 4);
  write(T0 + 8, 250, 4);
  clock.advance(1000 * TICK);
  assert.equal(rises().length, 4);
});

test('without an interrupt a periodic comparator moves on all the same', () => {
  const { clock, events, read, write } = hpet();
  write(0x10, ENABLE);
  write(T0, PERIODIC | SET_VALUE);
  write(T0 + 8, 100);
  clock.advance(1234 * TICK);
  assert.equal(read(T0 + 8), 1300n);
  assert.equal(clock.next, null);
  assert.ok(events.every((event) => event.endsWith('-')));
});

test('level mode: the line stays up until the status bit is cleared by a one', () => {
  const { clock, events, read, write } = hpet();
  write(0x10, ENABLE);
  write(T0, INTERRUPT | LEVEL | ROUTE_2);
  write(T0 + 8, 10);
  clock.advance(10 * TICK);
  assert.equal(events.at(-1), 'in2+');
  assert.equal(read(0x20), 1n);
  write(0x20, 2);
  assert.equal(read(0x20), 1n);
  write(0x20, 1);
  assert.equal(events.at(-1), 'in2-');
  assert.equal(read(0x20), 0n);
});

test('edge mode pulses the line and leaves the status alone', () => {
  const { clock, events, read, write } = hpet();
  write(0x10, ENABLE);
  write(T0, INTERRUPT | ROUTE_2);
  write(T0 + 8, 10);
  clock.advance(10 * TICK);
  assert.deepEqual(events.slice(-2), ['in2+', 'in2-']);
  assert.equal(read(0x20), 0n);
});

test('legacy replacement: timers 0 and 1 have IRQ 0 and 8, and the 8254 and the MC146818 are cut off', () => {
  const { clock, device, events, write } = hpet();
  const pit = device.legacyInput(0);
  const rtc = device.legacyInput(1);
  pit(true);
  assert.deepEqual(events, ['irq0+']);
  write(T0, INTERRUPT);
  write(T0 + 8, 10);
  write(T1, INTERRUPT);
  write(T1 + 8, 20);
  write(0x10, ENABLE | LEGACY);
  events.splice(0);
  pit(false);
  rtc(true);
  assert.equal(events.length, 0);
  clock.advance(20 * TICK);
  assert.deepEqual(events.splice(0), ['irq0+', 'irq0-', 'irq8+', 'irq8-']);
  write(0x10, ENABLE);
  assert.ok(events.includes('irq8+'), 'the clock’s interrupt is still asserted');
});

test('a route that is not offered does not read back', () => {
  const { read, write } = hpet();
  write(T0, 5 << 9);
  assert.equal(read(T0, 4) & 0x3e00n, 0n);
  write(T0, ROUTE_2);
  assert.equal(read(T0, 4) & 0x3e00n, BigInt(ROUTE_2));
});

test('halting takes the interrupts away; registers are not written by bytes', () => {
  const { clock, events, read, write } = hpet();
  write(0x10, ENABLE);
  write(T0, INTERRUPT | LEVEL | ROUTE_2);
  write(T0 + 8, 10);
  clock.advance(10 * TICK);
  write(0x10, 0);
  assert.equal(events.at(-1), 'in2-');
  write(0x10, 1, 1);
  assert.equal(read(0x10), 0n);
});

test('a restored timer goes on where it was', () => {
  const first = hpet();
  first.write(0x10, ENABLE);
  first.write(T0, INTERRUPT | PERIODIC | SET_VALUE | ROUTE_2);
  first.write(T0 + 8, 100);
  first.clock.advance(150 * TICK);
  const saved = structuredClone(first.device.save());
  const second = hpet();
  second.clock.advance(150 * TICK);
  second.device.restore(saved);
  assert.deepEqual(second.events, []);
  assert.equal(second.clock.next, first.clock.next);
  second.clock.advance(100 * TICK);
  assert.deepEqual([second.rises(), second.read(0xf0), second.read(T0 + 8)], [['in2+'], 250n, 300n]);
});

/** bhyve's: 2^24 Hz, eight timers of 32 bits, messages, no legacy replacement. */
const VHPET: HpetShape = { hertz: 2 ** 24, timers: 8, bits: 32, legacyReplacement: false, messages: true };

for (const [name, offset, expected] of [
  // 10^15 / 2^24 = 59604644.775 femtoseconds, cut off.
  ['capabilities: eight timers of 32 bits, period 59604644 fs', 0x00, 0x038d7ea480860701n],
  ['a timer can be periodic and send messages, and has inputs 24 to 31', 0x100, 0xff00000000008010n],
  ['timer 7 is there', 0x1e0, 0xff00000000008010n],
  ['timer 8 is not', 0x200, 0n],
  ['a comparator is all ones of 32 bits', 0x108, 0xffffffffn],
] as const) {
  test(`bhyve’s HPET, ${name}`, () => assert.equal(hpet(VHPET, 0xff000000).read(offset), expected));
}

test('bhyve’s HPET counts 2^24 a second, wraps at 32 bits and keeps legacy replacement off', () => {
  const { clock, read, write } = hpet(VHPET, 0xff000000);
  write(0x10, ENABLE | LEGACY);
  assert.equal(read(0x10), 1n);
  clock.advance(1_000_000_000);
  assert.equal(read(0xf0), 0x1000000n);
  write(0xf0, 0xffffffff);
  clock.advance(60);
  assert.equal(read(0xf0), 0n);
});

test('a timer with FSB enabled sends its message, and routes to an input above 23 without', () => {
  const { clock, rises, read, write } = hpet(VHPET, 0xff000000);
  write(0x110, 0xfee01000_00000041n);
  assert.equal(read(0x110), 0xfee01000_00000041n);
  write(T0, INTERRUPT | 0x4000);
  write(0x108, 100);
  write(T1, INTERRUPT | (24 << 9));
  write(0x128, 200);
  write(0x10, ENABLE);
  // 100 ticks are 5960.5 ns.
  clock.advance(5960);
  assert.deepEqual(rises(), []);
  clock.advance(1);
  assert.deepEqual(rises(), ['fee01000=41+']);
  clock.advance(6000);
  assert.deepEqual(rises(), ['fee01000=41+', 'in24+']);
});
