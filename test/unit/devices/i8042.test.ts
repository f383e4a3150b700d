import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { I8042 } from '../../../server/src/devices/i8042';
import { HandClock } from './clock';

const WIRE = 10_000;

function controller(options: { mouse?: boolean; commandByte?: number } = {}) {
  const clock = new HandClock();
  const seen = { irq1: false, irq12: false, a20: [] as boolean[], resets: [] as number[] };
  const device = new I8042(
    clock,
    (level) => (seen.irq1 = level),
    (level) => (seen.irq12 = level),
    {
      mouse: options.mouse ?? false,
      commandByte: options.commandByte ?? 0,
      setA20: (on) => seen.a20.push(on),
      reset: (command) => seen.resets.push(command),
    },
  );
  const command = (byte: number, parameter?: number) => {
    device.writePort(0x64, 1, byte);
    if (parameter !== undefined) device.writePort(0x60, 1, parameter);
  };
  const data = (byte: number) => device.writePort(0x60, 1, byte);
  const status = () => device.readPort(0x64);
  /** Everything that comes until nothing comes any more. */
  const drain = () => {
    const bytes: number[] = [];
    for (;;) {
      if ((status() & 1) === 0) clock.advance(WIRE);
      // The prefix of a released key fills no buffer under translation.
      if ((status() & 1) === 0) clock.advance(WIRE);
      if ((status() & 1) === 0) return bytes;
      bytes.push(device.readPort(0x60));
    }
  };
  return { clock, device, seen, command, data, status, drain };
}

for (const [name, byte, expected] of [
  ['the self test passes', 0xaa, 0x55],
  ['the keyboard lines are good', 0xab, 0x00],
  ['the mouse lines are good', 0xa9, 0x00],
  ['the command byte reads back', 0x20, 0x65],
  ['the output port has reset and A20 high', 0xd0, 0xcf],
  ['the input port says that the keyboard is not locked', 0xc0, 0x80],
] as const) {
  test(`command ${byte.toString(16)}: ${name}`, () => {
    const { command, drain } = controller({ commandByte: 0x65 });
    command(byte);
    assert.deepEqual(drain(), [expected]);
  });
}

for (const [byte, before, after] of [
  [0xa7, 0x00, 0x20],
  [0xa8, 0x20, 0x00],
  [0xad, 0x00, 0x10],
  [0xae, 0x10, 0x00],
] as const) {
  test(`command ${byte.toString(16)} turns command byte ${before} into ${after}`, () => {
    const { command, drain } = controller({ commandByte: before });
    command(byte);
    command(0x20);
    assert.deepEqual(drain(), [after]);
  });
}

test('commands 60 to 7f write the controller’s RAM, 20 to 3f read it', () => {
  const { command, drain } = controller();
  command(0x7f, 0xa5);
  command(0x3f);
  command(0x60, 0x47);
  command(0x20);
  assert.deepEqual(drain(), [0xa5, 0x47]);
});

test('status: not inhibited, last write a command or data, system flag from the command byte and the self test', () => {
  const { command, data, status, drain } = controller();
  assert.equal(status(), 0x18);
  command(0xaa);
  assert.equal(status(), 0x1d);
  drain();
  command(0x60, 0x00);
  assert.equal(status(), 0x10);
  command(0x60, 0x04);
  assert.equal(status(), 0x14);
  data(0xee);
  assert.equal(status(), 0x14);
});

for (const [byte, resets] of [
  [0xfe, [0xfe]],
  [0xf0, [0xf0]],
  [0xff, []],
  [0xfd, []],
] as const) {
  test(`command ${byte.toString(16)} ${resets.length > 0 ? 'pulses the reset line' : 'leaves the reset line alone'}`, () => {
    const { command, seen } = controller();
    command(byte);
    assert.deepEqual(seen.resets, resets);
  });
}

