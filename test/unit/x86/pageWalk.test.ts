import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { mappedRanges, type PagingRegisters } from '../../../server/src/x86/pageWalk';

const LONG: PagingRegisters = { cr0: 0x80000001n, cr3: 0x1000n, cr4: 0x20n, efer: 0x500n };
const PAE: PagingRegisters = { ...LONG, efer: 0n };
const LEGACY: PagingRegisters = { cr0: 0x80000001n, cr3: 0x1000n, cr4: 0x10n, efer: 0n };

/** Guest memory of sparse entries: `[address, value]`. */
function memory(entries: readonly (readonly [bigint, bigint])[], entryBytes: 4 | 8 = 8) {
  return (address: bigint, length: number): Uint8Array | null => {
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    for (const [at, value] of entries) {
      if (at < address || at >= address + BigInt(length)) continue;
      if (entryBytes === 8) view.setBigUint64(Number(at - address), value, true);
      else view.setUint32(Number(at - address), Number(value), true);
    }
    return bytes;
  };
}

test('without paging nothing is mapped, and a table outside memory maps nothing', () => {
  assert.deepEqual(
    mappedRanges({ ...LONG, cr0: 1n }, () => new Uint8Array(4096)),
    [],
  );
  assert.deepEqual(
    mappedRanges(LONG, () => null),
    [],
  );
});

test('neighbouring pages in a row are one range; a right taken away by an upper entry is told with the entry', () => {
  const read = memory([
    [0x1000n, 0x2001n],
    [0x2000n, 0x3007n],
    [0x3000n, 0x87n],
    [0x3008n, 0x200087n],
  ]);
  assert.deepEqual(mappedRanges(LONG, read), [
    {
      linear: { start: 0n, end: 0x400000n },
      physical: 0n,
      pageSize: 0x200000n,
      writable: true,
      user: true,
      executable: true,
      readOnlyAbove: { level: 'PML4E', value: 0x2001n },
    },
  ]);
});

test('a leaf without RW is read-only by itself', () => {
  const read = memory([
    [0x1000n, 0x2003n],
    [0x2000n, 0x81n],
  ]);
  const [mapped] = mappedRanges(LONG, read);
  assert.deepEqual([mapped!.writable, mapped!.readOnlyAbove], [false, null]);
  assert.equal(mapped!.linear.end, 1n << 30n);
});

test('XD counts where EFER.NXE is on', () => {
  const read = memory([
    [0x1000n, 0x2003n],
    [0x2000n, (1n << 63n) | 0x83n],
  ]);
  assert.equal(mappedRanges(LONG, read)[0]!.executable, true);
  assert.equal(mappedRanges({ ...LONG, efer: 0xd00n }, read)[0]!.executable, false);
});

test('linear addresses of the upper half are sign-extended, and the last one ends at 2^64', () => {
  const read = memory([
    [0x1ff8n, 0x2003n],
    [0x2ff8n, 0x83n],
  ]);
  assert.deepEqual(mappedRanges(LONG, read)[0]!.linear, {
    start: 0xffffffffc0000000n,
    end: 1n << 64n,
  });
});

test('five levels, and a small page at the end of them', () => {
  const read = memory([
    [0x1000n, 0x2003n],
    [0x2000n, 0x3003n],
    [0x3000n, 0x4003n],
    [0x4000n, 0x5003n],
    [0x5008n, 0xabc003n],
  ]);
  const [mapped] = mappedRanges({ ...LONG, cr4: 0x1020n }, read);
  assert.deepEqual([mapped!.linear, mapped!.physical], [{ start: 0x1000n, end: 0x2000n }, 0xabc000n]);
});

test('PAE: four PDPTEs without rights of their own', () => {
  const read = memory([
    [0x1018n, 0x2001n],
    [0x2000n, 0x83n],
  ]);
  const [mapped] = mappedRanges(PAE, read);
  assert.deepEqual(
    [mapped!.linear.start, mapped!.writable, mapped!.readOnlyAbove],
    [0xc0000000n, true, null],
  );
});

test('32-bit paging: 4 MiB pages with PSE, PSE-36 bits among them, and a table where CR4.PSE is off', () => {
  const entries = [
    [0x1000n, 0x83n],
    [0x1004n, 0x2083n],
  ] as const;
  const large = mappedRanges(LEGACY, memory(entries, 4));
  assert.deepEqual(
    large.map(({ linear, physical }) => [linear.start, physical]),
    [
      [0n, 0n],
      [0x400000n, 1n << 32n],
    ],
  );
  const small = mappedRanges(
    { ...LEGACY, cr4: 0n },
    memory(
      [
        [0x1000n, 0x2083n],
        [0x2000n, 0x5003n],
      ],
      4,
    ),
  );
  assert.deepEqual(
    small.map(({ linear, physical }) => [linear, physical]),
    [[{ start: 0n, end: 0x1000n }, 0x5000n]],
  );
});

test('a table that names itself everywhere does not run away', () => {
  const self = new Uint8Array(4096);
  const view = new DataView(self.buffer);
  for (let at = 0; at < 4096; at += 8) view.setBigUint64(at, 0x1003n, true);
  const found = mappedRanges(LONG, () => self);
  assert.ok(found.length > 0 && found.length <= 4096);
});
