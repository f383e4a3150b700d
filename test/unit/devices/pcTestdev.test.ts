/** hw/misc/pc-testdev.c of QEMU. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { PcTestdev } from '../../../server/src/devices/pcTestdev';

test('the latch is read in bytes, words and double words, at both its places', () => {
  const device = new PcTestdev(() => undefined);
  device.writePort(0xe0, 4, 0x89abcdef);
  device.writePort(0xe9, 1, 0x12);
  assert.equal(device.readPort(0xe0, 4) >>> 0, 0x89ab12ef);
  assert.deepEqual([device.readPort(0xe2, 2), device.readPort(0xeb, 1)], [0x89ab, 0x89]);
});

test('a port from 0x2000 on is the level of an interrupt line', () => {
  const lines: [number, boolean][] = [];
  const device = new PcTestdev((line, level) => lines.push([line, level]));
  device.writePort(0x2005, 1, 1);
  device.writePort(0x2017, 1, 0);
  assert.deepEqual(lines, [
    [5, true],
    [23, false],
  ]);
});

test('its memory keeps what is written, and a saved state', () => {
  const device = new PcTestdev(() => undefined);
  device.writeMmio(0xff000010n, 8, 0x1122334455667788n);
  const saved = device.save();
  device.reset();
  assert.equal(device.readMmio(0xff000014n, 4), 0n);
  device.restore(saved);
  assert.equal(device.readMmio(0xff000014n, 4), 0x11223344n);
});