test('command d1: bit 1 is the A20 gate, bit 0 low resets', () => {
  const { command, seen, drain } = controller();
  command(0xd1, 0xdd);
  command(0xd1, 0xdf);
  assert.deepEqual(seen.a20, [false, true]);
  command(0xd1, 0x02);
  assert.deepEqual(seen.resets, [0xd1]);
  command(0xd0);
  assert.deepEqual(drain(), [0x02]);
});

test('commands dd and df switch A20 alone', () => {
  const { command, seen } = controller();
  command(0xdd);
  command(0xdf);
  assert.deepEqual([seen.a20, seen.resets], [[false, true], []]);
});

for (const [name, byte, answer] of [
  ['echo', 0xee, [0xee]],
  ['read ID', 0xf2, [0xfa, 0xab, 0x83]],
  ['enable', 0xf4, [0xfa]],
  ['default disable', 0xf5, [0xfa]],
  ['set default', 0xf6, [0xfa]],
  ['reset', 0xff, [0xfa, 0xaa]],
  ['an unknown command', 0x05, [0xfe]],
] as const) {
  test(`keyboard: ${name}`, () => {
    const { data, drain } = controller();
    data(byte);
    assert.deepEqual(drain(), answer);
  });
}

for (const [name, bytes, answer] of [
  ['lamps', [0xed, 0x07], [0xfa, 0xfa]],
  ['typematic rate', [0xf3, 0x20], [0xfa, 0xfa]],
  ['which scan code set', [0xf0, 0x00], [0xfa, 0xfa, 0x02]],
  ['scan code set 1, then which', [0xf0, 0x01, 0xf0, 0x00], [0xfa, 0xfa, 0xfa, 0xfa, 0x01]],
  ['scan code set 3 is not there', [0xf0, 0x03], [0xfa, 0xfe]],
  ['a command in place of a parameter', [0xed, 0xee], [0xfa, 0xee]],
  ['resend', [0xee, 0xfe], [0xee, 0xee]],
] as const) {
  test(`keyboard: ${name}`, () => {
    const { data, drain } = controller();
    const answers = bytes.flatMap((byte) => {
      data(byte);
      return drain();
    });
    assert.deepEqual(answers, answer);
  });
}

const A_PRESSED_RELEASED = [0x1e, 0x9e];
const UP_PRESSED_RELEASED = [0xe0, 0x48, 0xe0, 0xc8];
for (const [name, commandByte, set, keys, expected] of [
  ['A in set 2', 0x00, 2, A_PRESSED_RELEASED, [0x1c, 0xf0, 0x1c]],
  ['A in set 2, translated', 0x40, 2, A_PRESSED_RELEASED, A_PRESSED_RELEASED],
  ['A in set 1', 0x00, 1, A_PRESSED_RELEASED, A_PRESSED_RELEASED],
  ['the up arrow in set 2', 0x00, 2, UP_PRESSED_RELEASED, [0xe0, 0x75, 0xe0, 0xf0, 0x75]],
  ['the up arrow, translated', 0x40, 2, UP_PRESSED_RELEASED, UP_PRESSED_RELEASED],
  ['F7 in set 2', 0x00, 2, [0x41], [0x83]],
  ['Pause, translated', 0x40, 2, [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5]],
] as const) {
  test(`typing ${name}`, () => {
    const { data, device, drain } = controller({ commandByte });
    data(0xf0);
    data(set);
    drain();
    device.type(keys);
    assert.deepEqual(drain(), expected);
  });
}

test('the ID is translated too: ab 41', () => {
  const { data, drain } = controller({ commandByte: 0x40 });
  data(0xf2);
  assert.deepEqual(drain(), [0xfa, 0xab, 0x41]);
});

test('a disabled interface holds the keys back; without scanning there are none', () => {
  const { command, data, device, drain } = controller({ commandByte: 0x10 });
  device.type([0x1e]);
  assert.deepEqual(drain(), []);
  command(0xae);
  assert.deepEqual(drain(), [0x1c]);
  data(0xf5);
  drain();
  device.type([0x1e]);
  assert.deepEqual(drain(), []);
});

