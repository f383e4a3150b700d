/** The MP table against the tests of Firecracker's src/vmm/src/arch/x86_64/mptable.rs, and against what Linux checks. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { mpTable, mpTableSize, type MpTableOptions } from '../../../server/src/vmm/kvm/mpTable';

const OPTIONS: MpTableOptions = {
  at: 0x9fc00n,
  localApicIds: [0, 1, 2, 3],
  ioapicId: 5,
  interrupts: 24,
  oem: 'FC',
  product: '000000000000',
  entryCount: 32,
};

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

test('both checksums make their sums 0', () => {
  const bytes = mpTable(OPTIONS);
  assert.deepEqual([sum(bytes.subarray(0, 16)), sum(bytes.subarray(16))], [0, 0]);
});

test('the floating pointer points behind itself, and says 16 bytes and revision 1.4', () => {
  const bytes = mpTable(OPTIONS);
  const view = new DataView(bytes.buffer);
  assert.deepEqual(
    [text(bytes.subarray(0, 4)), view.getUint32(4, true), bytes[8], bytes[9]],
    ['_MP_', 0x9fc10, 1, 4],
  );
});

test('the header has signature, length, names, count and the local APIC', () => {
  const bytes = mpTable(OPTIONS).subarray(16);
  const view = new DataView(bytes.buffer, 16);
  assert.deepEqual(
    [
      text(bytes.subarray(0, 4)),
      view.getUint16(4, true),
      text(bytes.subarray(8, 28)),
      view.getUint16(34, true),
    ],
    ['PCMP', 44 + 4 * 20 + 28 * 8, 'FC      000000000000', 32],
  );
  assert.equal(view.getUint32(36, true), 0xfee00000);
});

test('a VM with n vCPUs and 24 interrupts takes 284 + 20 n bytes, as layout.rs says of Firecracker', () => {
  for (const vcpus of [1, 32]) {
    const ids = Array.from({ length: vcpus }, (_, id) => id);
    assert.equal(mpTableSize({ ...OPTIONS, localApicIds: ids }), 284 + 20 * vcpus);
  }
});

test('entries: processors, ISA bus, IOAPIC, one interrupt a line, ExtINT for CPU 0, NMI for all', () => {
  const bytes = mpTable({ ...OPTIONS, interrupts: 2 });
  const entries: string[] = [];
  for (let at = 60; at < bytes.length; at += bytes[at] === 0 ? 20 : 8) {
    const size = bytes[at] === 0 ? 12 : 8;
    entries.push(
      [...bytes.subarray(at, at + size)].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    );
  }
  assert.deepEqual(entries, [
    '000014030006000001020000',
    '000114010006000001020000',
    '000214010006000001020000',
    '000314010006000001020000',
    '0100495341202020',
    '020514010000c0fe',
    '0300000000000500',
    '0300000000010501',
    '0403000000000000',
    '040100000000ff01',
  ]);
});
