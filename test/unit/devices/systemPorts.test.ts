/** The one-register devices of a PC: ports 0x61, 0x92, 0xCF9, and the debug ports 0xF4 and 0x402. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { DebugExit } from '../../../server/src/devices/debugExit';
import { DebugPort } from '../../../server/src/devices/debugPort402';
import { I8254 } from '../../../server/src/devices/i8254';
import { ResetControlCf9 } from '../../../server/src/devices/resetControlCf9';
import { SystemPort61 } from '../../../server/src/devices/systemPort61';
import { SystemPort92 } from '../../../server/src/devices/systemPort92';
import { HandClock } from './clock';

for (const [name, writes, resets, reads] of [
  ['bit 1 alone says only how', [0x02], [], 0x02],
  ['bit 2 resets, softly', [0x04], ['soft'], 0x00],
  ['bits 1 and 2 reset, hard', [0x06], ['hard'], 0x02],
  ['first the kind, then the reset', [0x02, 0x06], ['hard'], 0x02],
  ['the further bits of later chip sets change nothing', [0x0e], ['hard'], 0x02],
] as const) {
  test(`0xcf9: ${name}`, () => {
    const seen: string[] = [];
    const device = new ResetControlCf9((hard) => seen.push(hard ? 'hard' : 'soft'));
    for (const value of writes) device.writePort(0xcf9, 1, value);
    assert.deepEqual([seen, device.readPort()], [resets, reads]);
  });
}

for (const [name, writes, a20, resets] of [
  ['bit 1 is the A20 gate', [0x00, 0x02], [false, true], 0],
  ['a rising bit 0 resets, once', [0x03, 0x03], [true, true], 1],
  ['a falling bit 0 does nothing', [0x03, 0x02], [true, true], 1],
] as const) {
  test(`0x92: ${name}`, () => {
    const gates: boolean[] = [];
    let count = 0;
    const device = new SystemPort92({ setA20: (on) => gates.push(on), reset: () => count++ });
    assert.equal(device.readPort(), 0x02);
    for (const value of writes) device.writePort(0x92, 1, value);
    assert.deepEqual([gates, count, device.readPort()], [a20, resets, writes.at(-1)]);
  });
}

test('0x61: four bits can be written, bit 4 toggles with the refresh, bit 5 is OUT of channel 2', () => {
  const clock = new HandClock();
  const timer = new I8254(clock, () => undefined, { restartsOnCount: false });
  const device = new SystemPort61(clock, timer, { writable: true });
  device.writePort(0x61, 1, 0xff);
  assert.equal(device.readPort() & 0xcf, 0x0f);
  assert.equal(timer.gate2, true);
  const first = device.readPort() & 0x10;
  clock.advance(15_085);
  assert.equal(device.readPort() & 0x10, first ^ 0x10);
  timer.writePort(0x43, 1, 0xb0);
  assert.equal(device.readPort() & 0x20, 0, 'mode 0 starts low');
});

for (const [value, status] of [
  [0, 1],
  [1, 3],
  [0x10, 0x21],
  [0xff, 0xff],
] as const) {
  test(`0xf4: ${value} ends with status ${status}`, () => {
    const seen: number[] = [];
    const device = new DebugExit(0xf4, (_, exitStatus) => seen.push(exitStatus));
    device.writePort(0xf4, 4, value);
    assert.deepEqual([seen, device.readPort()], [[status], 0]);
  });
}

test('0x402 takes characters and reads as e9', () => {
  let text = '';
  const device = new DebugPort(0x402, (written) => (text += written));
  for (const byte of [0x68, 0x69]) device.writePort(0x402, 1, byte);
  assert.deepEqual([text, device.readPort()], ['hi', 0xe9]);
});
