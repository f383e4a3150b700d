import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { GIB, KIB, MIB } from '../../../server/src/address/range';
import { guestMemoryMap } from '../../../server/src/vmm/vmd/e820';
import { createMemoryMap, largestMemory } from '../../../server/src/vmm/vmd/layout';
import { VMD_VERSIONS, vmdVersion, type VmdVersion } from '../../../server/src/vmm/vmd/versions';
import { read } from './read';

const version = (id: string): VmdVersion => vmdVersion(id)!;

function shown(id: string, memory: bigint): string[] {
  return createMemoryMap(version(id), memory).map(
    ({ range, type }) => `${range.start.toString(16)}-${range.end.toString(16)} ${type}`,
  );
}

// create_memory_map, worked by hand from the sources named in versions.ts.
for (const [id, memory, expected] of [
  // x86_vm.c rev 1.9: LOWMEM_KB 640, firmware of 4 MiB below 4 GiB.
  [
    '7.8',
    GIB,
    [
      '0-a0000 ram',
      'a0000-100000 reserved',
      '100000-40000000 ram',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
    ],
  ],
  [
    '7.8',
    0xf0000000n,
    [
      '0-a0000 ram',
      'a0000-100000 reserved',
      '100000-f0000000 ram',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
    ],
  ],
  [
    '7.8',
    4n * GIB,
    [
      '0-a0000 ram',
      'a0000-100000 reserved',
      '100000-f0000000 ram',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
      '100000000-110000000 ram',
    ],
  ],
  [
    '7.8',
    8n * GIB,
    [
      '0-a0000 ram',
      'a0000-100000 reserved',
      '100000-f0000000 ram',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
      '100000000-210000000 ram',
    ],
  ],
  // The branch for tiny guests begins its range at PCI_MMIO_BAR_END, the last byte of the window.
  ['7.8', 5n * MIB, ['0-a0000 ram', 'a0000-100000 reserved', 'ffbfffff-ffffffff reserved']],
  [
    '7.8',
    6n * MIB,
    [
      '0-a0000 ram',
      'a0000-100000 reserved',
      '100000-600000 ram',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
    ],
  ],
  // x86_vm.c rev 1.3: 2 MiB of firmware.
  [
    '7.6',
    GIB,
    [
      '0-a0000 ram',
      'a0000-100000 reserved',
      '100000-40000000 ram',
      'f0000000-ffe00000 mmio',
      'ffe00000-100000000 reserved',
    ],
  ],
  ['7.6', 3n * MIB, ['0-a0000 ram', 'a0000-100000 reserved', 'ffdfffff-ffffffff reserved']],
  // The fork of rev 1.15: LOWMEM_KB 576.
  [
    '2026-01',
    GIB,
    [
      '0-90000 ram',
      '90000-100000 reserved',
      '100000-40000000 ram',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
    ],
  ],
  ['x86_vm-1.25', 5n * MIB, ['0-90000 ram', '90000-100000 reserved', 'ffbfffff-ffffffff reserved']],
  // rev 1.27: ACPI area below the window; the off-by-one is gone.
  [
    'x86_vm-1.27',
    GIB,
    [
      '0-90000 ram',
      '90000-100000 reserved',
      '100000-40000000 ram',
      'efff0000-f0000000 reserved',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
    ],
  ],
  [
    'x86_vm-1.27',
    0xf0000000n,
    [
      '0-90000 ram',
      '90000-100000 reserved',
      '100000-efff0000 ram',
      'efff0000-f0000000 reserved',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
      '100000000-100010000 ram',
    ],
  ],
  [
    'x86_vm-1.27',
    4n * GIB,
    [
      '0-90000 ram',
      '90000-100000 reserved',
      '100000-efff0000 ram',
      'efff0000-f0000000 reserved',
      'f0000000-ffc00000 mmio',
      'ffc00000-100000000 reserved',
      '100000000-110010000 ram',
    ],
  ],
  [
    'x86_vm-1.27',
    5n * MIB,
    ['0-90000 ram', '90000-100000 reserved', 'efff0000-f0000000 reserved', 'ffc00000-100000000 reserved'],
  ],
  // vm.c of 2018: no range for the window, no firmware; memory goes on at 4 GiB.
  [
    'loadfile-1.11',
    4n * GIB,
    ['0-a0000 ram', 'a0000-100000 reserved', '100000-f0000000 ram', '100000000-110000000 ram'],
  ],
  ['loadfile-1.11', MIB, ['0-a0000 ram', 'a0000-100000 reserved']],
  // vmm.c of 2016: LOWMEM_KB 636, at most 2 GiB.
  ['loadfile-1.7', 2n * GIB, ['0-9f000 ram', '9f000-100000 reserved', '100000-80000000 ram']],
  ['loadfile-1.7', 2n * GIB + MIB, []],
  ['7.8', 129n * GIB, []],
  ['7.8', 0n, []],
] as const) {
  test(`vmd@${id} with 0x${memory.toString(16)} bytes`, () => assert.deepEqual(shown(id, memory), expected));
}

