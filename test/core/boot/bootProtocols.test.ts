/** What a kernel finds at its first instruction under each boot protocol: registers, tables and structures. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SETUP } from '../../../server/src/machine/image/linuxImage';
import { BOOT_PROTOCOLS, protocolFor } from '../../../server/src/vmm/loaders/protocols';
import type { SegmentName } from '../../../server/src/x86/state';
import { linuxFile, type LinuxFileOptions, type SetupField } from '../../unit/image/linuxFile';
import { noteBytes, noteFile, number } from '../../unit/image/noteFile';
import { elfFile } from '../../unit/simulation/elfFile';
import { bootPcKernel, type AskedOfPc, type BootedKernel } from './bootPcKernel';

const MIB = 1n << 20n;

/** Boots a kernel whose first instruction is HLT, with interrupts off. */
function halted(kernel: Uint8Array, asked: AskedOfPc = {}): BootedKernel {
  const booted = bootPcKernel(kernel, asked);
  assert.equal(booted.report.outcome, 'halted', booted.report.reason);
  assert.equal(booted.report.instructions, 1);
  assert.equal(booted.state.rflags & 0x200n, 0n, 'IF');
  return booted;
}

function problemOf(kernel: Uint8Array, asked: AskedOfPc = {}): string {
  const { report } = bootPcKernel(kernel, asked);
  assert.deepEqual([report.outcome, report.instructions, report.vcpus], ['vmm-exit', 0, []]);
  return report.reason;
}

const HLT = 0xf4;
const DATA_SEGMENTS = ['ds', 'es', 'ss'] as const satisfies readonly SegmentName[];

/** HLT at both entries; what is in between is UD2. */
function linuxKernel(options: LinuxFileOptions = {}): Uint8Array {
  const kernel = new Uint8Array(0x1000);
  for (let at = 0; at < kernel.length; at += 2) kernel.set([0x0f, 0x0b], at);
  kernel[0] = HLT;
  kernel[0x200] = HLT;
  return linuxFile({ kernel, ...options });
}

const RELOCATABLE: readonly SetupField[] = [
  [SETUP.relocatableKernel, 1, 1],
  [SETUP.prefAddress, 8, 0x1000000],
];
const RAM = 1;

const ENTRY = 0x100010n;
/** HLT at 0x100010, UD2 before it. */
const CODE = Uint8Array.from([...new Array<number>(8).fill(0x0f0b).flatMap(() => [0x0f, 0x0b]), HLT]);

function pvhElf(bits: 32 | 64): Uint8Array {
  const note = { owner: 'Xen', type: 18, descriptor: number(ENTRY, bits === 64 ? 8 : 4) };
  return noteFile(noteBytes([note]), { bits, code: CODE });
}

function plainElf(bits: 32 | 64): Uint8Array {
  return elfFile({ bits, entry: ENTRY, segments: [{ physical: MIB, virtual: MIB, bytes: CODE }] });
}

/** As OpenBSD's amd64 kernels: e_entry is physical, or with its upper bits virtual. */
function openbsdElf(entry = ENTRY): Uint8Array {
  return elfFile({
    entry,
    segments: [
      { physical: MIB, virtual: 0xffffffff80000000n + MIB, bytes: CODE, memorySize: 0x3000n },
      { physical: 2n * MIB, virtual: 0n, bytes: CODE },
    ],
    patch: (view) => view.setUint32(64 + 56, 0x65a3dbe6, true),
  });
}

/** What boot_params says of the machine and of the files. */
function parameters({ state, u32, u64, text, bytes }: BootedKernel) {
  const at = state.general.rsi;
  const map = Array.from({ length: bytes(at + 0x1e8n, 1)[0]! }, (_, i) => {
    const entry = at + 0x2d0n + 20n * BigInt(i);
    return { start: u64(entry), size: u64(entry + 8n), type: u32(entry + 16n) };
  });
  return {
    at,
    rsdp: u64(at + 0x70n),
    map,
    line: text(u32(at + 0x228n)),
    initrd: { start: u32(at + 0x218n), size: u32(at + 0x21cn) },
    loader: bytes(at + 0x210n, 1)[0],
    code32: u32(at + 0x214n),
    screen: [...bytes(at, 0x40)].every((byte) => byte === 0),
    header: bytes(at + 0x1f1n, 0x7b),
  };
}

