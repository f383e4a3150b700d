import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { i440fxFunctions, powerManagementBase, programAsFirmware } from '../../../server/src/devices/i440fx';
import { PciConfig1 } from '../../../server/src/devices/pciConfig1';

function chipSet() {
  const functions = i440fxFunctions(0x1af4, 0x1100);
  let written = 0;
  const pci = new PciConfig1(Object.values(functions), () => written++);
  const select = (device: number, fn: number, offset: number) =>
    pci.writePort(0xcf8, 4, 0x80000000 + (device << 11) + (fn << 8) + (offset & 0xfc));
  const read = (device: number, fn: number, offset: number, size: 1 | 2 | 4 = 1) => {
    select(device, fn, offset);
    return pci.readPort(0xcfc + (offset & 3), size);
  };
  const write = (device: number, fn: number, offset: number, value: number, size: 1 | 2 | 4 = 1) => {
    select(device, fn, offset);
    pci.writePort(0xcfc + (offset & 3), size, value);
  };
  return { functions, pci, read, write, written: () => written };
}

for (const [name, device, fn, offset, size, expected] of [
  ['82441FX', 0, 0, 0x00, 4, 0x12378086],
  ['82441FX: a host bridge, revision 2', 0, 0, 0x08, 4, 0x06000002],
  ['82441FX: memory and bus master always on', 0, 0, 0x04, 4, 0x02800006],
  ['82441FX: QEMU’s subsystem', 0, 0, 0x2c, 4, 0x11001af4],
  ['82441FX: one function', 0, 0, 0x0e, 1, 0x00],
  ['82441FX: no shadow RAM yet', 0, 0, 0x59, 1, 0x00],
  ['82441FX: SMRAM at 0xA0000, closed', 0, 0, 0x72, 1, 0x02],
  ['PIIX3', 1, 0, 0x00, 4, 0x70008086],
  ['PIIX3: an ISA bridge', 1, 0, 0x08, 4, 0x06010000],
  ['PIIX3: several functions', 1, 0, 0x0e, 1, 0x80],
  ['PIIX3: I/O, memory and bus master always on', 1, 0, 0x04, 4, 0x02800007],
  ['PIIX3: nothing routed', 1, 0, 0x60, 4, 0x80808080],
  ['PIIX3: function 1 is not there', 1, 1, 0x00, 4, 0xffffffff],
  ['PIIX4 power management', 1, 3, 0x00, 4, 0x71138086],
  ['PIIX4 power management: an other bridge, revision 3', 1, 3, 0x08, 4, 0x06800003],
  ['PIIX4 power management: interrupt pin A', 1, 3, 0x3d, 1, 0x01],
  ['PIIX4 power management: no base, a port', 1, 3, 0x40, 4, 0x00000001],
  ['PIIX4 power management: SMM is set up', 1, 3, 0x58, 4, 0x02000000],
] as const) {
  test(`${name}: ${device}.${fn} offset ${offset.toString(16)}`, () =>
    assert.equal(chipSet().read(device, fn, offset, size), expected));
}

for (const [name, device, fn, offset, written, kept] of [
  ['PAM0 has the BIOS segment in its upper half', 0, 0, 0x59, 0xff, 0x30],
  ['PAM1 has two segments', 0, 0, 0x5a, 0xff, 0x33],
  ['PAM6 has two segments', 0, 0, 0x5f, 0xff, 0x33],
  ['SMRAM keeps its segment', 0, 0, 0x72, 0xff, 0x7a],
  ['a PIRQ route has its IRQ and the switch', 1, 0, 0x63, 0xff, 0x8f],
  ['the header type is read-only', 1, 0, 0x0e, 0x00, 0x80],
  ['the low bits of the base are fixed', 1, 3, 0x40, 0xff, 0xc1],
  ['the switch of the power management ports', 1, 3, 0x80, 0xff, 0x01],
  ['the interrupt pin is read-only', 1, 3, 0x3d, 0xff, 0x01],
] as const) {
  test(`${name}: ${written.toString(16)} written gives ${kept.toString(16)}`, () => {
    const { read, write } = chipSet();
    write(device, fn, offset, written);
    assert.equal(read(device, fn, offset), kept);
  });
}

test('the power management ports are where base and switch say', () => {
  const { functions, write, written } = chipSet();
  const base = () => powerManagementBase(functions.powerManagement);
  assert.equal(base(), null);
  write(1, 3, 0x40, 0xb001, 4);
  assert.equal(base(), null);
  write(1, 3, 0x80, 0x01);
  assert.equal(base(), 0xb000);
  assert.equal(written(), 2);
  write(1, 3, 0x80, 0x01);
  assert.equal(written(), 2, 'nothing has changed');
});

test('as a firmware leaves it: shadow RAM open, IRQs 10 and 11, ports at 0x600', () => {
  const { functions, read } = chipSet();
  programAsFirmware(functions, 0x600);
  assert.deepEqual(
    [0x59, 0x5a, 0x5f].map((offset) => read(0, 0, offset)),
    [0x30, 0x33, 0x33],
  );
  assert.equal(read(1, 0, 0x60, 4), 0x0b0b0a0a);
  assert.equal(read(1, 3, 0x40, 4), 0x601);
  assert.equal(powerManagementBase(functions.powerManagement), 0x600);
});
