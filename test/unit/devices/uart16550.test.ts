import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Uart16550 } from '../../../server/src/devices/uart16550';

function uart(options: { fifo?: boolean; out2Gate?: boolean } = {}) {
  let sent = '';
  let level = false;
  const device = new Uart16550((up) => (level = up), {
    base: 0x3f8,
    fifo: options.fifo ?? true,
    out2Gate: options.out2Gate ?? false,
    transmit: (text) => (sent += text),
  });
  return {
    device,
    out: (register: number, value: number) => device.writePort(0x3f8 + register, 1, value),
    in: (register: number) => device.readPort(0x3f8 + register),
    get sent() {
      return sent;
    },
    get irq() {
      return level;
    },
  };
}

test('what is written leaves at once, and the line status says so', () => {
  const port = uart();
  for (const character of 'hi') port.out(0, character.charCodeAt(0));
  assert.deepEqual([port.sent, port.in(5)], ['hi', 0x60]);
});

test('DLAB turns the first two registers into the divisor', () => {
  const port = uart();
  port.out(3, 0x83);
  port.out(0, 0x34);
  port.out(1, 0x12);
  assert.deepEqual([port.in(0), port.in(1), port.sent], [0x34, 0x12, '']);
  port.out(3, 0x03);
  assert.deepEqual([port.in(1), port.in(3)], [0, 0x03]);
});

for (const [fifo, fcr, iir] of [
  [true, 0x00, 0x01],
  [true, 0x01, 0xc1],
  [false, 0x01, 0x01],
] as const) {
  test(`${fifo ? 'a 16550' : 'an 8250'} with FCR ${fcr} shows IIR ${iir.toString(16)}`, () => {
    const port = uart({ fifo });
    port.out(2, fcr);
    assert.equal(port.in(2), iir);
  });
}

test('the transmitter interrupt comes when it is enabled and after each byte, and reading IIR ends it', () => {
  const port = uart();
  port.out(1, 0x02);
  assert.equal(port.irq, true);
  assert.deepEqual([port.in(2), port.in(2), port.irq], [0x02, 0x01, false]);
  port.out(0, 65);
  assert.deepEqual([port.irq, port.in(2)], [true, 0x02]);
});

test('a received byte interrupts before the transmitter does', () => {
  const port = uart();
  port.out(1, 0x03);
  port.device.receive(0x41);
  assert.deepEqual([port.in(2), port.in(5) & 1, port.in(0), port.in(2)], [0x04, 1, 0x41, 0x02]);
});

test('without a FIFO a second byte overruns the first', () => {
  const port = uart({ fifo: false });
  port.device.receive(1);
  port.device.receive(2);
  assert.deepEqual([port.in(5), port.in(5), port.in(0)], [0x63, 0x61, 2]);
});

test('loopback gives back what is sent, and the modem lines cross over', () => {
  const port = uart();
  port.out(4, 0x10);
  port.out(0, 0x5a);
  assert.deepEqual([port.sent, port.in(0)], ['', 0x5a]);
  for (const [mcr, msr] of [
    [0x11, 0x20],
    [0x12, 0x10],
    [0x14, 0x40],
    [0x18, 0x80],
  ] as const) {
    port.out(4, mcr);
    assert.equal(port.in(6) & 0xf0, msr);
  }
});

test('outside loopback somebody is connected', () => assert.equal(uart().in(6) & 0xf0, 0xb0));

test('on a card OUT2 gates the interrupt', () => {
  const port = uart({ out2Gate: true });
  port.out(1, 0x02);
  assert.equal(port.irq, false);
  port.out(4, 0x08);
  assert.equal(port.irq, true);
});

test('a restored port has its registers and its interrupt', () => {
  const port = uart();
  port.out(7, 0x77);
  port.out(1, 0x02);
  const other = uart();
  other.device.restore(structuredClone(port.device.save()));
  assert.deepEqual([other.in(7), other.irq], [0x77, true]);
});

for (const [fcr, received, iir] of [
  [0x00, 1, 0x04],
  [0x01, 1, 0xc4],
  [0x41, 3, 0xcc],
  [0x41, 4, 0xc4],
  [0x81, 7, 0xcc],
  [0xc1, 13, 0xcc],
  [0xc1, 14, 0xc4],
] as const) {
  test(`FCR ${fcr.toString(16)} and ${received} characters: IIR ${iir.toString(16)}`, () => {
    const port = uart();
    port.out(1, 0x01);
    port.out(2, fcr);
    for (let i = 0; i < received; i++) port.device.receive(i);
    assert.deepEqual([port.irq, port.in(2)], [true, iir]);
  });
}

test('FCR without its enable bit programs nothing', () => {
  const port = uart();
  port.out(1, 0x01);
  port.out(2, 0xc1);
  port.out(2, 0x40);
  port.out(2, 0xc1);
  port.device.receive(1);
  assert.equal(port.in(2), 0xcc);
});