for (const [protocol, mode, cs] of [
  ['linux32', 'protected-32', 0xc09b],
  ['linux64', 'long', 0xa09b],
] as const) {
  test(`${protocol}: flat segments from a GDT with code at 0x10 and data at 0x18, RSI at boot_params`, () => {
    const booted = halted(linuxKernel(), { protocol });
    const { state, report, u64 } = booted;
    assert.equal(report.vcpus[0]!.mode, mode);
    const { segments, general, gdtr } = state;
    assert.deepEqual([segments.cs.selector, segments.cs.attributes, segments.cs.base], [0x10, cs, 0n]);
    for (const name of DATA_SEGMENTS) {
      const { selector, base, limit, attributes } = segments[name];
      assert.deepEqual([selector, base, limit >>> 0, attributes], [0x18, 0n, 0xffffffff, 0xc093], name);
    }
    assert.equal(gdtr.limit, 31);
    const code = protocol === 'linux64' ? 0x00af9b000000ffffn : 0x00cf9b000000ffffn;
    assert.deepEqual([u64(gdtr.base + 16n), u64(gdtr.base + 24n)], [code, 0x00cf93000000ffffn]);
    assert.deepEqual([general.rbp, general.rdi, general.rbx], [0n, 0n, 0n]);
    assert.equal(state.rip, protocol === 'linux64' ? 0x100201n : 0x100001n);
  });

  test(`${protocol}: boot_params has the image's header, the loader's fields, the memory map and the RSDP`, () => {
    const modules = [{ bytes: Uint8Array.of(1, 2, 3), commandLine: '' }];
    const booted = halted(linuxKernel(), { protocol, commandLine: 'console=ttyS0 a=b', modules });
    const found = parameters(booted);
    assert.deepEqual(
      [found.line, found.loader, found.code32, found.rsdp, found.screen],
      ['console=ttyS0 a=b', 0xff, 0x100000, 0xf0000n, true],
    );
    assert.deepEqual(
      found.map.filter(({ type }) => type === RAM),
      [
        { start: 0n, size: 0x9fc00n, type: RAM },
        { start: MIB, size: 63n * MIB, type: RAM },
      ],
    );
    assert.deepEqual([...booted.bytes(found.initrd.start, found.initrd.size)], [1, 2, 3]);
    const image = linuxKernel();
    const changed = new Set([0x210, 0x218, 0x219, 0x21a, 0x21b, 0x21c, 0x228, 0x229, 0x22a, 0x22b]);
    for (let at = 0x1f1; at < 0x26c; at++) {
      if (!changed.has(at)) assert.equal(found.header[at - 0x1f1], image[at], at.toString(16));
    }
  });
}

test('linux64: the first 4 GiB are mapped identically, for the supervisor, in pages of 2 MiB', () => {
  const { state, u64 } = halted(linuxKernel(), { protocol: 'linux64' });
  assert.deepEqual([state.cr0 & 0x80000001n, state.cr4 & 0x20n, state.efer], [0x80000001n, 0x20n, 0x500n]);
  const next = (entry: bigint) => {
    assert.equal(entry & 0x87n, 3n, 'present and writable table, without U/S');
    return entry & ~0xfffn;
  };
  const pointers = next(u64(state.cr3));
  for (let gib = 0n; gib < 4n; gib++) {
    const directory = next(u64(pointers + 8n * gib));
    for (const index of [0n, 1n, 511n]) {
      const page = (gib << 30n) + (index << 21n);
      assert.equal(u64(directory + 8n * index) & ~0x60n, page | 0x83n);
    }
  }
  assert.equal(u64(pointers + 32n), 0n);
});

