/**
 * What Cloud Hypervisor makes of guests, worked by hand from its sources (tags v15.0 to v53.0 and main of 2026-08-22): regions, the
 * memory map that the guest is told, and the tables and boot structures in low memory. Registers: cloudHypervisorBootState.test.ts.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { guestMemoryMap } from '../../../server/src/vmm/cloud-hypervisor/memoryMap';
import type { ScriptedCore } from '../simulation/scriptedCore';
import { GIB, guestOf, MIB, placed, powerOn, sized, sum, text, u16, u32, u64 } from './cloudHypervisorGuest';

const hex = (value: bigint | number): string => value.toString(16);

/** In every version: layout.rs. TSS and identity map from v21.0 on. */
const FIXED = [
  'reserved a0000 100000', // EBDA_START to HIGH_RAM_START
  'mmio c0000000 e8000000', // MEM_32BIT_DEVICES_START, 640 MiB
  'mmio e8000000 f8000000', // PCI_MMCONFIG_START, 256 MiB
  'mmio fec00000 fec00020', // IOAPIC_START, IOAPIC_SIZE
  'mmio fee00000 fee01000', // APIC_START
];
const TSS_V21 = ['reserved f8000000 f8003000', 'reserved f8003000 f8004000'];
/** KVM_TSS_ADDRESS of v15.0 to v20.0, and KVM's default for the identity map. */
const TSS_V15 = ['reserved fffbc000 fffbd000', 'reserved fffbd000 fffc0000'];
/** 46 bits less 64 KiB (mmio_address_space_size), the last MiB for platform devices. */
const PLATFORM = ['mmio 3fffffef0000 3fffffff0000'];

const LAYOUTS: readonly (readonly [version: string, size: bigint, parts: string[]])[] = [
  [
    '2026-08',
    512n * MIB,
    [...TSS_V21, ...PLATFORM, 'ram 0 a0000', 'ram 100000 20000000', 'mmio 100000000 3fffffef0000'],
  ],
  // start_addr: a guest whose last byte is below 3 GiB has its devices at 4 GiB, and so has one of 3 GiB.
  [
    '2026-08',
    3n * GIB,
    [...TSS_V21, ...PLATFORM, 'ram 0 a0000', 'ram 100000 c0000000', 'mmio 100000000 3fffffef0000'],
  ],
  [
    '2026-08',
    4n * GIB,
    [
      ...[...TSS_V21, ...PLATFORM, 'ram 0 a0000', 'ram 100000 c0000000'],
      ...['ram 100000000 140000000', 'mmio 140000000 3fffffef0000'],
    ],
  ],
  [
    '2026-08',
    16n * GIB,
    [
      ...[...TSS_V21, ...PLATFORM, 'ram 0 a0000', 'ram 100000 c0000000'],
      ...['ram 100000000 440000000', 'mmio 440000000 3fffffef0000'],
    ],
  ],
  // Before the platform area the devices end at the end of the address space.
  [
    'v16.0',
    4n * GIB,
    [
      ...[...TSS_V15, 'ram 0 a0000', 'ram 100000 c0000000'],
      ...['ram 100000000 140000000', 'mmio 140000000 3fffffff0000'],
    ],
  ],
  [
    'v20.0',
    512n * MIB,
    [...TSS_V15, ...PLATFORM, 'ram 0 a0000', 'ram 100000 20000000', 'mmio 100000000 3fffffef0000'],
  ],
];

for (const [version, size, parts] of LAYOUTS) {
  test(`the regions of ${hex(size)} bytes under ${version}`, () => {
    const found = sized(version, size).regions.map(
      ({ kind, range }) => `${kind} ${hex(range.start)} ${hex(range.end)}`,
    );
    assert.deepEqual([...found].sort(), [...FIXED, ...parts].sort());
    const starts = sized(version, size).regions.map(({ range }) => range.start);
    assert.deepEqual(
      starts,
      [...starts].sort((a, b) => Number(a - b)),
      'sorted',
    );
  });
}

