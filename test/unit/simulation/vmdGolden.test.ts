/**
 * What vmd makes of seven guests, worked by hand from its sources: the ranges, the map that the guest is told, what is in low
 * memory, and every register of the first vCPU and of another one.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import { simulate } from '../../../server/src/simulation/simulate';
import { guestMemoryMap } from '../../../server/src/vmm/vmd/e820';
import { VMD } from '../../../server/src/vmm/vmd/model';
import { vmdVersion } from '../../../server/src/vmm/vmd/versions';
import type { SegmentState, VcpuState } from '../../../server/src/x86/state';
import { elfFile } from './elfFile';
import { ScriptedCore } from './scriptedCore';
import { vmdMachine } from './vmdMachine';

const ENTRY = 0x1001000n;
const KERNEL64 = elfFile({
  entry: 0xffffffff81001000n,
  segments: [
    { physical: 0x1000000n, virtual: 0xffffffff81000000n, bytes: Uint8Array.of(0xf4), memorySize: 0x5000n },
  ],
});
const KERNEL32 = elfFile({
  bits: 32,
  entry: 0xd1001000n,
  segments: [{ physical: 0x1000000n, virtual: 0xd1000000n, bytes: Uint8Array.of(0xf4), memorySize: 0x5000n }],
});
const BIOS = new Uint8Array(0x10000).fill(0xf4);

function powerOn(version: string, memory: string, image: Uint8Array, vcpus: number): ScriptedCore {
  const guest = vmdMachine(version, memory);
  const machine = { ...guest, vcpus: { ...guest.vcpus, value: vcpus } };
  const kernel = image === BIOS ? null : image;
  let core: ScriptedCore | null = null;
  const report = simulate(
    machine,
    VMD,
    version,
    {
      machine: null,
      firmware: kernel ? null : BIOS,
      kernel,
      probe: null,
      taps: [],
      maxInstructions: 10,
      reboots: 0,
    },
    {
      createCore: (options: CoreOptions): Core => (core = new ScriptedCore(options, function* () {})),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  assert.equal(report.outcome, 'halted', report.reason);
  return core as unknown as ScriptedCore;
}

const words = (core: ScriptedCore, address: bigint, count: number): string[] => {
  const view = new DataView(core.read(address, count * 4)!.buffer);
  return Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true).toString(16));
};

const segment = ({ selector, base, limit, attributes }: SegmentState): string =>
  [BigInt(selector), base, BigInt(limit), BigInt(attributes)].map((value) => value.toString(16)).join(' ');

/** RIP, RSP, RFLAGS; CR0, CR3, CR4, EFER; CS, the others, LDTR, TR; GDTR, IDTR; DR6, DR7. */
function registers(state: VcpuState): string {
  const { rip, rflags, general, cr0, cr3, cr4, efer, segments, gdtr, idtr, dr } = state;
  const { cs, ds, es, fs, gs, ss, ldtr, tr } = segments;
  const data = new Set([ds, es, fs, gs, ss].map(segment));
  assert.equal(data.size, 1);
  const others = Object.entries(general).filter(([name, value]) => name !== 'rsp' && value !== 0n);
  assert.deepEqual([others, state.cr2, state.cr8, dr.slice(0, 4)], [[], 0n, 0n, [0n, 0n, 0n, 0n]]);
  return [
    [rip, general.rsp, rflags],
    [cr0, cr3, cr4, efer],
    [segment(cs), [...data][0]!, segment(ldtr), segment(tr)],
    [gdtr.base, BigInt(gdtr.limit), idtr.base, BigInt(idtr.limit)],
    [dr[6]!, dr[7]!],
  ]
    .map((row) => row.map((value) => value.toString(16)).join(', '))
    .join('; ');
}

// x86_vm.c, vcpu_init_flat16 and vcpu_init_flat64 (the same in rev 1.3 to 1.27); loadfile_elf.c for what differs.
const SYSTEM = '0 0 ffff 82, 0 0 ffff 8b';
const FLAT = `8 0 ffffffff c09f, 10 0 ffffffff c093, ${SYSTEM}`;
const START = '1001000, ffdc, 2';
const TABLES = '10000, ffff, 0, ffff; ffff0ff0, 400';
const COMPATIBILITY = `${START}; 80000011, 11000, 30, 500; ${FLAT}; ${TABLES}`;
const BIOS_REGISTERS = `fff0, 0, 2; 60000010, 0, 0, 0; f000 f0000 ffff 809f, 0 0 ffff 8093, ${SYSTEM}; 0, ffff, 0, ffff; ffff0ff0, 400`;
/** vcpu_init_ap (rev 1.24 and later): flat16 with RIP, CS selector and base 0. */
const PARKED = BIOS_REGISTERS.replace('fff0', '0').replace('f000 f0000', '0 0');