test('sixteen bytes of keys wait, then one says that some were lost', () => {
  const { device, drain } = controller();
  device.type(new Array<number>(20).fill(0x1e));
  assert.deepEqual(drain(), [...new Array<number>(16).fill(0x1c), 0x00]);
});

test('IRQ 1 follows the output buffer while the command byte enables it, with an edge for each byte', () => {
  const { clock, command, device, seen } = controller({ commandByte: 0x01 });
  device.type([0x1e, 0x9e]);
  assert.equal(seen.irq1, false);
  clock.advance(WIRE);
  assert.equal(seen.irq1, true);
  device.readPort(0x60);
  assert.equal(seen.irq1, false);
  clock.advance(WIRE);
  assert.equal(seen.irq1, true);
  command(0x60, 0x00);
  assert.equal(seen.irq1, false);
});

test('commands d2 and d3 put a byte as if it came from the keyboard or the mouse', () => {
  const { command, device, seen, status } = controller({ commandByte: 0x03 });
  command(0xd2, 0x5a);
  assert.deepEqual(
    [status() & 0x21, seen.irq1, seen.irq12, device.readPort(0x60)],
    [0x01, true, false, 0x5a],
  );
  command(0xd3, 0xa5);
  assert.deepEqual(
    [status() & 0x21, seen.irq1, seen.irq12, device.readPort(0x60)],
    [0x21, false, true, 0xa5],
  );
});

test('without a mouse what is sent to it times out', () => {
  const { command, device, status } = controller();
  command(0xd4, 0xf2);
  assert.equal(status() & 0x61, 0x61);
  assert.equal(device.readPort(0x60), 0xfe);
  assert.equal(status() & 0x61, 0x00);
});

for (const [name, bytes, answer] of [
  ['reset', [0xff], [0xfa, 0xaa, 0x00]],
  ['read ID', [0xf2], [0xfa, 0x00]],
  [
    'status after resolution, rate and scaling',
    [0xe8, 3, 0xf3, 40, 0xe7, 0xe9],
    [0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0x10, 3, 40],
  ],
  ['a packet on demand', [0xeb], [0xfa, 0x08, 0, 0]],
  ['wrap mode echoes until it ends', [0xee, 0xf2, 0xec, 0xf2], [0xfa, 0xf2, 0xfa, 0xfa, 0x00]],
] as const) {
  test(`mouse: ${name}`, () => {
    const { command, drain } = controller({ mouse: true });
    const answers = bytes.flatMap((byte) => {
      command(0xd4, byte);
      return drain();
    });
    assert.deepEqual(answers, answer);
  });
}

test('a restored controller goes on: queue, prefix and the byte on the wire', () => {
  const first = controller({ commandByte: 0x41 });
  first.device.type([0x9e, 0x30]);
  first.clock.advance(WIRE);
  const saved = structuredClone(first.device.save());
  const second = controller();
  second.clock.advance(WIRE);
  second.device.restore(saved);
  assert.deepEqual(
    [first.drain(), second.drain()],
    [
      [0x9e, 0x30],
      [0x9e, 0x30],
    ],
  );
});

test('a guest that commands and never reads is answered up to a limit: the controller, the keyboard, the mouse', () => {
  const { command, data, drain } = controller({ mouse: true });
  for (let i = 0; i < 1000; i++) command(0xaa);
  assert.deepEqual(drain(), Array<number>(17).fill(0x55));
  for (let i = 0; i < 1000; i++) data(0xf2);
  assert.equal(drain().length, 255);
  for (let i = 0; i < 1000; i++) command(0xd4, 0xe9);
  assert.equal(drain().length, 256);
  data(0xee);
  assert.deepEqual(drain(), [0xee]);
});
