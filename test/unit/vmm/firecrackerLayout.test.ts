/**
 * Golden layouts of Firecracker: regions and memory maps by config and version. The numbers are those of the sources at each
 * tag: layout.rs (SYSTEM_MEM_START, MMIO32_MEM_START, MMIO64_MEM_START, PCI_MMCONFIG_START) and mod.rs (arch_memory_regions,
 * configure_64bit_boot, configure_pvh).
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { formatRange, hex } from '../../../server/src/address/format';
import { MIB } from '../../../server/src/address/range';
import { firecrackerMap } from '../../../server/src/vmm/firecracker/e820';
import { dramRanges, layOutFirecracker } from '../../../server/src/vmm/firecracker/layout';
import { FIRECRACKER_VERSIONS, firecrackerVersion } from '../../../server/src/vmm/firecracker/versions';
import { firecrackerMachine } from './firecrackerMachine';

const NEWEST = 'main-2026-08';

/** Device addresses that every microVM since 1.13 has. */
const DEVICES_1_13 = [
  '[0xc0000000, 0xeec00000) mmio device addresses',
  '[0xeec00000, 0xfec00000) mmio PCIe configuration',
  '[0xfec00000, 0xfec01000) mmio IOAPIC',
  '[0xfee00000, 0xfee01000) mmio local APIC',
  '[0xfffbd000, 0xfffc0000) reserved KVM’s TSS',
];
const DEVICES_1_0 = [
  '[0xd0000000, 0xfec00000) mmio device addresses',
  '[0xfec00000, 0xfec01000) mmio IOAPIC',
  '[0xfee00000, 0xfee01000) mmio local APIC',
  '[0xfffbd000, 0xfffc0000) reserved KVM’s TSS',
];
const HIGH_DEVICES = '[0x4000000000, 0x8000000000) mmio 64-bit device addresses';
const LOW_1_8 = [
  '[0x0, 0x9fc00) ram low RAM',
  '[0x9fc00, 0xe0000) reserved system data',
  '[0xe0000, 0x100000) reserved RAM that the map leaves out',
];

for (const [version, mib, regions, map] of [
  [
    NEWEST,
    null,
    [...LOW_1_8, '[0x100000, 0x8000000) ram RAM', ...DEVICES_1_13, HIGH_DEVICES],
    ['[0x0, 0x9fc00) 1', '[0x9fc00, 0xe0000) 2', '[0xeec00000, 0xfec00000) 2', '[0x100000, 0x8000000) 1'],
  ],
  [
    NEWEST,
    3072n,
    [...LOW_1_8, '[0x100000, 0xc0000000) ram RAM', ...DEVICES_1_13, HIGH_DEVICES],
    ['[0x0, 0x9fc00) 1', '[0x9fc00, 0xe0000) 2', '[0xeec00000, 0xfec00000) 2', '[0x100000, 0xc0000000) 1'],
  ],
  [
    NEWEST,
    8192n,
    [
      ...LOW_1_8,
      '[0x100000, 0xc0000000) ram RAM',
      ...DEVICES_1_13,
      '[0x100000000, 0x240000000) ram RAM above 4 GiB',
      HIGH_DEVICES,
    ],
    [
      '[0x0, 0x9fc00) 1',
      '[0x9fc00, 0xe0000) 2',
      '[0xeec00000, 0xfec00000) 2',
      '[0x100000, 0xc0000000) 1',
      '[0x100000000, 0x240000000) 1',
    ],
  ],
  [
    // 300 GiB: 3 below the first gap, 252 between the gaps, 45 behind the second.
    NEWEST,
    300n * 1024n,
    [
      ...LOW_1_8,
      '[0x100000, 0xc0000000) ram RAM',
      ...DEVICES_1_13,
      '[0x100000000, 0x4000000000) ram RAM above 4 GiB',
      HIGH_DEVICES,
      '[0x8000000000, 0x8b40000000) ram RAM above 512 GiB',
    ],
    [
      '[0x0, 0x9fc00) 1',
      '[0x9fc00, 0xe0000) 2',
      '[0xeec00000, 0xfec00000) 2',
      '[0x100000, 0xc0000000) 1',
      '[0x100000000, 0x4000000000) 1',
      '[0x8000000000, 0x8b40000000) 1',
    ],
  ],
  [
    // 1.13 adds RAM from the top down.
    '1.13',
    8192n,
    [
      ...LOW_1_8,
      '[0x100000, 0xc0000000) ram RAM',
      ...DEVICES_1_13,
      '[0x100000000, 0x240000000) ram RAM above 4 GiB',
      HIGH_DEVICES,
    ],
    [
      '[0x0, 0x9fc00) 1',
      '[0x9fc00, 0xe0000) 2',
      '[0xeec00000, 0xfec00000) 2',
      '[0x100000000, 0x240000000) 1',
      '[0x100000, 0xc0000000) 1',
    ],
  ],
  [
    '1.12',
    3330n,
    [
      ...LOW_1_8,
      '[0x100000, 0xd0000000) ram RAM',
      ...DEVICES_1_0,
      '[0x100000000, 0x100200000) ram RAM above 4 GiB',
    ],
    ['[0x0, 0x9fc00) 1', '[0x9fc00, 0xe0000) 2', '[0x100000, 0xd0000000) 1', '[0x100000000, 0x100200000) 1'],
  ],
  [
    '1.5',
    128n,
    [
      '[0x0, 0x9fc00) ram low RAM',
      '[0x9fc00, 0xa0000) reserved MP table',
      '[0xa0000, 0x100000) reserved RAM that the map leaves out',
      '[0x100000, 0x8000000) ram RAM',
      ...DEVICES_1_0,
    ],
    ['[0x0, 0x9fc00) 1', '[0x9fc00, 0xa0000) 2', '[0x100000, 0x8000000) 1'],
  ],
  [
    // The map of firecracker-microvm/firecracker#3044, which was seen with 1 GiB.
    '1.4',
    1024n,
    [
      '[0x0, 0x9fc00) ram low RAM',
      '[0x9fc00, 0x100000) reserved RAM that the map leaves out',
      '[0x100000, 0x40000000) ram RAM',
      ...DEVICES_1_0,
    ],
    ['[0x0, 0x9fc00) 1', '[0x100000, 0x40000000) 1'],
  ],
] as const) {
  test(`firecracker@${version} with ${mib ?? 'the default of 128'} MiB`, () => {
    const machine = firecrackerMachine(version, mib);
    assert.deepEqual(
      machine.regions.map(({ range, kind, name }) => `${formatRange(range)} ${kind} ${name}`),
      regions,
    );
    const { facts } = firecrackerVersion(version);
    assert.deepEqual(
      firecrackerMap(facts, machine.memory!.value).map(({ range, type }) => `${formatRange(range)} ${type}`),
      map,
    );
  });
}

