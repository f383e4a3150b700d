/** Golden tables. Where no other source stands: bin/propolis-standalone/src/main.rs, build_machine, setup_instance. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { cmosBytes, guestE820 } from '../../../server/src/vmm/propolis/e820';
import { layOutPropolis, memoryRefusal } from '../../../server/src/vmm/propolis/layout';
import { PROPOLIS_VERSIONS, propolisVersion } from '../../../server/src/vmm/propolis/versions';
import { gib, guest, HALF_GIB } from './guest';

type Row = readonly [start: bigint, end: bigint, kind: string, name: string, permissions?: string];

/** In the kernel: VIOAPIC_BASE, VHPET_BASE, DEFAULT_APIC_BASE (illumos-gate usr/src/uts/intel/io/vmm). */
const CHIPS: readonly Row[] = [
  [0xfec00000n, 0xfec01000n, 'mmio', 'I/O APIC'],
  [0xfed00000n, 0xfed00400n, 'mmio', 'HPET'],
  [0xfee00000n, 0xfee01000n, 'mmio', 'local APIC'],
];
const FIXED: readonly Row[] = [
  [0xc0000000n, 0xe0000000n, 'mmio', 'dev32'],
  [0xe0000000n, 0xf0000000n, 'mmio', 'pcicfg'],
  ...CHIPS,
  [0xffe00000n, 0x100000000n, 'rom', 'bootrom', 'r-x'],
];
/** MAX_PHYSMEM since commit 99a1a941. */
const END = 0x1000_0000_0000n;

const LAYOUTS: readonly (readonly [string, bigint, readonly Row[]])[] = [
  [
    '512 MiB',
    HALF_GIB,
    [
      [0n, 0x20000000n, 'ram', 'lowmem', 'rwx'],
      [0x20000000n, 0xc0000000n, 'hole', 'gap below dev32'],
      ...FIXED,
      [0x100000000n, END, 'mmio', 'dev64'],
    ],
  ],
  [
    '3 GiB exactly: no gap, no high memory',
    gib(3),
    [[0n, 0xc0000000n, 'ram', 'lowmem', 'rwx'], ...FIXED, [0x100000000n, END, 'mmio', 'dev64']],
  ],
  [
    '4 GiB',
    gib(4),
    [
      [0n, 0xc0000000n, 'ram', 'lowmem', 'rwx'],
      ...FIXED,
      [0x100000000n, 0x140000000n, 'ram', 'highmem', 'rwx'],
      [0x140000000n, END, 'mmio', 'dev64'],
    ],
  ],
  [
    '16 GiB',
    gib(16),
    [
      [0n, 0xc0000000n, 'ram', 'lowmem', 'rwx'],
      ...FIXED,
      [0x100000000n, 0x440000000n, 'ram', 'highmem', 'rwx'],
      [0x440000000n, END, 'mmio', 'dev64'],
    ],
  ],
];

for (const [title, memory, rows] of LAYOUTS) {
  test(`the regions of ${title}`, () => {
    const regions = layOutPropolis(guest(memory), '2026-06');
    assert.deepEqual(
      regions.map(({ range, kind, name, permissions }) => [range.start, range.end, kind, name, permissions]),
      rows.map(([start, end, kind, name, permissions]) => [start, end, kind, name, permissions ?? null]),
    );
  });
}

const memoryRows = (memory: bigint, version = '2026-06') =>
  layOutPropolis(guest(memory), version)
    .filter(({ kind }) => kind === 'ram' || kind === 'rom')
    .map(({ range, permissions }) => [range.start, range.end - range.start, permissions]);

test('8 GiB is mapped as bhyvectl --get-memmap shows it in propolis issue 300', () => {
  // 0 3072MB sysmem RWX; FFE00000 2048KB bootrom R-X; 100000000 5120MB sysmem RWX.
  assert.deepEqual(memoryRows(gib(8)), [
    [0n, 3072n << 20n, 'rwx'],
    [0xffe00000n, 2048n << 10n, 'r-x'],
    [0x100000000n, 5120n << 20n, 'rwx'],
  ]);
});

test('6 GiB is mapped as the example in the documentation of vmm::Builder (vmm/machine.rs)', () => {
  assert.deepEqual(memoryRows(gib(6)), [
    [0n, 0xc000_0000n, 'rwx'],
    [0xffe0_0000n, 0x20_0000n, 'r-x'],
    [0x1_0000_0000n, 0xc000_0000n, 'rwx'],
  ]);
});

test('756 GiB has the high segment of the stack in propolis issue 908: vm_mmap_memseg(…, 100000000, 2, 0, bc40000000, 7)', () => {
  assert.deepEqual(memoryRows(gib(756), '2025-05').at(-1), [0x100000000n, 0xbc40000000n, 'rwx']);
});

