/** A Linux kernel in fw_cfg, as QEMU's `-kernel` puts it there for a firmware. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SETUP } from '../../../server/src/machine/image/linuxImage';
import type { DirectBoot } from '../../../server/src/vmm/model';
import { firmwareKernel } from '../../../server/src/vmm/pc/firmwareKernel';
import { linuxFile } from '../image/linuxFile';

const MIB = 1n << 20n;
const boot = (more: Partial<DirectBoot> = {}): DirectBoot => ({
  protocol: null,
  imageName: 'bzImage',
  commandLine: 'console=ttyS0',
  modules: [],
  ...more,
});

function itemsOf(kernel: Uint8Array, more: Partial<DirectBoot> = {}) {
  const items = firmwareKernel(kernel, boot(more), 128n * MIB);
  assert.ok(!('problem' in items), 'the kernel is right');
  const bytes = (item: number) => items.get(item)!;
  const number = (item: number) => new DataView(bytes(item).slice().buffer).getUint32(0, true);
  return { bytes, number };
}

test('kernel, setup code and command line are split as the boot protocol has them', () => {
  const file = linuxFile();
  const { bytes, number } = itemsOf(file);
  const setupSize = (file[SETUP.setupSects]! + 1) * 512;
  assert.deepEqual([number(0x07), number(0x13), number(0x16)], [0x100000, 0x20000, 0x10000]);
  assert.equal(number(0x17), setupSize);
  assert.deepEqual(bytes(0x11), file.subarray(setupSize));
  assert.equal(number(0x08), file.length - setupSize);
  assert.equal(Buffer.from(bytes(0x15)).toString(), 'console=ttyS0\0');
  assert.equal(number(0x14), 14);
});

test('the setup header is filled in as a boot loader does it', () => {
  const modules = [
    { bytes: Uint8Array.of(1, 2, 3), commandLine: '' },
    { bytes: Uint8Array.of(4), commandLine: '' },
  ];
  const { bytes, number } = itemsOf(linuxFile(), { modules });
  const setup = new DataView(bytes(0x18).slice().buffer);
  assert.equal(setup.getUint8(SETUP.typeOfLoader), 0xb0);
  assert.equal(setup.getUint8(SETUP.loadflags) & 0x80, 0x80);
  assert.equal(setup.getUint16(SETUP.heapEndPtr, true), 0xfe00);
  assert.equal(setup.getUint32(SETUP.cmdLinePtr, true), 0x20000);
  assert.deepEqual([...bytes(0x12)], [1, 2, 3, 0, 4]);
  assert.deepEqual([number(0x0b), number(0x0a)], [5, 0x7fff000]);
  assert.equal(setup.getUint32(SETUP.ramdiskImage, true), 0x7fff000);
  assert.equal(setup.getUint32(SETUP.ramdiskSize, true), 5);
});

test('without an initrd its address and size are 0', () => {
  const { number, bytes } = itemsOf(linuxFile());
  assert.deepEqual([number(0x0a), number(0x0b), bytes(0x12).length], [0, 0, 0]);
});

for (const [name, kernel, more, message] of [
  ['what is no Linux kernel', new Uint8Array(1024), {}, /Linux kernels only: there is no "HdrS"/],
  [
    'an initrd that does not fit',
    linuxFile(),
    { modules: [{ bytes: new Uint8Array(Number(128n * MIB)), commandLine: '' }] },
    /the initrd has 0x8000000 bytes/,
  ],
] as const) {
  test(`${name} is refused in a sentence`, () => {
    const items = firmwareKernel(kernel, boot(more), 128n * MIB);
    assert.match('problem' in items ? items.problem : '', message);
  });
}