test('linux16: the setup code runs in real mode at segment + 0x20, with its heap and command line above it', () => {
  const image = linuxKernel({ fields: RELOCATABLE });
  image[0x200] = 0xeb; // The jump over the header is the first instruction.
  image.set([HLT], 0x202 + 0x6a);
  const modules = [{ bytes: Uint8Array.of(7), commandLine: '' }];
  const { report, state, u16, u32, text, bytes } = bootPcKernel(image, {
    protocol: 'linux16',
    commandLine: 'x=1',
    modules,
  });
  assert.deepEqual([report.outcome, report.instructions], ['halted', 2], report.reason);
  assert.equal(report.vcpus[0]!.mode, 'real');
  const { segments, general, rip } = state;
  assert.deepEqual([segments.cs.selector, segments.cs.base, rip], [0x1020, 0x10200n, 0x6dn]);
  for (const name of [...DATA_SEGMENTS, 'fs', 'gs'] as const) assert.equal(segments[name].selector, 0x1000);
  assert.equal(general.rsp, 0xe000n);
  assert.equal(u16(0x10000 + SETUP.heapEndPtr), 0xde00);
  assert.equal(bytes(0x10000 + SETUP.loadflags, 1)[0], 0x81);
  assert.equal(u16(0x10000 + SETUP.vidMode), 0xffff);
  assert.equal(u32(0x10000 + SETUP.code32Start), 0x1000000);
  assert.equal(text(u32(0x10000 + SETUP.cmdLinePtr)), 'x=1');
  assert.deepEqual([...bytes(u32(0x10000 + SETUP.ramdiskImage), 1)], [7]);
});

for (const [title, fields, memory, load] of [
  ['a relocatable kernel goes to pref_address', RELOCATABLE, 64n, 0x1000000n],
  ['where that is no RAM, to the first address of its alignment', RELOCATABLE, 16n, 0x200000n],
  [
    'where that is none either, as low as min_alignment lets it',
    [...RELOCATABLE, [SETUP.minAlignment, 1, 12], [SETUP.initSize, 4, 0xf0000]],
    2n,
    0x100000n,
  ],
  [
    'a pref_address that is not aligned is not taken',
    [...RELOCATABLE, [SETUP.prefAddress, 8, 0x1100000]],
    64n,
    0x200000n,
  ],
  ['any other kernel goes to 1 MiB', [[SETUP.prefAddress, 8, 0x1000000]], 64n, 0x100000n],
] as const satisfies readonly (readonly [string, readonly SetupField[], bigint, bigint])[]) {
  test(title, () => {
    const booted = halted(linuxKernel({ fields }), { protocol: 'linux32', memory: memory * MIB });
    assert.equal(booted.state.rip, load + 1n);
    assert.equal(parameters(booted).code32, Number(load));
  });
}

test('an initrd lies as high as initrd_addr_max and RAM allow, several follow each other at multiples of 4', () => {
  const modules = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6)].map((bytes) => ({
    bytes,
    commandLine: '',
  }));
  const place = (last: number) => {
    const kernel = linuxKernel({ fields: [[SETUP.initrdAddrMax, 4, last]] });
    const booted = halted(kernel, { protocol: 'linux32', modules });
    const { initrd } = parameters(booted);
    return [initrd.start, [...booted.bytes(initrd.start, initrd.size)]];
  };
  const joined = [1, 2, 3, 4, 5, 0, 0, 0, 6];
  assert.deepEqual(place(0x7fffffff), [0x3fff000, joined]);
  assert.deepEqual(place(0x2ffffff), [0x2fff000, joined]);
  assert.deepEqual(place(0x2fffffe), [0x2ffe000, joined]);
});