/** configure_pvh: low RAM, RAM, RAM above 4 GiB, and the ECAM last, out of order. */
const MAPS: readonly (readonly [size: bigint, entries: string[]])[] = [
  [512n * MIB, ['1 0 a0000', '1 100000 20000000', '2 e8000000 f8000000']],
  [3n * GIB, ['1 0 a0000', '1 100000 c0000000', '2 e8000000 f8000000']],
  [4n * GIB, ['1 0 a0000', '1 100000 c0000000', '1 100000000 140000000', '2 e8000000 f8000000']],
  [16n * GIB, ['1 0 a0000', '1 100000 c0000000', '1 100000000 440000000', '2 e8000000 f8000000']],
];

for (const [size, entries] of MAPS) {
  test(`the memory map of ${hex(size)} bytes, as told and as it lies at 0x7000`, () => {
    const machine = sized('2026-08', size);
    const told = guestMemoryMap(machine);
    assert.deepEqual(
      told.map(({ range, type }) => `${type} ${hex(range.start)} ${hex(range.end)}`),
      entries,
    );
    const { core } = powerOn(machine);
    // struct hvm_memmap_table_entry: addr, size, type, reserved.
    const found = entries.map((_, i) => {
      const [start, length] = [0x7000n + 24n * BigInt(i), 0x7008n + 24n * BigInt(i)].map((at) =>
        u64(core, at),
      );
      const [type, reserved] = [u32(core, 0x7010n + 24n * BigInt(i)), u32(core, 0x7014n + 24n * BigInt(i))];
      assert.equal(reserved, 0);
      return `${type} ${hex(start!)} ${hex(start! + length!)}`;
    });
    assert.deepEqual(found, entries);
  });
}

test('PVH start information, command line and RAM disk lie where layout.rs puts them', () => {
  const { core, report } = powerOn(sized('2026-08', 512n * MIB), { initrd: new Uint8Array(0x1801).fill(7) });
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(u32(core, 0x6000n), 0x336ec578, 'magic');
  assert.equal(u32(core, 0x6004n), 1, 'version');
  assert.equal(u32(core, 0x6008n), 0, 'flags');
  assert.equal(u32(core, 0x600cn), 1, 'nr_modules');
  assert.equal(u64(core, 0x6010n), 0x6040n, 'modlist_paddr');
  assert.equal(u64(core, 0x6018n), 0x20000n, 'cmdline_paddr');
  assert.equal(u64(core, 0x6020n), 0xa0000n, 'rsdp_paddr');
  assert.equal(u64(core, 0x6028n), 0x7000n, 'memmap_paddr');
  assert.equal(u32(core, 0x6030n), 3, 'memmap_entries');
  assert.equal(text(core, 0x20000n, 14), 'console=ttyS0\0');
  // initramfs_load_addr: (0x20000000 - 0x1801) & !0xfff.
  assert.equal(u64(core, 0x6040n), 0x1fffe000n);
  assert.equal(u64(core, 0x6048n), 0x1801n);
  assert.deepEqual([...core.read(0x1fffe000n, 2)!], [7, 7]);
});

test('without a RAM disk there is no module', () => {
  const { core } = powerOn(sized('2026-08', 512n * MIB));
  assert.equal(u32(core, 0x600cn), 0);
  assert.equal(u64(core, 0x6010n), 0n);
});

for (const [version, pointer] of [
  ['v21.0', 0],
  ['v23.0', 0xa000],
  ['2026-08', 0xa000],
] as const) {
  test(`the EBDA pointer at 0x40e is 0x${hex(pointer)} in ${version}`, () => {
    assert.equal(u16(powerOn(sized(version, 512n * MIB)).core, 0x40en), pointer);
  });
}

