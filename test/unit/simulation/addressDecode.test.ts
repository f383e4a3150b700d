import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Device } from '../../../server/src/devices/device';
import { AddressDecode } from '../../../server/src/simulation/addressDecode';

const device = (name: string, parts: Pick<Device, 'ports' | 'mmio'>): Device => ({
  name,
  ...parts,
  reset: () => undefined,
  save: () => ({}),
  restore: () => undefined,
});

test('the first device of several at a port answers', () => {
  const first = device('first', { ports: [{ start: 0x60, end: 0x61 }] });
  const second = device('second', { ports: [{ start: 0x5f, end: 0x62 }] });
  const decode = new AddressDecode([first, second]);
  assert.deepEqual(
    [0x5e, 0x5f, 0x60, 0x61, 0x62].map((port) => decode.atPort(port)?.name ?? null),
    [null, 'second', 'first', 'second', null],
  );
});

test('ports that move are found anew', () => {
  const ports = [{ start: 0x600, end: 0x604 }];
  const decode = new AddressDecode([device('moving', { ports })]);
  ports[0] = { start: 0xb000, end: 0xb004 };
  decode.placePorts();
  assert.equal(decode.atPort(0x600), null);
  assert.equal(decode.atPort(0xb003)?.name, 'moving');
});

for (const [address, name] of [
  [0xfebfffff, null],
  [0xfec00000, 'ioapic'],
  [0xfec00fff, 'ioapic'],
  [0xfec01000, null],
  [0xfed003ff, 'hpet'],
  [2 ** 51, null],
] as const) {
  test(`address ${address.toString(16)}: ${name ?? 'nobody'}`, () => {
    const decode = new AddressDecode([
      device('hpet', { mmio: [{ start: 0xfed00000n, end: 0xfed00400n }] }),
      device('ioapic', { mmio: [{ start: 0xfec00000n, end: 0xfec01000n }] }),
    ]);
    assert.equal(decode.atAddress(address)?.name ?? null, name);
  });
}
