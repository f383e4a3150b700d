/** Propolis' PS/2 controller against hw/ps2/ctrl.rs. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Ps2Controller } from '../../../server/src/vmm/propolis/ps2Controller';

function controller() {
  const events: string[] = [];
  const line = (name: string) => (level: boolean) => {
    if (level) events.push(name);
  };
  const device = new Ps2Controller({
    keyboard: line('irq 1'),
    mouse: line('irq 12'),
    reset: () => events.push('reset'),
    panic: (what) => events.push(`panic: ${what}`),
  });
  return {
    device,
    events,
    command: (byte: number) => device.writePort(0x64, 1, byte),
    send: (byte: number) => device.writePort(0x60, 1, byte),
    read: () => device.readPort(0x60),
    status: () => device.readPort(0x64),
  };
}

test('at first it is unlocked and empty, and empty data reads as 0', () => {
  const { status, read } = controller();
  assert.equal(status(), 0x10);
  assert.equal(read(), 0);
});

/** Command, then what is read. */
const ANSWERS: readonly (readonly [number, number])[] = [
  [0x20, 0x00],
  [0xaa, 0x55],
  [0xab, 0x00],
  [0xa9, 0x00],
  [0xd0, 0x00],
  [0x21, 0x00],
];
for (const [byte, answer] of ANSWERS) {
  test(`command 0x${byte.toString(16)} answers 0x${answer.toString(16)}`, () => {
    const { command, status, read } = controller();
    command(byte);
    assert.equal(status(), 0x11);
    assert.equal(read(), answer);
    assert.equal(status(), 0x10);
  });
}

test('the configuration is kept without bits 3 and 7, its system flag shows in the status', () => {
  const { command, send, status, read } = controller();
  command(0x60);
  assert.equal(status(), 0x18);
  send(0xff);
  assert.equal(status(), 0x14);
  command(0x20);
  assert.equal(read(), 0x77);
});

test('the output port keeps neither bit 0 nor the bits of the buffers', () => {
  const { command, send, read, events } = controller();
  command(0xd1);
  send(0x00);
  assert.deepEqual(events, []);
  command(0xd1);
  send(0xff);
  command(0xd0);
  assert.equal(read(), 0xce);
});

test('of the pulse commands 0xfe alone resets', () => {
  const { command, events } = controller();
  for (let byte = 0xf0; byte <= 0xff; byte++) command(byte);
  assert.deepEqual(events, ['reset']);
});

test('a reset of the keyboard answers with acknowledgement and self-test, and pulses IRQ 1 where it may', () => {
  const { command, send, read, events } = controller();
  send(0xff);
  assert.deepEqual([read(), read(), read()], [0xfa, 0xaa, 0]);
  assert.deepEqual(events, []);
  command(0x60);
  send(0x01);
  send(0xf2);
  assert.deepEqual([read(), read(), read()], [0xfa, 0xab, 0x83]);
  // At the command, and while more is waiting after each of two reads.
  assert.deepEqual(events, ['irq 1', 'irq 1', 'irq 1']);
});

test('the mouse answers through command 0xd4 and shows in the status; parameters are not acknowledged', () => {
  const { command, send, read, status } = controller();
  const toMouse = (byte: number) => {
    command(0xd4);
    send(byte);
  };
  toMouse(0xff);
  assert.equal(status() & 0x21, 0x21);
  assert.deepEqual([read(), read(), read()], [0xfa, 0xaa, 0x00]);
  toMouse(0xf3);
  assert.equal(read(), 0xfa);
  toMouse(100);
  assert.equal(status() & 0x01, 0);
  toMouse(0xe9);
  assert.deepEqual([read(), read(), read(), read()], [0xfa, 0, 0, 100]);
});

test('memory beyond its 30 bytes panics Propolis, and so does nearly every write', () => {
  const { command, send, read, events } = controller();
  command(0x3e);
  assert.equal(read(), 0);
  command(0x3f);
  assert.equal(events.length, 1);
  command(0x61);
  send(0x61);
  command(0x21);
  assert.equal(read(), 0x61);
  command(0x61);
  send(0x00);
  assert.equal(events.length, 2);
});

test('a full buffer ends in 0xff', () => {
  const { command, send, read } = controller();
  for (let i = 0; i < 20; i++) {
    command(0xd2);
    send(i);
  }
  const bytes = Array.from({ length: 17 }, () => read());
  assert.deepEqual(bytes, [...Array(15).keys(), 0xff, 0]);
});

test('a saved controller goes on as it was', () => {
  const one = controller();
  one.send(0xff);
  one.command(0x60);
  const other = controller();
  other.device.restore(one.device.save());
  assert.equal(other.status(), one.status());
  assert.deepEqual(other.device.save(), one.device.save());
});