/** Bytes 0x14 + 17 + 2 + 1, 0x1b + 17 + 17 + 1 and 4 + 2; before v26.0 the end is 0x1b + 1. */
for (const [version, length, wakeUp] of [
  ['v16.0', 40 + 62 + 28, 0],
  ['v26.0', 40 + 62 + 6, 0],
  ['v53.0', 40 + 62 + 6, 2],
] as const) {
  test(`the SMBIOS entry point of ${version} tells ${length} bytes, and its checksum is right`, () => {
    const { core } = powerOn(sized(version, 512n * MIB));
    assert.equal(text(core, 0xf0000n, 5), '_SM3_');
    assert.equal(sum(core.read(0xf0000n, 0x18)!), 0);
    assert.deepEqual([...core.read(0xf0006n, 5)!], [0x18, 3, 2, 0, 1]);
    assert.equal(u32(core, 0xf000cn), length);
    assert.equal(u64(core, 0xf0010n), 0xf0018n);
    assert.deepEqual([...core.read(0xf0018n, 6)!], [0, 0x14, 1, 0, 1, 2]);
    assert.equal(text(core, 0xf002cn, 20), 'cloud-hypervisor\x000\0\0');
    assert.deepEqual([...core.read(0xf0040n, 6)!], [1, 0x1b, 2, 0, 1, 2]);
    assert.equal(core.read(0xf0058n, 1)![0], wakeUp);
    assert.equal(text(core, 0xf005bn, 35), 'Cloud Hypervisor\0cloud-hypervisor\0\0');
  });
}

// (0xf0000 + 0x84 + 16) & !0xf. Until v26.0 the entry point was not counted: (0xf0000 + 0x82 + 16) & !0xf, which is the same
// place, and there the table covers the last ten bytes of the SMBIOS table.
for (const [version, ioapicId] of [
  ['v16.0', 3],
  ['v38.0', 255],
  ['2026-08', 255],
] as const) {
  test(`the MP table of ${version} follows SMBIOS at 0xf0090, with the I/O APIC as ${ioapicId}`, () => {
    const { core } = powerOn(sized(version, 512n * MIB, 2));
    assert.equal(text(core, 0xf0090n, 4), '_MP_');
    assert.equal(sum(core.read(0xf0090n, 16)!), 0);
    assert.equal(u32(core, 0xf0094n), 0xf00a0);
    assert.equal(text(core, 0xf00a0n, 4), 'PCMP');
    // Header, 2 processors, bus, I/O APIC, 16 interrupts, 2 local interrupts.
    const length = 44 + 2 * 20 + 8 + 8 + 16 * 8 + 2 * 8;
    assert.equal(u16(core, 0xf00a4n), length);
    assert.equal(sum(core.read(0xf00a0n, length)!), 0);
    assert.equal(text(core, 0xf00a8n, 20), 'FC      000000000000');
    assert.equal(u32(core, 0xf00c4n), 0xfee00000);
    // Behind the header: both processors, the boot processor first, then the bus.
    assert.deepEqual([...core.read(0xf00ccn, 4)!], [0, 0, 0x14, 3]);
    assert.deepEqual([...core.read(0xf00e0n, 4)!], [0, 1, 0x14, 1]);
    assert.deepEqual([...core.read(0xf00fcn, 4)!], [2, ioapicId, 0x14, 1]);
    assert.equal(u32(core, 0xf0100n), 0xfec00000);
  });
}

test('more than 254 vCPUs have no MP table from v48.0 on, and no VM before', () => {
  const config = { cpus: { boot_vcpus: 255, max_vcpus: 255 }, memory: { size: Number(GIB) } };
  const { core, problem } = placed(guestOf('v48.0', config));
  assert.equal(problem, null);
  assert.notEqual(text(core, 0xf0090n, 4), '_MP_');
  assert.match(placed(guestOf('v39.0', config)).problem!, /255 vCPUs: at most 254 are supported/);
});

interface Table {
  readonly signature: string;
  readonly at: bigint;
  readonly bytes: Uint8Array;
}

