/**
 * bhyve's guest-physical address space: usr.sbin/bhyve (pci_emul.c init_pci, bootrom.c init_bootrom, e820.c), lib/libvmmapi
 * (vm_setup_memory), and illumos' copies of them, as `versions.ts` cites.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { hex } from '../../../server/src/address/format';
import { GIB, MIB } from '../../../server/src/address/range';
import type { GuestDescription } from '../../../server/src/machine/machine';
import { firmwareMap, ramMap } from '../../../server/src/vmm/bhyve/e820';
import { layOut } from '../../../server/src/vmm/bhyve/layout';
import { BHYVE_VERSIONS, bhyveVersion, NEWEST_BHYVE } from '../../../server/src/vmm/bhyve/versions';

const origin = { kind: 'vmm', vmm: 'bhyve', version: 'freebsd-15', citation: 'a test' } as const;

function guest(memory: bigint, rom = true): GuestDescription {
  return {
    name: 'guest',
    memory: { value: memory, origin },
    vcpus: { value: 1, origin },
    images: rom ? [{ role: 'firmware', path: 'BHYVE_UEFI.fd', origin }] : [],
    at: null,
    nameAt: null,
  };
}

const lines = (memory: bigint, version: string, rom = true): string[] =>
  layOut(guest(memory, rom), version).map(
    ({ range, kind, name }) => `${hex(range.start)}-${hex(range.end)} ${kind} ${name}`,
  );

/** What every guest has between 3 and 4 GiB. */
const BELOW_4G = [
  '0xc0000000-0xe0000000 mmio 32-bit PCI window',
  '0xe0000000-0xf0000000 mmio PCI configuration space',
  '0xfec00000-0xfec01000 mmio I/O APIC',
  '0xfed00000-0xfed00400 mmio HPET',
  '0xfee00000-0xfee01000 mmio local APIC',
  '0xff000000-0x100000000 rom boot ROM segment',
];

/** One of each rule for the 64-bit window: fixed, and after memory. */
const FIXED = '0xd000000000-0xfd00000000 mmio 64-bit PCI window';
const AFTER_4G = '0x800000000-0x1000000000 mmio 64-bit PCI window';
const VERSIONS = [
  { id: 'illumos-2020-09', window: FIXED },
  { id: 'illumos-2021-08', window: FIXED },
  { id: 'freebsd-13', window: AFTER_4G },
  { id: 'freebsd-14', window: AFTER_4G },
  { id: 'illumos-2025', window: AFTER_4G },
  { id: 'freebsd-15', window: AFTER_4G },
];

const SIZES: readonly { size: bigint; low: string[]; high: string[]; e820: string[] }[] = [
  {
    size: GIB,
    low: ['0x0-0x40000000 ram low memory', '0x40000000-0xc0000000 hole memory hole'],
    high: [],
    e820: ['0x0-0xa0000', '0x100000-0x40000000'],
  },
  {
    size: 3n * GIB,
    low: ['0x0-0xc0000000 ram low memory'],
    high: [],
    e820: ['0x0-0xa0000', '0x100000-0xc0000000'],
  },
  {
    size: 4n * GIB,
    low: ['0x0-0xc0000000 ram low memory'],
    high: ['0x100000000-0x140000000 ram high memory'],
    e820: ['0x0-0xa0000', '0x100000-0xc0000000', '0x100000000-0x140000000'],
  },
  {
    size: 8n * GIB,
    low: ['0x0-0xc0000000 ram low memory'],
    high: ['0x100000000-0x240000000 ram high memory'],
    e820: ['0x0-0xa0000', '0x100000-0xc0000000', '0x100000000-0x240000000'],
  },
];

for (const { id, window } of VERSIONS) {
  for (const { size, low, high } of SIZES) {
    test(`${id}, ${size / GIB} GiB with a boot ROM`, () => {
      assert.deepEqual(lines(size, id), [...low, ...BELOW_4G, ...high, window]);
    });
  }
}

for (const { size, e820 } of SIZES) {
  test(`what firmware or grub2-bhyve is told of ${size / GIB} GiB`, () => {
    assert.deepEqual(
      ramMap(size).map(({ range, type }) => `${hex(range.start)}-${hex(range.end)}${type === 1 ? '' : '?'}`),
      e820,
    );
  });
}

test('fw_cfg has etc/e820 since FreeBSD 14 and the illumos that took it over', () => {
  const told = BHYVE_VERSIONS.filter((version) => firmwareMap(version, GIB) !== null).map(({ id }) => id);
  assert.deepEqual(told, ['freebsd-14', 'illumos-2025', 'freebsd-15']);
});

test('the window for 64-bit BARs begins at the first multiple of 32 GiB that is not below the end of memory', () => {
  for (const [gib, start] of [
    [31n, 32n],
    // Memory of 31 GiB ends at 32 GiB, of 32 GiB at 33 GiB.
    [32n, 64n],
    [63n, 64n],
    [64n, 96n],
  ] as const) {
    const window = layOut(guest(gib * GIB), 'freebsd-15').at(-1)!.range;
    assert.deepEqual(window, { start: start * GIB, end: (start + 32n) * GIB }, `${gib} GiB`);
  }
});

test('the split of 8 GiB is that of a published `bhyvectl --get-memmap` (illumos issue 14042, a guest of Propolis)', () => {
  // Address and length in MiB of its sysmem lines; the boot ROM's line says FFE00000 2048KB.
  const published = [
    [0n, 3072n],
    [0x100000000n, 5120n],
  ];
  const regions = layOut(guest(8n * GIB), 'illumos-2021-08');
  const ram = regions.filter(({ kind }) => kind === 'ram');
  assert.deepEqual(
    ram.map(({ range }) => [range.start, (range.end - range.start) / MIB]),
    published,
  );
  assert.equal(regions.find(({ kind }) => kind === 'rom')?.range.end, 0xffe00000n + 2n * MIB);
});

test('without a boot ROM there is no segment for it', () => {
  assert.ok(!lines(GIB, 'freebsd-15', false).some((line) => line.includes('rom')));
});

test('memory that is no whole number of pages is refused', () => {
  assert.deepEqual(lines(256n * MIB + 1n, 'freebsd-15'), []);
  assert.deepEqual(lines(0n, 'freebsd-15'), []);
});

test('versions are sorted by date, and the newest of both systems is the default', () => {
  const dates = BHYVE_VERSIONS.map(({ date }) => date);
  assert.deepEqual(dates, [...dates].sort());
  assert.equal(NEWEST_BHYVE, bhyveVersion('freebsd-15'));
});