test('RAM and the reserved first MiB add up to the memory, in every version', () => {
  fc.assert(
    fc.property(fc.constantFrom(...VMD_VERSIONS), fc.bigInt({ min: 8n, max: 2048n }), (candidate, mib) => {
      const ranges = createMemoryMap(candidate, mib * MIB);
      const backed = ranges.filter(({ range, type }) => type === 'ram' || range.end === MIB);
      const sum = backed.reduce((total, { range }) => total + range.end - range.start, 0n);
      assert.equal(sum, mib * MIB);
      for (const [index, { range }] of ranges.entries()) {
        assert.ok(range.start < range.end && (index === 0 || ranges[index - 1]!.range.end <= range.start));
      }
    }),
  );
});

test('the largest memory ends at the limit that vmm(4) applies to addresses, and one MiB more does not', () => {
  for (const candidate of VMD_VERSIONS) {
    const largest = largestMemory(candidate);
    const end = (memory: bigint): bigint => createMemoryMap(candidate, memory).at(-1)?.range.end ?? 1n << 64n;
    assert.ok(end(largest) <= candidate.facts.maxMemory, candidate.id);
    assert.ok(end(largest + MIB) > candidate.facts.maxMemory, candidate.id);
  }
});

// fw_cfg.c rev 1.11 and loadfile_elf.c rev 1.51: RAM is type 1, everything else type 2, the ACPI area too.
test('the guest is told types 1 and 2 only', () => {
  const map = guestMemoryMap(version('x86_vm-1.27'), GIB, 'bios');
  assert.deepEqual(
    map?.entries.map(({ type }) => type),
    [1, 2, 1, 2, 2, 2],
  );
});

// loadfile_elf.c rev 1.34 (2019): one entry for each range that is left when the first MiB is cut at LOWMEM_KB.
test('an ELF kernel of 2018 is told RAM only', () => {
  const map = guestMemoryMap(version('loadfile-1.11'), GIB, 'elf');
  assert.deepEqual(map?.entries, [
    { range: { start: 0n, end: 640n * KIB }, type: 1 },
    { range: { start: MIB, end: GIB }, type: 1 },
  ]);
});

// fw_cfg.c rev 1.1 (2018-12-10) has no etc/e820.
test('a BIOS of 2018 is told nothing', () => {
  assert.equal(guestMemoryMap(version('loadfile-1.11'), GIB, 'bios'), null);
});

// create_memory_map calls it VM_MEM_RESERVED, and fw_cfg makes that type 2.
test('the ACPI area is reserved, not reclaimable', () => {
  const [machine] = read('vm "a" {\n\tdisk "/a"\n}\n').machines;
  const area = machine!.regions.find(({ name }) => name === 'ACPI tables');
  assert.deepEqual([area?.kind, area?.range.start], ['reserved', 0xefff0000n]);
});

test('an access to the MMIO window ends the VM until x86_vm.c rev 1.19', () => {
  const permissions = (id: string): string | null | undefined =>
    read('vm "a" {\n\tdisk "/a"\n}\n', { version: id }).machines[0]!.regions.find(
      ({ kind }) => kind === 'mmio',
    )?.permissions;
  assert.deepEqual(
    VMD_VERSIONS.map(({ id }) => permissions(id)),
    [undefined, undefined, '---', '---', '---', '---', '---', 'rw-', 'rw-', 'rw-', 'rw-'],
  );
});

test('a proposal is never what a config without a version gets', () => {
  const newest = VMD_VERSIONS.at(-1)!;
  assert.equal(newest.proposal, undefined);
  assert.equal(read('vm "a" {\n\tdisk "/a"\n}\n').machines[0]!.version, newest.id);
  const asked = read('# bootpath: vmd@proposal-2025-08-20\nvm "a" {\n\tdisk "/a"\n}\n');
  assert.equal(asked.machines[0]!.version, 'proposal-2025-08-20');
});

test('a region leads to the memory line, and to the name where there is none', () => {
  const [sized, plain] = read('vm "a" {\n\tdisk "/a"\n\tmemory 2G\n}\nvm "b" {\n\tdisk "/b"\n}\n').machines;
  assert.deepEqual(
    sized!.regions.map(({ at }) => at?.range.start.line),
    [2, 2, 2, 2, 2, 2],
  );
  assert.equal(sized!.regions[2]!.origin.kind, 'text');
  assert.equal(sized!.regions[0]!.origin.kind, 'vmm');
  assert.equal(plain!.regions[0]!.at?.range.start.line, 4);
  assert.equal(plain!.memory?.value, 512n * MIB);
  assert.equal(plain!.regions[2]!.origin.kind, 'vmm');
});

test('an instance has the memory of its parent, from the line of its parent', () => {
  const [, child] = read(
    'vm "a" {\n\tdisk "/a"\n\tmemory 2G\n}\nvm "a" instance "b" {\n\tdisk "/b"\n}\n',
  ).machines;
  assert.equal(child!.name, 'b');
  assert.equal(child!.memory?.value, 2n * GIB);
  assert.equal(child!.regions[0]!.at?.range.start.line, 2);
});