/** What an operating system finds: RSDP, XSDT, and what it names; the DSDT by the FACP. */
function tablesOf(core: ScriptedCore): Map<string, Table> {
  const tableAt = (at: bigint): Table => {
    const bytes = core.read(at, u32(core, at + 4n))!.slice();
    assert.equal(sum(bytes), 0, `checksum at ${hex(at)}`);
    return { signature: text(core, at, 4), at, bytes };
  };
  assert.equal(text(core, 0xa0000n, 8), 'RSD PTR ');
  assert.equal(sum(core.read(0xa0000n, 20)!), 0);
  assert.equal(sum(core.read(0xa0000n, 36)!), 0);
  assert.equal(u32(core, 0xa0010n), 0, 'no RSDT');
  const xsdt = tableAt(u64(core, 0xa0018n));
  const count = (xsdt.bytes.length - 36) / 8;
  const tables = Array.from({ length: count }, (_, i) => tableAt(u64(core, xsdt.at + 36n + 8n * BigInt(i))));
  const facp = tables.find(({ signature }) => signature === 'FACP')!;
  const dsdt = tableAt(new DataView(facp.bytes.buffer).getBigUint64(140, true));
  return new Map([xsdt, ...tables, dsdt].map((table) => [table.signature, table]));
}

for (const [version, creator, processorType] of [
  ['v16.0', 'CLDH\0\0\0\0', 0],
  ['v31.0', 'RVAT\0\0\0\x01', 0],
  ['2026-08', 'RVAT\0\0\0\x01', 9],
] as const) {
  test(`ACPI tables of ${version}: one behind the other from 0xa0000, by ${creator.slice(0, 4)}`, () => {
    const { core } = powerOn(sized(version, 512n * MIB, 2));
    const tables = tablesOf(core);
    assert.deepEqual([...tables.keys()].sort(), ['APIC', 'DSDT', 'FACP', 'MCFG', 'XSDT']);
    let next = 0xa0024n;
    for (const signature of ['DSDT', 'FACP', 'APIC', 'MCFG', 'XSDT']) {
      const { at, bytes } = tables.get(signature)!;
      assert.equal(at, next, signature);
      assert.equal(text(core, at + 10n, 6), 'CLOUDH');
      assert.equal(text(core, at + 28n, 8), creator);
      next = at + BigInt(bytes.length);
    }
    const madt = tables.get('APIC')!.bytes;
    assert.equal(madt[8], 5, 'revision');
    assert.equal(madt[44], processorType);
    const processors = processorType === 9 ? 2 * 16 : 2 * 8;
    // I/O APIC 0 at 0xfec00000 from GSI 0; IRQ 4 at GSI 4, conforming to its bus.
    assert.deepEqual(
      [...madt.subarray(44 + processors)],
      [1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, 2, 10, 0, 4, 4, 0, 0, 0, 0, 0],
    );
  });
}

