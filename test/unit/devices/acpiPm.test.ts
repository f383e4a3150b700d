import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { AcpiPm } from '../../../server/src/devices/acpiPm';
import { HandClock } from './clock';

function pm() {
  const clock = new HandClock();
  const seen = { powerOffs: 0 };
  const device = new AcpiPm(clock, {
    event: 0xb000,
    control: 0xb008,
    timer: 0xb00c,
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