// push_gdt: SDT_MEMERA and SDT_MEMRWA over base 0, limit ffffffff; a long-mode one in rev 1.51.
const GDT = ['0', '0', 'ffff', 'cf9b00', 'ffff', 'cf9300'];
const [GDT_2019, GDT_2025] = [
  [...GDT, '0', '0'],
  [...GDT, 'ffff', 'af9b00'],
];
const NOTHING = ['0', '0', '0', '0', '0', '0', '0', '0'];
// push_pt_64: PML4[0] = PML3 + V, PML3[0] = PML2 + V, RW, US; PML2 is 512 pages of 2 MiB with PS. Two words each.
const LONG_TABLES = ['12001', '0', '0', '0', '13007', '0', '87', '0', '200087', '0'];
// push_pt_32: 1024 pages of 4 MiB.
const DIRECTORY = ['0', '0', '0', '0', '87', '400087', '0', '0', '0', '0'];
const NO_TABLES = ['0', '0', '0', '0', '0', '0', '0', '0', '0', '0'];
/** bios_consdev_t: device 8,0 with speed and port, then zeros. */
const consoleOf = (speed: string, size: 16 | 32) => [
  ...['5', (12 + size).toString(16), (12 + size).toString(16), '800', speed, '3f8'],
  ...Array.from({ length: (size - 12) / 4 }, () => '0'),
];
/** 64-bit address and size, then the type. */
const entry = (start: bigint, end: bigint, type: number): string[] => {
  const halves = (value: bigint) => [(value & 0xffffffffn).toString(16), (value >> 32n).toString(16)];
  return [...halves(start), ...halves(end - start), String(type)];
};

interface Golden {
  readonly guest: readonly [version: string, memory: string, image: Uint8Array, vcpus: number];
  readonly regions: readonly string[];
  /** Start, end and type. */
  readonly e820: readonly (readonly [bigint, bigint, number])[] | null;
  readonly gdt: readonly string[];
  /** Words at PML4 (4), PML3 (2) and PML2 (4). */
  readonly tables: readonly string[];
  /** push_bootargs after the map: console and end, and the size that goes on the stack. */
  readonly arguments: { readonly console: readonly string[]; readonly size: number } | null;
  readonly registers: readonly string[];
}