test('a vCPU that may come later is in the MADT without its enabled bit, but online capable', () => {
  const config = { cpus: { boot_vcpus: 1, max_vcpus: 3 }, memory: { size: Number(GIB) } };
  const madt = tablesOf(powerOn(guestOf('2026-08', config)).core).get('APIC')!.bytes;
  // LocalX2Apic: type, length, reserved, ID, flags, processor.
  assert.deepEqual([...madt.subarray(44, 60)], [9, 16, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...madt.subarray(60, 76)], [9, 16, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
  assert.equal(madt.length, 44 + 3 * 16 + 22);
});

for (const [version, sleep, timer, byteAccess] of [
  ['v16.0', 0x3c0, 0xb008, 1],
  ['v26.0', 0x600, 0x608, 1],
  ['2026-08', 0x600, 0x608, 1],
] as const) {
  test(`the FACP of ${version} is hardware-reduced, with its sleep register at 0x${hex(sleep)}`, () => {
    const { bytes } = tablesOf(powerOn(sized(version, 512n * MIB)).core).get('FACP')!;
    const fields = new DataView(bytes.buffer);
    assert.equal(bytes.length, 276);
    assert.equal(bytes[8], 6);
    assert.equal(fields.getUint32(112, true), 0x100500, 'HW_REDUCED_ACPI, RESET_REG_SUP, TMR_VAL_EXT');
    for (const at of [116, 244, 256]) {
      assert.deepEqual([...bytes.subarray(at, at + 4)], [1, 8, 0, byteAccess], `register at ${at}`);
      assert.equal(fields.getBigUint64(at + 4, true), BigInt(sleep));
    }
    assert.equal(bytes[128], 1, 'RESET_VALUE');
    assert.equal(bytes[131], 3, 'minor version');
    assert.equal(fields.getBigUint64(212, true), BigInt(timer), 'X_PM_TMR_BLK');
    assert.equal(fields.getUint32(76, true), version === 'v16.0' ? 0xb008 : 0);
    assert.equal(Buffer.from(bytes.subarray(268)).toString('latin1'), 'CLOUDHYP');
  });
}

test('the MCFG names one bus a segment, all 256 before there were segments', () => {
  const entry = (version: string, platform = {}) => [
    ...tablesOf(
      powerOn(guestOf(version, { memory: { size: Number(GIB) }, cpus: { boot_vcpus: 1 }, platform })).core,
    )
      .get('MCFG')!
      .bytes.subarray(44),
  ];
  const first = [0, 0, 0, 0xe8, 0, 0, 0, 0];
  assert.deepEqual(entry('v16.0'), [...first, 0, 0, 0, 255, 0, 0, 0, 0]);
  assert.deepEqual(entry('2026-08'), [...first, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(
    entry('2026-08', { num_pci_segments: 2 }).slice(16),
    [0, 0, 0x10, 0xe8, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
  );
});

for (const [size, reason] of [
  [MIB, /RAM must reach beyond 1 MiB/],
  [512n * MIB + 1n, /no multiple of the page size, 4 KiB/],
  [1n << 46n, /46 physical address bits leave addresses up to 0x3fffffef0000/],
] as const) {
  test(`a VM of 0x${hex(size)} bytes is refused and has no layout`, () => {
    const machine = sized('2026-08', size);
    assert.deepEqual(machine.regions, []);
    assert.match(powerOn(machine).report.reason, reason);
  });
}

test('memory that may be plugged is kept free behind RAM, on 128 MiB', () => {
  const regions = guestOf('2026-08', {
    cpus: { boot_vcpus: 1, max_vcpus: 1 },
    memory: { size: Number(4n * GIB + 64n * MIB), hotplug_size: Number(2n * GIB) },
  }).regions;
  const hole = regions.find(({ kind }) => kind === 'hole')!;
  // start_addr: (0x143ffffff | 0x7ffffff) + 1.
  assert.deepEqual(hole.range, { start: 0x148000000n, end: 0x1c8000000n });
  assert.equal(regions.find(({ name }) => name === '64-bit PCI devices')!.range.start, 0x1c8000000n);
});

// The report of cloud-hypervisor PR 8291: an AMD host of 48 bits of which SME takes 5, and mem64 ends at 0x7ffffeeffff.
test('43 physical bits end the 64-bit device area where a published log has its end', () => {
  const config = { cpus: { boot_vcpus: 1, max_vcpus: 1, max_phys_bits: 43 }, memory: { size: Number(GIB) } };
  const area = guestOf('v52.0', config).regions.find(({ name }) => name === '64-bit PCI devices')!;
  assert.equal(hex(area.range.end - 1n), '7ffffeeffff');
});

test('a memory map under this model keeps its own regions, and the guest is told of them', () => {
  const region = (start: bigint, end: bigint, kind: 'ram' | 'reserved') => ({
    ...{ range: { start, end }, kind, name: kind, permissions: null, reason: '', at: null },
    origin: { kind: 'vmm' as const, vmm: 'a map', version: '', citation: '' },
  });
  const regions = [
    region(0n, 0xa0000n, 'ram'),
    region(0xa0000n, 0x100000n, 'reserved'),
    region(0x100000n, 0x4000000n, 'ram'),
    region(4n * GIB, 5n * GIB, 'ram'),
  ];
  const machine = { ...sized('2026-08', 512n * MIB), memory: null, regions };
  assert.deepEqual(
    guestMemoryMap(machine).map(({ range, type }) => `${type} ${hex(range.start)} ${hex(range.end)}`),
    ['1 0 a0000', '2 a0000 100000', '1 100000 4000000', '1 100000000 140000000'],
  );
  const { core, report } = powerOn(machine, { initrd: new Uint8Array(0x1000) });
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(u64(core, 0x6040n), 0x3fff000n, 'the RAM disk ends where RAM below 4 GiB does');
});