for (const [title, image, asked, message] of [
  [
    'init_size beyond RAM',
    linuxKernel({ fields: [[SETUP.initSize, 4, 0x4000000]] }),
    {},
    /init_size 0x4000000 from 0x100000 on is not all RAM\./,
  ],
  [
    'init_size that fits nowhere',
    linuxKernel({ fields: [...RELOCATABLE, [SETUP.initSize, 4, 0x4000000]] }),
    {},
    /init_size 0x4000000 from 0x1000000 on is not all RAM, nor from any lower address/,
  ],
  [
    'a command line of 2048 bytes',
    linuxKernel(),
    { commandLine: 'x'.repeat(2048) },
    /the command line has 2048 bytes, cmdline_size allows 2047/,
  ],
  [
    'a 64-bit entry that is not there',
    linuxKernel({ fields: [[SETUP.xloadflags, 2, 4]] }),
    { protocol: 'linux64' },
    /xloadflags 0x4 lacks bit 0 \(XLF_KERNEL_64\)/,
  ],
  [
    'a 32-bit entry that is not there',
    linuxKernel({ fields: [[SETUP.code32Start, 4, 0]] }),
    { protocol: 'linux32' },
    /code32_start is 0: only the setup code can start the kernel/,
  ],
  [
    'real-mode code of 33 KiB',
    linuxFile({
      kernel: new Uint8Array(0x20000),
      fields: [
        [SETUP.setupSects, 1, 65],
        [SETUP.syssize, 4, 0x100],
      ],
    }),
    { protocol: 'linux16' },
    /setup_sects makes 0x8400 bytes of real-mode code, more than 0x8000/,
  ],
  [
    'an initrd that does not fit',
    linuxKernel(),
    { memory: 2n * MIB, modules: [{ bytes: new Uint8Array(0x100000), commandLine: '' }] },
    /no room for an initrd of 0x100000 bytes that ends at 0x7fffffff at most/,
  ],
  ['an image that is no kernel', new Uint8Array(600), { protocol: 'linux32' }, /there is no "HdrS" at 0x202/],
  [
    'a module for a plain ELF file',
    plainElf(32),
    { modules: [{ bytes: Uint8Array.of(1), commandLine: '' }] },
    /no boot protocol that would tell it of a module/,
  ],
  ['a command line for OpenBSD', openbsdElf(), { commandLine: '-s' }, /no place for a command line \("-s"\)/],
  [
    'an ELF32 file for the 64-bit protocol',
    plainElf(32),
    { protocol: 'linux-elf64' },
    /EI_CLASS says ELF32, linux-elf64 wants ELF64/,
  ],
] as const satisfies readonly (readonly [string, Uint8Array, AskedOfPc, RegExp])[]) {
  test(`${title} is named, and nothing runs`, () => {
    assert.match(problemOf(image, asked), message);
  });
}

for (const bits of [32, 64] as const) {
  test(`pvh, ELF${bits}: 32-bit flat protected mode, EBX at start information of version 1`, () => {
    const modules = [
      { bytes: Uint8Array.of(1, 2), commandLine: 'initrd.img' },
      { bytes: Uint8Array.of(3), commandLine: 'two x' },
    ];
    const { state, report, u32, u64, text, bytes } = halted(pvhElf(bits), { commandLine: 'a b', modules });
    assert.equal(report.vcpus[0]!.mode, 'protected-32');
    assert.deepEqual([state.rip, state.cr0, state.cr4, state.efer], [ENTRY + 1n, 0x11n, 0n, 0n]);
    assert.deepEqual([state.segments.tr.base, state.segments.tr.limit], [0n, 0x67]);
    assert.equal(state.segments.tr.attributes & 0xf, 0xb, 'a busy 32-bit TSS');
    const at = state.general.rbx;
    assert.deepEqual([u32(at), u32(at + 4n), u32(at + 8n)], [0x336ec578, 1, 0]);
    assert.deepEqual([text(u64(at + 24n)), u64(at + 32n)], ['a b', 0xf0000n]);
    const list = u64(at + 16n);
    const loaded = Array.from({ length: u32(at + 12n) }, (_, i) => {
      const entry = list + 32n * BigInt(i);
      return [[...bytes(u64(entry), Number(u64(entry + 8n)))], text(u64(entry + 16n))];
    });
    assert.deepEqual(loaded, [
      [[1, 2], 'initrd.img'],
      [[3], 'two x'],
    ]);
    const map = u64(at + 40n);
    assert.deepEqual([u32(at + 48n), u64(map), u64(map + 8n), u32(map + 16n)], [4, 0n, 0x9fc00n, RAM]);
  });

  test(`elf, ELF${bits}: 32-bit flat protected mode at e_entry, all registers zero`, () => {
    const { state, report } = halted(plainElf(bits));
    assert.equal(report.vcpus[0]!.mode, 'protected-32');
    assert.equal(state.rip, ENTRY + 1n);
    assert.ok(Object.values(state.general).every((value) => value === 0n));
  });

  test(`linux-elf${bits}: a vmlinux gets boot_params with a header of the loader's own`, () => {
    const asked = { protocol: `linux-elf${bits}`, commandLine: 'quiet' };
    const booted = halted(plainElf(bits), asked);
    assert.equal(booted.report.vcpus[0]!.mode, bits === 64 ? 'long' : 'protected-32');
    assert.equal(booted.state.rip, ENTRY + 1n);
    const { at, line, loader, rsdp, map } = parameters(booted);
    assert.deepEqual([line, loader, rsdp, map.length], ['quiet', 0xff, 0xf0000n, 4]);
    assert.deepEqual([booted.u16(at + 0x1fen), booted.u32(at + 0x202n)], [0xaa55, 0x53726448]);
  });
}

