/**
 * Golden tables of libkrun guests: regions, memory map, low memory and registers. Every value was read in containers/libkrun
 * (2026-06-12, 6ed74fac), in the file named beside it; where libkrun's own tests have the numbers, they are theirs.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseElf } from '../../../server/src/machine/image/elf';
import type { ImageRole, Setting } from '../../../server/src/machine/machine';
import { probeKernel } from '../../../server/src/simulation/probes/kernel';
import { probeNamed } from '../../../server/src/simulation/probes/probes';
import { linux64State, pvhState } from '../../../server/src/vmm/libkrun/bootState';
import { MemorySizeCmos } from '../../../server/src/vmm/libkrun/cmos';
import { libkrunCommandLine } from '../../../server/src/vmm/libkrun/commandLine';
import { libkrunMemoryMap } from '../../../server/src/vmm/libkrun/e820';
import { libkrunGuest } from '../../../server/src/vmm/libkrun/guestFacts';
import { bootKernel } from '../../../server/src/vmm/libkrun/kernelBoot';
import { libkrunMemory } from '../../../server/src/vmm/libkrun/memory';
import { LIBKRUN_VERSIONS, libkrunVersion } from '../../../server/src/vmm/libkrun/versions';
import { libkrunMachine } from '../vmm/libkrunMachine';

const MIB = 1n << 20n;
const hex = (value: bigint) => `0x${value.toString(16)}`;

// mod.rs, tests: KERNEL_LOAD_ADDR and KERNEL_SIZE.
const TEST_KERNEL = { start: 0x0100_0000n, end: 0x0100_0000n + 0x01e0_0000n };

test('regions_lt_4gb of libkrun: 512 MiB around a mapped kernel, the whole size behind it', () => {
  const memory = libkrunMemory(1n << 29n, TEST_KERNEL);
  assert.deepEqual(memory?.ram, [
    { start: 0n, end: 0x0100_0000n },
    { start: TEST_KERNEL.end, end: TEST_KERNEL.end + (1n << 29n) },
  ]);
});

test('regions_gt_4gb of libkrun: 4 GiB and 32 KiB around a mapped kernel, split at the gap', () => {
  const memory = libkrunMemory((1n << 32n) + 0x8000n, TEST_KERNEL);
  assert.equal(memory?.ram.length, 3);
  assert.deepEqual(
    memory?.ram.map(({ start }) => start),
    [0n, TEST_KERNEL.end, 1n << 32n],
  );
  // Not asserted there: MMIO_MEM_START is 4 GiB - 768 MiB, and the rest goes above 4 GiB.
  assert.equal(memory?.ram[1]?.end, 0xd000_0000n);
  assert.equal(memory?.ram[2]?.end, (1n << 32n) + 0x3000_8000n);
});

interface Golden {
  readonly title: string;
  readonly memoryMib: number;
  readonly version?: string;
  readonly images?: readonly ImageRole[];
  readonly settings?: Readonly<Record<string, Setting>>;
  /** `kind start end name`. */
  readonly regions: readonly string[];
  /** `type start end` of the memory map, ends exclusive. */
  readonly e820: readonly string[];
  readonly pvh?: boolean;
}