test('the guest is told all that is no memory as reserved, and by etc/e820 since 2025-06 only', () => {
  const told = (memory: bigint, version: string) =>
    guestE820(propolisVersion(version), memory)?.map(({ range, type }) => [range.start, range.end, type]);
  const below = (low: bigint) => [
    [0n, low, 1],
    [0xc0000000n, 0xe0000000n, 2],
    [0xe0000000n, 0xf0000000n, 2],
    [0xffe00000n, 0x100000000n, 2],
  ];
  assert.deepEqual(told(HALF_GIB, '2026-06'), [...below(0x20000000n), [0x100000000n, END, 2]]);
  assert.deepEqual(told(gib(3), '2026-06'), [...below(0xc0000000n), [0x100000000n, END, 2]]);
  assert.deepEqual(told(gib(4), '2026-06'), [
    ...below(0xc0000000n),
    [0x100000000n, 0x140000000n, 1],
    [0x140000000n, END, 2],
  ]);
  assert.deepEqual(told(gib(16), '2025-06'), [
    ...below(0xc0000000n),
    [0x100000000n, 0x440000000n, 1],
    [0x440000000n, END, 2],
  ]);
  assert.equal(told(gib(16), '2025-05'), undefined);
});

/** memsize_to_nvram (hw/bhyve/rtc.rs), by index: 0x15, 0x17 (and 0x30), 0x34, then 0x5b to 0x5d. */
const CMOS: readonly (readonly [string, bigint, readonly (readonly number[])[]])[] = [
  // (512 MiB / 1 KiB) as u16 is 0; 0x7fc00 as u16 is 0xfc00; 496 MiB in 64 KiB is 0x1f00.
  ['512 MiB', HALF_GIB, [[0, 0], [0, 0xfc], [0, 0x1f], []]],
  ['3 GiB', gib(3), [[0, 0], [0, 0xfc], [0, 0xbf], []]],
  [
    '4 GiB',
    gib(4),
    [
      [0, 0],
      [0, 0xfc],
      [0, 0xbf],
      [0, 0x40, 0],
    ],
  ],
  [
    '16 GiB',
    gib(16),
    [
      [0, 0],
      [0, 0xfc],
      [0, 0xbf],
      [0, 0x40, 0x03],
    ],
  ],
  [
    '1026 GiB, the last that fits',
    gib(1026),
    [
      [0, 0],
      [0, 0xfc],
      [0, 0xbf],
      [0, 0xc0, 0xff],
    ],
  ],
  [
    '1027 GiB, which wraps',
    gib(1027),
    [
      [0, 0],
      [0, 0xfc],
      [0, 0xbf],
      [0, 0, 0],
    ],
  ],
  // 33 MiB: nothing is cut.
  ['33 MiB', 33n << 20n, [[0x80, 0x02], [0, 0x80], [0x10, 0x01], []]],
];

for (const [title, memory, [base, extended, low, high]] of CMOS) {
  test(`CMOS of ${title}`, () => {
    const wanted: Record<number, number> = {};
    const put = (index: number, bytes: readonly number[] = []) =>
      bytes.forEach((byte, at) => (wanted[index + at] = byte));
    put(0x15, base);
    put(0x17, extended);
    put(0x30, extended);
    put(0x34, low);
    put(0x5b, high);
    assert.deepEqual(cmosBytes(memory), wanted);
  });
}

test('what each version refuses: MAX_SYSMEM, then MAX_PHYSMEM of 1 and of 16 TiB', () => {
  const largest = (id: string) => {
    const version = propolisVersion(id);
    let fits = 1n;
    let refused = 1n << 30n;
    while (refused - fits > 1n) {
      const middle = (fits + refused) / 2n;
      if (memoryRefusal(version, middle << 20n) === null) fits = middle;
      else refused = middle;
    }
    return fits;
  };
  // In MiB. High memory may end where dev64 begins, at 256 GiB: 252 GiB above, 3 below.
  assert.equal(largest('2022-09'), 255n << 10n);
  // dev64 begins where memory ends, and a region of no bytes is refused too.
  assert.equal(largest('2023-05'), (1023n << 10n) - 1n);
  assert.equal(largest('2025-05'), (16383n << 10n) - 1n);
  assert.deepEqual(layOutPropolis(guest(gib(1024)), '2024-06'), []);
  assert.match(memoryRefusal(propolisVersion('2024-06'), gib(1024)) ?? '', /0x10040000000.*MAX_PHYSMEM/);
  assert.notEqual(memoryRefusal(propolisVersion('2026-06'), 0n), null);
});

test('64-bit MMIO begins at 256 GiB at first, then where memory ends', () => {
  const dev64 = (id: string) => layOutPropolis(guest(gib(4)), id).at(-1)?.range;
  assert.deepEqual(dev64('2022-09'), { start: gib(256), end: gib(512) });
  assert.deepEqual(dev64('2023-05'), { start: gib(5), end: gib(1024) });
  assert.deepEqual(dev64('2025-05'), { start: gib(5), end: gib(16384) });
});

test('versions have dates in their order, sources with a commit, and the line of the memory', () => {
  const ids = PROPOLIS_VERSIONS.map(({ id }) => id);
  assert.deepEqual(ids, [...ids].sort());
  for (const { source } of PROPOLIS_VERSIONS) assert.match(source, /commit/);
});