const GUESTS: Readonly<Record<string, Golden>> = {
  // loadfile_elf.c rev 1.34 (2019), biosvar.h of that time: a console of 16 bytes.
  '1 GiB, ELF64, 2018': {
    guest: ['loadfile-1.11', '1G', KERNEL64, 1],
    regions: ['0-a0000 ram', 'a0000-100000 reserved', '100000-40000000 ram'],
    e820: [
      [0n, 0xa0000n, 1],
      [0x100000n, 0x40000000n, 1],
    ],
    gdt: GDT_2019,
    tables: LONG_TABLES,
    arguments: { console: consoleOf('1c200', 16), size: 12 + 3 * 20 + 28 + 4 },
    registers: [COMPATIBILITY],
  },
  // rev 1.22 (2016): 9600 bits per second, and the end is not counted.
  '512 MiB, ELF64, 2016': {
    guest: ['loadfile-1.7', '512M', KERNEL64, 1],
    regions: ['0-9f000 ram', '9f000-100000 reserved', '100000-20000000 ram'],
    e820: [
      [0n, 0x9f000n, 1],
      [0x100000n, 0x20000000n, 1],
    ],
    gdt: GDT_2019,
    tables: LONG_TABLES,
    arguments: { console: consoleOf('2580', 16), size: 12 + 3 * 20 + 28 },
    registers: [COMPATIBILITY],
  },
  // x86_vm.c rev 1.9 with loadfile_elf.c rev 1.51.
  '4 GiB, ELF64, 7.8': {
    guest: ['7.8', '4G', KERNEL64, 1],
    regions: [
      ...['0-a0000 ram', 'a0000-100000 reserved', '100000-f0000000 ram', 'f0000000-ffc00000 mmio'],
      ...['ffc00000-100000000 reserved', '100000000-110000000 ram'],
    ],
    e820: [
      [0n, 0xa0000n, 1],
      [0xa0000n, 0x100000n, 2],
      [0x100000n, 0xf0000000n, 1],
      [0xf0000000n, 0xffc00000n, 2],
      [0xffc00000n, 0x100000000n, 2],
      [0x100000000n, 0x110000000n, 1],
    ],
    gdt: GDT_2025,
    tables: LONG_TABLES,
    arguments: { console: consoleOf('1c200', 32), size: 12 + 7 * 20 + 44 + 4 },
    registers: [COMPATIBILITY],
  },
  '1 GiB, ELF32, 7.8': {
    guest: ['7.8', '1G', KERNEL32, 1],
    regions: [
      ...['0-a0000 ram', 'a0000-100000 reserved', '100000-40000000 ram', 'f0000000-ffc00000 mmio'],
      'ffc00000-100000000 reserved',
    ],
    e820: [
      [0n, 0xa0000n, 1],
      [0xa0000n, 0x100000n, 2],
      [0x100000n, 0x40000000n, 1],
      [0xf0000000n, 0xffc00000n, 2],
      [0xffc00000n, 0x100000000n, 2],
    ],
    gdt: GDT_2025,
    tables: DIRECTORY,
    arguments: { console: consoleOf('1c200', 32), size: 12 + 6 * 20 + 44 + 4 },
    registers: [`${START}; 80000011, 12000, 10, 0; ${FLAT}; ${TABLES}`],
  },
  // tech@, 2025-08-20: CR0 = ET, PE over the page directory of i386; two descriptors.
  '1 GiB, ELF64, proposal of August 2025': {
    guest: ['proposal-2025-08-20', '1G', KERNEL64, 1],
    regions: [
      ...['0-a0000 ram', 'a0000-100000 reserved', '100000-40000000 ram', 'f0000000-ffc00000 mmio'],
      'ffc00000-100000000 reserved',
    ],
    e820: [
      [0n, 0xa0000n, 1],
      [0xa0000n, 0x100000n, 2],
      [0x100000n, 0x40000000n, 1],
      [0xf0000000n, 0xffc00000n, 2],
      [0xffc00000n, 0x100000000n, 2],
    ],
    gdt: GDT_2019,
    tables: DIRECTORY,
    arguments: { console: consoleOf('1c200', 32), size: 12 + 6 * 20 + 44 + 4 },
    registers: [`${START}; 11, 12000, 10, 0; ${FLAT}; ${TABLES}`],
  },
  // x86_vm.c rev 1.27 with loadfile_elf.c rev 1.59: CR3, CR4 and EFER zero, no tables.
  '8 GiB, ELF64, September 2026': {
    guest: ['x86_vm-1.27', '8G', KERNEL64, 1],
    regions: [
      ...['0-90000 ram', '90000-100000 reserved', '100000-efff0000 ram', 'efff0000-f0000000 reserved'],
      ...['f0000000-ffc00000 mmio', 'ffc00000-100000000 reserved', '100000000-210010000 ram'],
    ],
    e820: [
      [0n, 0x90000n, 1],
      [0x90000n, 0x100000n, 2],
      [0x100000n, 0xefff0000n, 1],
      [0xefff0000n, 0xf0000000n, 2],
      [0xf0000000n, 0xffc00000n, 2],
      [0xffc00000n, 0x100000000n, 2],
      [0x100000000n, 0x210010000n, 1],
    ],
    gdt: GDT_2019,
    tables: NO_TABLES,
    arguments: { console: consoleOf('1c200', 32), size: 12 + 8 * 20 + 44 + 4 },
    registers: [`${START}; 11, 0, 0, 0; ${FLAT}; ${TABLES}`],
  },
  // fw_cfg.c rev 1.11: every range that is not RAM is type 2.
  '512 MiB, BIOS, two vCPUs, September 2026': {
    guest: ['x86_vm-1.27', '512M', BIOS, 2],
    regions: [
      ...['0-90000 ram', '90000-100000 reserved', '100000-20000000 ram', 'efff0000-f0000000 reserved'],
      ...['f0000000-ffc00000 mmio', 'ffc00000-100000000 reserved'],
    ],
    e820: [
      [0n, 0x90000n, 1],
      [0x90000n, 0x100000n, 2],
      [0x100000n, 0x20000000n, 1],
      [0xefff0000n, 0xf0000000n, 2],
      [0xf0000000n, 0xffc00000n, 2],
      [0xffc00000n, 0x100000000n, 2],
    ],
    gdt: NOTHING,
    tables: NO_TABLES,
    arguments: null,
    registers: [BIOS_REGISTERS, PARKED],
  },
};