// Firecracker's own unit tests of arch_memory_regions and arch_memory_regions_with_gap (mod.rs at each tag).
for (const [name, version, size, expected] of [
  ['regions_lt_4gb', NEWEST, 1n << 29n, ['[0x0, 0x20000000)']],
  ['regions_gt_4gb', NEWEST, (1n << 32n) + 0x8000n, ['[0x0, 0xc0000000)', '[0x100000000, 0x140008000)']],
  ['regions_gt_4gb', '1.5', (1n << 32n) + 0x8000n, ['[0x0, 0xd0000000)', '[0x100000000, 0x130008000)']],
  ['test_system_configuration, 3328 MiB', '1.5', 3328n * MIB, ['[0x0, 0xd0000000)']],
  [
    'test_system_configuration, 3330 MiB',
    '1.5',
    3330n * MIB,
    ['[0x0, 0xd0000000)', '[0x100000000, 0x100200000)'],
  ],
] as const) {
  test(`${name} of Firecracker ${version} gives the same ranges here`, () => {
    assert.deepEqual(dramRanges(firecrackerVersion(version).facts, size).map(formatRange), expected);
  });
}

test('as Firecracker proves with Kani: at most three ranges of DRAM, none empty, together what was asked for, none in a gap', () => {
  for (const { id, facts } of FIRECRACKER_VERSIONS) {
    for (const size of [
      1n,
      MIB,
      facts.gap - 1n,
      facts.gap,
      facts.gap + 1n,
      1n << 38n,
      (1n << 38n) + 1n,
      1n << 40n,
    ]) {
      const ranges = dramRanges(facts, size);
      const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0n);
      assert.equal(total, size, `${id} ${hex(size)}`);
      assert.ok(ranges.length >= 1 && ranges.length <= 3);
      for (const { start, end } of ranges) {
        assert.ok(end > start);
        assert.ok(end <= facts.gap || start >= 1n << 32n);
        if (facts.highGap) assert.ok(end <= facts.highGap.start || start >= facts.highGap.end);
      }
    }
  }
});

test('RAM of a config line links to the line, what Firecracker decides to its source', () => {
  const { regions } = firecrackerMachine('1.16', 256n);
  const ram = regions.find(({ name }) => name === 'RAM')!;
  assert.equal(ram.origin.kind, 'text');
  const low = regions[0]!;
  assert.ok(low.origin.kind === 'vmm' && low.origin.citation.includes('v1.16.0, '));
});

for (const [what, bytes, vcpus] of [
  ['no memory', 0n, 1],
  ['half a MiB too much', MIB + MIB / 2n, 1],
  ['33 vCPUs', 128n * MIB, 33],
  ['memory beyond 64 TiB', 1n << 46n, 1],
] as const) {
  test(`a guest with ${what} is refused`, () => {
    const { memory, vcpus: count, ...guest } = firecrackerMachine(NEWEST, 128n);
    const asked = { ...guest, memory: { ...memory!, value: bytes }, vcpus: { ...count, value: vcpus } };
    assert.deepEqual(layOutFirecracker(asked, NEWEST), []);
  });
}