// mod.rs, arch_memory_regions and configure_64bit_boot or configure_pvh; shm.rs. The mapped kernel is 0x1230000 bytes.
const GOLDEN: readonly Golden[] = [
  {
    title: 'libkrunfw’s kernel, 1024 MiB, a root directory',
    memoryMib: 1024,
    settings: { krun_set_root: true },
    regions: [
      'ram 0x0 0x9fc00 low RAM',
      'reserved 0x9fc00 0x100000 MP table and legacy area',
      'ram 0x100000 0x1000000 RAM',
      'ram 0x1000000 0x2230000 kernel, mapped',
      'ram 0x2230000 0x42230000 RAM behind the kernel',
      'mmio 0xd0000000 0x100000000 MMIO gap',
      'reserved 0x100000000 0x120000000 virtio-fs window',
    ],
    // "+ 1" on an exclusive end: Linux 6.12.76 prints [mem 0x100000-0x42230000], whose last byte should be 0x4222ffff.
    e820: ['1 0x0 0x9fc00', '1 0x100000 0x42230001'],
  },
  {
    title: 'libkrunfw’s kernel, 6144 MiB',
    memoryMib: 6144,
    settings: { krun_set_root: true },
    regions: [
      'ram 0x0 0x9fc00 low RAM',
      'reserved 0x9fc00 0x100000 MP table and legacy area',
      'ram 0x100000 0x1000000 RAM',
      'ram 0x1000000 0x2230000 kernel, mapped',
      'ram 0x2230000 0xd0000000 RAM behind the kernel',
      'mmio 0xd0000000 0x100000000 MMIO gap',
      'ram 0x100000000 0x1b0000000 RAM above 4 GiB',
      // The next GiB above the end of RAM.
      'reserved 0x1c0000000 0x1e0000000 virtio-fs window',
    ],
    e820: ['1 0x0 0x9fc00', '1 0x100000 0xd0000000', '1 0x100000000 0x1b0000001'],
  },
  {
    title: 'an external ELF kernel by the 64-bit protocol, 512 MiB',
    memoryMib: 512,
    version: '1.17.0',
    images: ['kernel'],
    regions: [
      'ram 0x0 0x9fc00 low RAM',
      'reserved 0x9fc00 0x100000 MP table and legacy area',
      'ram 0x100000 0x20000000 RAM',
      'mmio 0xd0000000 0x100000000 MMIO gap',
    ],
    e820: ['1 0x0 0x9fc00', '1 0x100000 0x20000001'],
  },
  {
    title: 'an external ELF kernel by its PVH entry, 4096 MiB',
    memoryMib: 4096,
    images: ['kernel'],
    pvh: true,
    regions: [
      'ram 0x0 0x9fc00 low RAM',
      'reserved 0x9fc00 0x100000 MP table and legacy area',
      'ram 0x100000 0xd0000000 RAM',
      'mmio 0xd0000000 0x100000000 MMIO gap',
      'ram 0x100000000 0x130000000 RAM above 4 GiB',
    ],
    e820: ['1 0x0 0x9fc00', '2 0x9fc00 0xe0000', '1 0x100000 0xd0000000', '1 0x100000000 0x130000001'],
  },
  {
    title: 'an external kernel of exactly 3328 MiB: all below the gap, and the map ends at it',
    memoryMib: 3328,
    images: ['kernel'],
    regions: [
      'ram 0x0 0x9fc00 low RAM',
      'reserved 0x9fc00 0x100000 MP table and legacy area',
      'ram 0x100000 0xd0000000 RAM',
      'mmio 0xd0000000 0x100000000 MMIO gap',
    ],
    e820: ['1 0x0 0x9fc00', '1 0x100000 0xd0000000'],
  },
  {
    title: 'libkrun 1.8.0: a window of 8 GiB, whatever the guest has',
    memoryMib: 256,
    version: '1.8.0',
    regions: [
      'ram 0x0 0x9fc00 low RAM',
      'reserved 0x9fc00 0x100000 MP table and legacy area',
      'ram 0x100000 0x1000000 RAM',
      'ram 0x1000000 0x2230000 kernel, mapped',
      'ram 0x2230000 0x12230000 RAM behind the kernel',
      'mmio 0xd0000000 0x100000000 MMIO gap',
      'reserved 0x100000000 0x300000000 virtio-fs window',
    ],
    e820: ['1 0x0 0x9fc00', '1 0x100000 0x12230001'],
  },
];

for (const { title, regions, e820, pvh = false, ...options } of GOLDEN) {
  test(`${title}: regions`, () => {
    const machine = libkrunMachine(options);
    assert.deepEqual(
      machine.regions.map(({ kind, range, name }) => `${kind} ${hex(range.start)} ${hex(range.end)} ${name}`),
      regions,
    );
  });

  test(`${title}: the memory map that the guest gets`, () => {
    const machine = libkrunMachine(options);
    const end = machine.regions.filter(({ kind }) => kind === 'ram').at(-1)!.range.end;
    const entries = libkrunMemoryMap(end, pvh);
    assert.deepEqual(
      entries.map(({ type, range }) => `${type} ${hex(range.start)} ${hex(range.end)}`),
      e820,
    );
  });
}

test('a mapped kernel pushes RAM into the MMIO gap where both together pass 3328 MiB', () => {
  const { regions } = libkrunMachine({ memoryMib: 3320 });
  const behind = regions.find(({ name }) => name === 'RAM behind the kernel');
  assert.equal(hex(behind!.range.end), '0xd1a30000');
});

test('registers of every vCPU, 64-bit protocol (linux/regs.rs, setup_regs and setup_sregs; gdt.rs)', () => {
  const state = linux64State(0x1000123n);
  assert.equal(state.rip, 0x1000123n);
  assert.deepEqual([state.general.rsp, state.general.rbp, state.general.rsi], [0x8ff0n, 0x8ff0n, 0x7000n]);
  assert.equal(state.rflags, 2n);
  // KVM starts with 0x60000010; PE and PG are added, so CD and NW stay.
  assert.equal(state.cr0, 0xe0000011n);
  assert.deepEqual([state.cr3, state.cr4, state.efer], [0x9000n, 0x20n, 0x500n]);
  assert.deepEqual(state.segments.cs, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xa09b });
  for (const name of ['ds', 'es', 'fs', 'gs', 'ss'] as const) {
    assert.deepEqual(state.segments[name], {
      selector: 0x10,
      base: 0n,
      limit: 0xffffffff,
      attributes: 0xc093,
    });
  }
  assert.deepEqual(state.segments.tr, { selector: 0x18, base: 0n, limit: 0xffffffff, attributes: 0x808b });
  assert.deepEqual(
    [state.gdtr, state.idtr],
    [
      { base: 0x500n, limit: 31 },
      { base: 0x520n, limit: 7 },
    ],
  );
});