for (const [title, golden] of Object.entries(GUESTS)) {
  const [version, memory, image, vcpus] = golden.guest;
  const elf = image !== BIOS;

  test(`${title}: ranges, and what the guest is told of them`, () => {
    const machine = vmdMachine(version, memory);
    assert.deepEqual(
      machine.regions.map(
        ({ range, kind }) => `${range.start.toString(16)}-${range.end.toString(16)} ${kind}`,
      ),
      golden.regions,
    );
    const map = guestMemoryMap(vmdVersion(version)!, machine.memory!.value, elf ? 'elf' : 'bios');
    assert.deepEqual(
      map?.entries.map(({ range, type }) => [range.start, range.end, type]) ?? null,
      golden.e820,
    );
    assert.deepEqual(
      VMD.layOut(machine, version).map(({ range, kind }) => [range, kind]),
      machine.regions.map(({ range, kind }) => [range, kind]),
    );
  });

  test(`${title}: low memory and registers`, () => {
    const core = powerOn(...golden.guest);
    assert.deepEqual(words(core, 0x10000n, 8), golden.gdt);
    assert.deepEqual(
      [...words(core, 0x11000n, 4), ...words(core, 0x12000n, 2), ...words(core, 0x13000n, 4)],
      golden.tables,
    );
    assert.deepEqual(
      Array.from({ length: vcpus }, (_, vcpu) => registers(core.state(vcpu))),
      golden.registers,
    );
    if (!golden.arguments) return;
    const { console, size } = golden.arguments;
    const map = golden.e820!.flatMap((row) => entry(...row));
    const mapSize = (12 + map.length * 4 + 20).toString(16);
    // BOOTARG_MEMMAP with its entries and a terminating one, BOOTARG_CONSDEV, BOOTARG_END.
    const expected = ['0', mapSize, mapSize, ...map, '0', '0', '0', '0', '0', ...console, 'ffffffff'];
    assert.deepEqual(words(core, 0x2000n, expected.length), expected);
    // push_stack, lowest first: howto, bootdev, API version, end, extmem, basemem, size and place of the arguments.
    assert.deepEqual(words(core, 0xffe0n, 8), [
      ...['0', 'a0000004', 'e', '1005000', '0', '0', size.toString(16), '2000'],
    ]);
    assert.equal(core.state(0).rip, ENTRY);
  });
}

test('a guest of another VMM’s config is laid out as vmd would, with its own line at the RAM above 1 MiB', () => {
  const range = { start: { line: 4, character: 2 }, end: { line: 4, character: 20 } };
  const guest = {
    name: 'elsewhere',
    memory: { value: 0x80000000n, origin: { kind: 'text', uri: 'file:///vm.json', range } as const },
    vcpus: { value: 2, origin: { kind: 'text', uri: 'file:///vm.json', range } as const },
    images: [],
    at: null,
    nameAt: null,
  };
  const regions = VMD.layOut(guest, 'x86_vm-1.27');
  assert.deepEqual(
    regions.map(({ range: span, kind }) => `${span.start.toString(16)}-${span.end.toString(16)} ${kind}`),
    [
      ...['0-90000 ram', '90000-100000 reserved', '100000-80000000 ram', 'efff0000-f0000000 reserved'],
      ...['f0000000-ffc00000 mmio', 'ffc00000-100000000 reserved'],
    ],
  );
  assert.deepEqual(regions[2]!.origin, { kind: 'text', uri: 'file:///vm.json', range });
});

test('a guest that vmd refuses is laid out as nothing', () => {
  const vmm = { kind: 'vmm', vmm: 'firecracker', version: 'x', citation: 'a test' } as const;
  const guest = { name: 'huge', images: [], at: null, nameAt: null, vcpus: { value: 1, origin: vmm } };
  const memory = { value: 1n << 40n, origin: vmm };
  assert.deepEqual(VMD.layOut({ ...guest, memory }, '7.8'), []);
});
