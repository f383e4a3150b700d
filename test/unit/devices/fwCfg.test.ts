import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { FwCfg } from '../../../server/src/devices/fwCfg';

const ascii = (text: string) => new TextEncoder().encode(text);

function device() {
  const memory = new Uint8Array(0x4000).fill(0xee);
  const inside = (at: bigint, length: number) => at + BigInt(length) <= BigInt(memory.length);
  const fwCfg = new FwCfg({
    items: new Map([
      [0, ascii('QEMU')],
      [1, Uint8Array.of(3, 0, 0, 0)],
    ]),
    files: [
      { name: 'etc/e820', bytes: ascii('abcdef') },
      { name: 'etc/screen-and-debug', bytes: new Uint8Array(4) },
    ],
    readMemory: (at, length) => (inside(at, length) ? memory.slice(Number(at), Number(at) + length) : null),
    writeMemory: (at, bytes) => {
      if (!inside(at, bytes.length)) return false;
      memory.set(bytes, Number(at));
      return true;
    },
  });
  const select = (selector: number) => fwCfg.writePort(0x510, 2, selector);
  const read = (count: number) => Array.from({ length: count }, () => fwCfg.readPort(0x511, 1));
  /** Runs a DMA access and gives the control word that comes back. */
  const dma = (control: number, length: number, address: number) => {
    const view = new DataView(memory.buffer);
    view.setUint32(0x100, control);
    view.setUint32(0x104, length);
    view.setBigUint64(0x108, BigInt(address));
    fwCfg.writePort(0x514, 4, 0);
    fwCfg.writePort(0x518, 4, 0x00010000);
    return view.getUint32(0x100);
  };
  return { fwCfg, memory, select, read, dma };
}

test('the signature reads byte by byte, then zeroes', () => {
  const { select, read } = device();
  select(0);
  assert.deepEqual(read(6), [...ascii('QEMU'), 0, 0]);
});

test('an unknown selector reads zeroes', () => {
  const { select, read } = device();
  select(0x77);
  assert.deepEqual(read(2), [0, 0]);
});

test('the directory is big endian and names each file with its selector', () => {
  const { select, read } = device();
  select(0x19);
  const bytes = Uint8Array.from(read(4 + 2 * 64));
  const view = new DataView(bytes.buffer);
  assert.equal(view.getUint32(0), 2);
  assert.deepEqual([view.getUint32(4), view.getUint16(8)], [6, 0x20]);
  assert.equal(new TextDecoder().decode(bytes.subarray(12, 20)), 'etc/e820');
  assert.deepEqual([view.getUint32(68), view.getUint16(72)], [4, 0x21]);
});

for (const [name, control, length, expected, answer] of [
  ['select and read', 0x0020000a, 3, 'abc', 0],
  ['reading behind the end fills with zeroes', 0x0020000a, 8, 'abcdef\0\0', 0],
  ['writing is refused', 0x00200018, 3, '', 1],
] as const) {
  test(`DMA: ${name}`, () => {
    const { dma, memory } = device();
    assert.equal(dma(control, length, 0x200), answer);
    assert.equal(new TextDecoder().decode(memory.subarray(0x200, 0x200 + expected.length)), expected);
  });
}

test('DMA: skip, then read on', () => {
  const { dma, memory } = device();
  dma(0x00200008 | 4, 2, 0);
  dma(2, 2, 0x300);
  assert.equal(new TextDecoder().decode(memory.subarray(0x300, 0x302)), 'cd');
});

test('DMA to where there is no memory reports an error, whatever the length', () => {
  const { dma } = device();
  assert.equal(dma(0x0020000a, 0xffffffff, 0x3f00), 1);
});

test('the DMA address register reads QEMU CFG', () => {
  const { fwCfg } = device();
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fwCfg.readPort(0x514, 4), true);
  view.setUint32(4, fwCfg.readPort(0x518, 4), true);
  assert.equal(new TextDecoder().decode(bytes), 'QEMU CFG');
});

test('a restored device reads on where it was', () => {
  const { fwCfg, select, read } = device();
  select(0x20);
  read(2);
  const saved = structuredClone(fwCfg.save());
  select(0);
  fwCfg.restore(saved);
  assert.deepEqual(read(2), [...ascii('cd')]);
});

test('a file that depends on registers is asked when it is first selected, and then keeps what it said', () => {
  let base = 1;
  let asked = 0;
  const make = () =>
    new FwCfg({
      items: new Map(),
      files: [
        {
          name: 'etc/acpi/tables',
          bytes: Uint8Array.of(0),
          whenSelected: () => {
            asked++;
            return Uint8Array.of(base);
          },
        },
      ],
      readMemory: () => null,
      writeMemory: () => false,
    });
  const first = make();
  base = 2;
  first.writePort(0x510, 2, 0x20);
  base = 3;
  first.writePort(0x510, 2, 0x20);
  const second = make();
  second.restore(structuredClone(first.save()));
  assert.deepEqual([first.readPort(0x511, 1), second.readPort(0x511, 1), asked], [2, 2, 1]);
});

test('the selector takes two bytes, and its write channel bit selects the same item', () => {
  const { fwCfg, select, read } = device();
  select(0x4020);
  assert.deepEqual(read(2), [...ascii('ab')]);
  fwCfg.writePort(0x510, 1, 0);
  assert.deepEqual(read(2), [...ascii('cd')]);
});

test('DMA: reading counts before writing, and writing nothing is no error', () => {
  const { dma, memory } = device();
  assert.equal(dma(0x0020001a, 3, 0x200), 0);
  assert.equal(new TextDecoder().decode(memory.subarray(0x200, 0x203)), 'abc');
  assert.equal(dma(0x00200018, 0, 0x200), 0);
});