for (const [title, entry] of [
  ['physical', ENTRY],
  ['virtual', 0xffffffff80000000n + ENTRY],
] as const) {
  test(`openbsd: a ${title} e_entry, arguments on the stack and in memory`, () => {
    const { state, u32, u64 } = halted(openbsdElf(entry));
    assert.equal(state.rip, ENTRY + 1n);
    const argument = (index: bigint) => u32(state.general.rsp + 4n + 4n * index);
    assert.deepEqual([argument(0n), argument(1n), argument(2n)], [0, 0xa0000004, 0x0e]);
    assert.equal(argument(3n), 0x103000, 'end');
    const size = argument(6n);
    const list = argument(7n);
    const mapSize = 12 + 20 * 4 + 20;
    assert.deepEqual([u32(list), u32(list + 4), u32(list + 8)], [0, mapSize, mapSize]);
    assert.deepEqual([u64(list + 12), u64(list + 20), u32(list + 28)], [0n, 0x9fc00n, RAM]);
    const console = list + mapSize;
    assert.deepEqual([u32(console), u32(console + 12), u32(console + 20)], [5, 0x800, 0x3f8]);
    // The console with an address of 64 bits, and the word that ends the list.
    assert.equal(u32(console + 44), 0xffffffff);
    assert.equal(size, mapSize + 44 + 4);
  });
}

for (const [title, image, name] of [
  ['a bzImage with a 64-bit entry', linuxKernel(), 'linux64'],
  ['a bzImage without one', linuxKernel({ fields: [[SETUP.xloadflags, 2, 4]] }), 'linux32'],
  [
    'a bzImage whose code32_start is 0',
    linuxKernel({
      fields: [
        [SETUP.code32Start, 4, 0],
        [SETUP.xloadflags, 2, 0],
      ],
    }),
    'linux16',
  ],
  ['a bzImage that lies', linuxKernel({ fields: [[SETUP.loadflags, 1, 0]] }), 'linux32'],
  ['an ELF file with a PVH entry', pvhElf(64), 'pvh'],
  ['a vmlinux', noteFile(noteBytes([{ owner: 'Linux', type: 0, descriptor: number(0n, 4) }])), 'linux-elf64'],
  [
    'an i386 vmlinux',
    noteFile(noteBytes([{ owner: 'Linux', type: 0, descriptor: number(0n, 4) }]), { bits: 32 }),
    'linux-elf32',
  ],
  ['an OpenBSD kernel', openbsdElf(), 'openbsd'],
  ['any other ELF file', plainElf(64), 'elf'],
] as const) {
  test(`${title} boots by ${name} where no protocol is named`, () => {
    assert.equal(protocolFor(image, null)?.name, name);
  });
}

test('a kernel that leaves no room in low memory gets its structures behind itself', () => {
  const kernel = elfFile({
    bits: 32,
    entry: 0x1000n,
    segments: [{ physical: 0x1000n, virtual: 0x1000n, bytes: Uint8Array.of(HLT), memorySize: 0x9e000n }],
  });
  const { state } = halted(kernel, { protocol: 'linux-elf32' });
  assert.ok(state.general.rsi >= MIB, state.general.rsi.toString(16));
});

test('every protocol has a name of its own', () => {
  assert.equal(new Set(BOOT_PROTOCOLS.map(({ name }) => name)).size, BOOT_PROTOCOLS.length);
});
