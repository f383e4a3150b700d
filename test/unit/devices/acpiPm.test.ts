import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { AcpiPm } from '../../../server/src/devices/acpiPm';
import { HandClock } from './clock';

function pm() {
  const clock = new HandClock();
  const seen = { powerOffs: 0 };
  const device = new AcpiPm(clock, {
    place: () => ({ event: 0xb000, control: 0xb008, timer: 0xb00c }),
    timerBits: 24,
    sci: null,
    s5: 5,
    enableMask: 0x4721,
    controlMask: 0x3c07,
    controlReset: 1,
    powerOff: () => seen.powerOffs++,
  });
  return { clock, device, seen };
}

test('the timer counts at 3.579545 MHz in 24 bits', () => {
  const { clock, device } = pm();
  clock.advance(1_000_000_000);
  assert.equal(device.readPort(0xb00c, 4), 3_579_545);
  clock.advance(4_000_000_000);
  assert.equal(device.readPort(0xb00c, 4), (5 * 3_579_545) & 0xffffff);
});

for (const [value, off] of [
  [0x3400, true],
  [0x2000, false],
  [0x1400, false],
  [0x3000, false],
] as const) {
  test(`PM1 control ${value.toString(16)} ${off ? 'turns the machine off' : 'does nothing'}`, () => {
    const { device, seen } = pm();
    device.writePort(0xb008, 2, value);
    assert.equal(seen.powerOffs, off ? 1 : 0);
  });
}

test('enable and control keep their writable bits, also byte by byte', () => {
  const { device } = pm();
  device.writePort(0xb002, 2, 0xffff);
  assert.equal(device.readPort(0xb002, 2), 0x4721);
  device.writePort(0xb003, 1, 0);
  assert.equal(device.readPort(0xb000, 4), 0x00210000);
  assert.equal(device.readPort(0xb008, 2), 1);
  const saved = structuredClone(device.save());
  device.reset();
  assert.equal(device.readPort(0xb002, 2), 0);
  device.restore(saved);
  assert.equal(device.readPort(0xb002, 2), 0x0021);
});

/** A machine pc: registers at 0x600, or wherever `place.base` says. */
function piix4(timerBits: 24 | 32 = 24) {
  const clock = new HandClock();
  const place: { base: number | null } = { base: 0x600 };
  const sci: boolean[] = [];
  const device = new AcpiPm(clock, {
    place: () =>
      place.base === null ? null : { event: place.base, control: place.base + 4, timer: place.base + 8 },
    timerBits,
    s5: 0,
    enableMask: 0x0521,
    controlMask: 0x3c03,
    controlReset: 1,
    sci: (level) => sci.push(level),
    powerOff: () => assert.fail('nobody turned the machine off'),
  });
  return { clock, device, place, sci };
}

const HALF_TURN = Math.ceil((2 ** 23 * 1e9) / 3_579_545);

test('the registers are where the chip set puts them, and nowhere while it switches them off', () => {
  const { device, place } = piix4();
  assert.deepEqual(device.ports, [
    { start: 0x600, end: 0x604 },
    { start: 0x604, end: 0x606 },
    { start: 0x608, end: 0x60c },
  ]);
  place.base = 0xb000;
  device.writePort(0xb002, 2, 0x0001);
  assert.equal(device.readPort(0xb002, 2), 1);
  place.base = null;
  assert.deepEqual(device.ports, []);
});

test('the timer status comes with each change of bit 23 and goes with a one', () => {
  const { clock, device, sci } = piix4();
  clock.advance(HALF_TURN - 1);
  assert.equal(device.readPort(0x600, 2), 0);
  clock.advance(1);
  assert.equal(device.readPort(0x608, 4), 0x800000);
  assert.equal(device.readPort(0x600, 2), 1);
  device.writePort(0x600, 2, 1);
  assert.equal(device.readPort(0x600, 2), 0);
  clock.advance(HALF_TURN);
  assert.equal(device.readPort(0x600, 2), 1);
  assert.ok(!sci.includes(true), 'it was not enabled');
});

test('an enabled timer status holds the SCI up until it is cleared', () => {
  const { clock, device, sci } = piix4();
  device.writePort(0x602, 2, 1);
  clock.advance(HALF_TURN);
  assert.equal(sci.at(-1), true);
  device.writePort(0x600, 2, 1);
  assert.equal(sci.at(-1), false);
  clock.advance(HALF_TURN);
  assert.equal(sci.at(-1), true);
  device.writePort(0x604, 2, 0);
  assert.equal(sci.at(-1), false, 'without SCI_EN there is none');
});

test('a timer of 32 bits goes on where 24 bits start again', () => {
  const { clock, device } = piix4(32);
  clock.advance(5_000_000_000);
  assert.equal(device.readPort(0x608, 4), 5 * 3_579_545);
});

test('SLP_EN reads as zero, and a sleep type other than S5’s does nothing', () => {
  const { device } = piix4();
  device.writePort(0x604, 2, 0x2401);
  assert.equal(device.readPort(0x604, 2), 0x0401);
});

test('a restored timer raises the SCI at its time', () => {
  const first = piix4();
  first.device.writePort(0x602, 2, 1);
  first.clock.advance(1000);
  const saved = structuredClone(first.device.save());
  const second = piix4();
  second.clock.advance(1000);
  second.device.restore(saved);
  assert.deepEqual([second.sci, second.clock.next], [[], first.clock.next]);
});
