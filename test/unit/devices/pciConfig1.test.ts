import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { PciConfig1, pciFunction } from '../../../server/src/devices/pciConfig1';

function bus() {
  return new PciConfig1([
    pciFunction(0, 0, 0, {
      vendor: 0x0b5d,
      device: 0x0666,
      classCode: 0x060000,
      subsystemVendor: 0x0b5d,
      subsystem: 0,
    }),
  ]);
}

for (const [register, port, size, expected] of [
  [0x00, 0xcfc, 4, 0x06660b5d],
  [0x00, 0xcfc, 2, 0x0b5d],
  [0x00, 0xcfe, 2, 0x0666],
  [0x08, 0xcff, 1, 0x06],
  [0x2c, 0xcfc, 2, 0x0b5d],
  [0x10, 0xcfc, 4, 0],
] as const) {
  test(`register ${register.toString(16)} by ${size} bytes at port ${port.toString(16)}`, () => {
    const pci = bus();
    pci.writePort(0xcf8, 4, (0x80000000 | register) >>> 0);
    assert.equal(pci.readPort(port, size), expected);
  });
}

for (const [address, why] of [
  [0x80000800, 'no device there'],
  [0x80010000, 'no such bus'],
  [0x80000100, 'no such function'],
  [0x00000000, 'the enable bit is clear'],
] as const) {
  test(`address ${address.toString(16)} reads all ones: ${why}`, () => {
    const pci = bus();
    pci.writePort(0xcf8, 4, address);
    assert.equal(pci.readPort(0xcfc, 4), 0xffffffff);
    pci.writePort(0xcfc, 4, 0);
  });
}

test('only writable bits change, and a reset brings them back', () => {
  const pci = bus();
  pci.writePort(0xcf8, 4, 0x80000004);
  pci.writePort(0xcfc, 2, 0xffff);
  assert.equal(pci.readPort(0xcfc, 2), 0x0547);
  const saved = structuredClone(pci.save());
  pci.reset();
  pci.writePort(0xcf8, 4, 0x80000004);
  assert.equal(pci.readPort(0xcfc, 2), 0);
  pci.restore(saved);
  assert.equal(pci.readPort(0xcfc, 2), 0x0547);
});

test('a narrow write to 0xCF8 is not an address', () => {
  const pci = bus();
  pci.writePort(0xcf8, 4, 0x80000000);
  pci.writePort(0xcf8, 1, 0xff);
  assert.equal(pci.readPort(0xcf8, 4), 0x80000000);
});