test('registers of every vCPU, PVH', () => {
  const state = pvhState(0x200100n);
  assert.deepEqual([state.rip, state.general.rbx, state.general.rsi], [0x200100n, 0x6000n, 0n]);
  assert.deepEqual([state.cr0, state.cr3, state.cr4, state.efer], [0x11n, 0n, 0n, 0n]);
  assert.deepEqual(state.segments.cs, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xc09b });
  assert.deepEqual(state.segments.tr, { selector: 0x18, base: 0n, limit: 0x67, attributes: 0x008b });
});

/** Memory as a kernel finds it. */
function lowMemory(options: Parameters<typeof libkrunMachine>[0], initrd: Uint8Array | null = null) {
  const machine = libkrunMachine(options);
  const guest = libkrunGuest(machine);
  const { facts } = libkrunVersion(machine.version!);
  const kernel = probeKernel(probeNamed('early-panic')!);
  const memory = new Map<bigint, Uint8Array>();
  const state = bootKernel(
    {
      machine,
      payload: guest.payload,
      facts,
      commandLine: libkrunCommandLine(machine.commandLine?.value ?? null, guest, facts),
      kernel,
      initrd,
    },
    kernel,
    (address, bytes) => Boolean(memory.set(address, bytes)),
  );
  assert.ok(typeof state !== 'string', 'the kernel is loaded');
  const view = (address: bigint) => {
    const bytes = memory.get(address);
    assert.ok(bytes, `nothing at ${hex(address)}`);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return { memory, view, state, kernel };
}

test('low memory, 64-bit protocol: GDT, IDT, page tables (linux/regs.rs, validate_segments_and_sregs, validate_page_tables)', () => {
  const { view } = lowMemory({ memoryMib: 1024 });
  const gdt = view(0x500n);
  assert.deepEqual(
    [0, 8, 16, 24].map((at) => gdt.getBigUint64(at, true)),
    [0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x008f_8b00_0000_ffffn],
  );
  assert.equal(view(0x520n).getBigUint64(0, true), 0n);
  assert.equal(view(0x9000n).getBigUint64(0, true), 0xa003n);
  assert.equal(view(0xa000n).getBigUint64(0, true), 0xb003n);
  const directory = view(0xb000n);
  for (let i = 0; i < 512; i++) {
    assert.equal(directory.getBigUint64(8 * i, true), (BigInt(i) << 21n) + 0x83n);
  }
});

test('low memory, 64-bit protocol: boot_params, command line, MP table', () => {
  const { view } = lowMemory({ memoryMib: 1024, vcpus: 2 });
  const page = view(0x7000n);
  // mod.rs, configure_64bit_boot.
  assert.equal(page.getUint16(0x1fe, true), 0xaa55);
  assert.equal(page.getUint32(0x202, true), 0x53726448);
  assert.equal(page.getUint8(0x210), 0xff);
  assert.equal(page.getUint32(0x228, true), 0x20000);
  assert.equal(page.getUint32(0x230, true), 0x1000000);
  const line =
    'reboot=k panic=-1 panic_print=0 nomodule console=hvc0 rootfstype=virtiofs rw quiet no-kvmapf init=/init.krun' +
    ' virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6 virtio_mmio.device=4K@0xd0002000:7';
  assert.equal(page.getUint32(0x238, true), line.length + 1);
  assert.equal(page.getUint8(0x1e8), 2);
  assert.equal(page.getBigUint64(0x2d0 + 20 + 8, true), 0x42230001n - 0x100000n);
  const text = view(0x20000n);
  const bytes = new Uint8Array(text.buffer, text.byteOffset, text.byteLength);
  assert.equal(new TextDecoder().decode(bytes), `${line}\0`);
  // mptable.rs, setup_mptable: pointer of 16 bytes, header of 44, two CPUs of 20, then 1 + 1 + 16 + 2 entries of 8.
  const table = view(0x9fc00n);
  assert.equal(table.byteLength, 16 + 44 + 2 * 20 + 20 * 8);
  assert.equal(table.getUint32(0, true), 0x5f504d5f, '_MP_');
  assert.equal(table.getUint32(4, true), 0x9fc10);
  assert.equal(table.getUint16(20, true), 44 + 2 * 20 + 20 * 8);
  assert.equal(table.getUint8(60 + 1), 0, 'APIC id of the first CPU');
  assert.equal(table.getUint8(60 + 3), 3, 'enabled, boot processor');
  assert.equal(table.getUint8(80 + 3), 1, 'enabled');
  assert.equal(table.getUint8(100 + 8 + 1), 3, 'IOAPIC id: vCPUs + 1');
  assert.equal(table.getUint32(100 + 8 + 4, true), 0xfec00000);
});

test('low memory, PVH: start info, memory map, and no page tables (mod.rs, configure_pvh)', () => {
  const { view, memory, state } = lowMemory({ memoryMib: 4096, images: ['kernel'] });
  assert.equal(state.cr0, 0x11n);
  const info = view(0x6000n);
  assert.equal(info.getUint32(0, true), 0x336ec578);
  assert.equal(info.getUint32(4, true), 1);
  assert.equal(info.getBigUint64(24, true), 0x20000n);
  assert.equal(info.getBigUint64(32, true), 0n, 'no RSDP');
  assert.equal(info.getBigUint64(40, true), 0x7000n);
  assert.equal(info.getUint32(48, true), 4);
  assert.equal(view(0x7000n).getUint32(24 + 16, true), 2, 'the MP table is reserved');
  assert.deepEqual(
    [0, 8, 16, 24].map((at) => view(0x500n).getBigUint64(at, true)),
    [0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x0000_8b00_0000_0067n],
  );
  assert.ok(!memory.has(0x9000n));
});

test('an initrd goes to the very end of RAM; the 64-bit protocol says only 32 bits of it', () => {
  const initrd = new Uint8Array(0x1234);
  const low = lowMemory({ version: '1.17.0', memoryMib: 512, images: ['kernel'] }, initrd);
  assert.equal(low.view(0x7000n).getUint32(0x218, true), 0x20000000 - 0x1234);
  assert.equal(low.view(0x7000n).getUint32(0x21c, true), 0x1234);
  const high = lowMemory({ version: '1.17.0', memoryMib: 4096, images: ['kernel'] }, initrd);
  assert.ok(high.memory.has(0x130000000n - 0x1234n));
  assert.equal(high.view(0x7000n).getUint32(0x218, true), 0x30000000 - 0x1234, 'cut: another place');
  const pvh = lowMemory({ memoryMib: 4096, images: ['kernel'] }, initrd);
  assert.equal(pvh.view(0x6040n).getBigUint64(0, true), 0x130000000n - 0x1234n, 'whole');
});

test('the kernel’s segments are where its headers say', () => {
  const { memory, kernel } = lowMemory({ memoryMib: 512 });
  const elf = parseElf(kernel);
  assert.ok(!('problem' in elf));
  assert.ok(memory.has(elf.segments[0]!.physical));
});

for (const [title, below, above, want] of [
  ['512 MiB', 512n, 0n, [0, 0x1f, 0, 0, 0]],
  ['8 MiB', 8n, 0n, [0, 0, 0, 0, 0]],
  ['4096 MiB', 3328n, 768n, [0, 0xcf, 0, 0x30, 0]],
] as const) {
  test(`CMOS of ${title} (cmos.rs, Cmos::new)`, () => {
    const cmos = new MemorySizeCmos(below * MIB, above * MIB);
    const read = (index: number) => {
      cmos.writePort(0x70, 1, index);
      return cmos.readPort(0x71, 1);
    };
    assert.deepEqual([0x34, 0x35, 0x5b, 0x5c, 0x5d].map(read), want);
    assert.equal(cmos.readPort(0x71, 2), 0, 'bytes only');
  });
}

test('the command line of a kernel of one’s own has the devices behind it, and the console that is asked for', () => {
  const line = (own: string | null, settings: Record<string, Setting>, version = '1.19.0') => {
    const guest = libkrunGuest(libkrunMachine({ settings, version }));
    return libkrunCommandLine(own, guest, libkrunVersion(version).facts);
  };
  assert.equal(
    line('console=hvc0 root=/dev/vda', {
      krun_set_kernel_console: 'ttyS0',
      krun_disable_implicit_console: true,
    }),
    'console=ttyS0 root=/dev/vda virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6',
  );
  assert.match(line(null, {}, '1.8.0'), / nomodules /);
});

test('versions are oldest first and say what they were read in', () => {
  assert.deepEqual(
    LIBKRUN_VERSIONS.map(({ id }) => id),
    ['1.8.0', '1.9.5', '1.11.0', '1.16.0', '1.17.0', '1.19.0'],
  );
  for (const { source } of LIBKRUN_VERSIONS) assert.match(source, /^containers\/libkrun v1\./);
});
