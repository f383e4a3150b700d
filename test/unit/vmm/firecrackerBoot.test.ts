/**
 * What a microVM's memory and registers hold before the first instruction. Values: regs.rs (GDT, IDT, page tables, registers; its
 * own tests validate_segments_and_sregs and validate_page_tables have the same), mod.rs (zero page, PVH start info), mptable.rs.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import { simulate } from '../../../server/src/simulation/simulate';
import { FIRECRACKER } from '../../../server/src/vmm/firecracker/model';
import { elfFile } from '../simulation/elfFile';
import { ScriptedCore, type Program } from '../simulation/scriptedCore';
import { noteBytes, noteFile, number } from '../image/noteFile';
import { linuxFile } from '../image/linuxFile';
import { firecrackerMachine } from './firecrackerMachine';

const NEWEST = 'main-2026-08';
const ENTRY = 0x1000040n;
const VMLINUX = elfFile({
  entry: ENTRY,
  segments: [{ physical: 0x1000000n, virtual: 0x1000000n, bytes: new Uint8Array(0x100).fill(0x90) }],
});
const PVH = noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) }]));

interface Options {
  readonly version?: string;
  readonly mib?: bigint | null;
  readonly vcpus?: number;
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly sections?: string;
  readonly program?: Program;
}

function boot({ version = NEWEST, mib = null, vcpus = 1, sections = '', ...options }: Options = {}) {
  let core: ScriptedCore | null = null;
  const report = simulate(
    firecrackerMachine(version, mib, vcpus, sections),
    FIRECRACKER,
    version,
    {
      machine: null,
      firmware: null,
      kernel: options.kernel ?? VMLINUX,
      initrd: options.initrd ?? null,
      probe: null,
      taps: [],
      maxInstructions: 1000,
      reboots: 0,
    },
    {
      createCore: (core_: CoreOptions): Core =>
        (core = new ScriptedCore(core_, options.program ?? function* () {})),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  return { report, core: core as unknown as ScriptedCore };
}

const quads = (core: ScriptedCore, address: bigint, count: number): string[] => {
  const bytes = core.read(address, 8 * count)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, index) => view.getBigUint64(8 * index, true).toString(16));
};
const word = (core: ScriptedCore, address: bigint): number => {
  const bytes = core.read(address, 4)!;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
};
const text = (core: ScriptedCore, address: bigint, length: number): string =>
  String.fromCharCode(...core.read(address, length)!);
/** Entries of the zero page's e820 table. */
const e820 = (core: ScriptedCore): string[] =>
  Array.from({ length: core.read(0x71e8n, 1)![0]! }, (_, index) => {
    const at = 0x72d0n + 20n * BigInt(index);
    return `${quads(core, at, 2).join('+')} ${word(core, at + 16n)}`;
  });

test('64-bit boot: registers of regs.rs, CR0 with CD and NW as KVM_CREATE_VCPU leaves them', () => {
  const { core } = boot();
  const state = core.state();
  const { rsp, rbp, rsi, ...others } = state.general;
  assert.deepEqual([state.rip, rsp, rbp, rsi], [ENTRY, 0x8ff0n, 0x8ff0n, 0x7000n]);
  assert.ok(Object.values(others).every((value) => value === 0n));
  assert.deepEqual(
    [state.rflags, state.cr0, state.cr3, state.cr4, state.efer],
    [2n, 0xe0000011n, 0x9000n, 0x20n, 0x500n],
  );
  assert.deepEqual(
    [state.gdtr, state.idtr],
    [
      { base: 0x500n, limit: 0x1f },
      { base: 0x520n, limit: 7 },
    ],
  );
  const { cs, ds, ss, fs, tr } = state.segments;
  assert.deepEqual(cs, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xa09b });
  for (const data of [ds, ss, fs]) assert.deepEqual([data.selector, data.attributes], [0x10, 0xc093]);
  assert.deepEqual(tr, { selector: 0x18, base: 0n, limit: 0xffffffff, attributes: 0x808b });
});

test('64-bit boot: GDT at 0x500, IDT at 0x520, tables from 0x9000 that map the first GiB', () => {
  const { core } = boot();
  assert.deepEqual(quads(core, 0x500n, 4), ['0', 'af9b000000ffff', 'cf93000000ffff', '8f8b000000ffff']);
  assert.deepEqual(quads(core, 0x520n, 1), ['0']);
  assert.deepEqual(
    [quads(core, 0x9000n, 2), quads(core, 0xa000n, 2)],
    [
      ['a003', '0'],
      ['b003', '0'],
    ],
  );
  assert.deepEqual(quads(core, 0xb000n, 2), ['83', '200083']);
  assert.deepEqual(quads(core, 0xbff8n, 1), ['3fe00083']);
});

for (const [version, mib, entries] of [
  [NEWEST, null, ['0+9fc00 1', '9fc00+40400 2', 'eec00000+10000000 2', '100000+7f00000 1']],
  ['1.12', 8192n, ['0+9fc00 1', '9fc00+40400 2', '100000+cff00000 1', '100000000+130000000 1']],
  ['1.5', 128n, ['0+9fc00 1', '9fc00+400 2', '100000+7f00000 1']],
  ['1.4', 1024n, ['0+9fc00 1', '100000+3ff00000 1']],
] as const) {
  test(`64-bit boot: the zero page of firecracker@${version} with ${mib ?? 128n} MiB`, () => {
    const { core } = boot({ version, mib });
    assert.deepEqual(e820(core), entries);
    // type_of_loader, boot_flag, "HdrS", cmd_line_ptr, kernel_alignment.
    assert.equal(core.read(0x7210n, 1)![0], 0xff);
    assert.equal(word(core, 0x71fen) & 0xffff, 0xaa55);
    assert.equal(text(core, 0x7202n, 4), 'HdrS');
    assert.deepEqual([word(core, 0x7228n), word(core, 0x7230n)], [0x20000, 0x1000000]);
    assert.equal(quads(core, 0x7070n, 1)[0], version === '1.5' || version === '1.4' ? '0' : 'e0000');
    const length = word(core, 0x7238n);
    const line = text(core, 0x20000n, length);
    assert.match(line, /^reboot=k panic=1 .*pci=off[^\0]*\0$/);
  });
}

test('the MP table is at 0x9fc00: one entry a vCPU, and from 1.7 on a count that has the floating pointer in it', () => {
  for (const [version, count] of [
    ['1.6', 0],
    ['1.7', 4 + 1 + 1 + 24 + 2 + 1],
  ] as const) {
    const { core } = boot({ version, mib: 128n, vcpus: 4 });
    assert.equal(text(core, 0x9fc00n, 4), '_MP_');
    assert.equal(word(core, 0x9fc04n), 0x9fc10);
    assert.equal(text(core, 0x9fc10n, 4), 'PCMP');
    assert.equal(word(core, 0x9fc10n + 34n) & 0xffff, count, version);
    assert.equal(word(core, 0x9fc14n) & 0xffff, 44 + 4 * 20 + 28 * 8);
  }
});

test('ACPI: RSDP at 0xe0000 from 1.8 on, its checksums right, XSDT with FADT and MADT, and MCFG from 1.13 on', () => {
  for (const [version, tables] of [
    ['1.7', null],
    ['1.8', ['FACP', 'APIC']],
    ['1.13', ['FACP', 'APIC', 'MCFG']],
  ] as const) {
    const { core } = boot({ version, mib: 128n, vcpus: 2 });
    if (!tables) {
      assert.notEqual(text(core, 0xe0000n, 8), 'RSD PTR ');
      continue;
    }
    assert.equal(text(core, 0xe0000n, 15), 'RSD PTR \x00FIRECK'.replace('\x00', text(core, 0xe0008n, 1)));
    const sum = (address: bigint, length: number) =>
      core.read(address, length)!.reduce((a, b) => (a + b) & 0xff, 0);
    assert.deepEqual([sum(0xe0000n, 20), sum(0xe0000n, 36)], [0, 0]);
    const xsdt = BigInt(`0x${quads(core, 0xe0018n, 1)[0]}`);
    assert.ok(xsdt > 0x9fc00n && xsdt < 0xe0000n);
    assert.equal(sum(xsdt, word(core, xsdt + 4n)), 0);
    const listed = quads(core, xsdt + 36n, tables.length).map((address) => BigInt(`0x${address}`));
    assert.deepEqual(
      listed.map((address) => text(core, address, 4)),
      tables,
    );
    for (const address of listed) assert.equal(sum(address, word(core, address + 4n)), 0);
    const [fadt, madt] = listed as [bigint, bigint];
    assert.deepEqual([word(core, fadt + 4n), word(core, fadt + 112n)], [276, 0x100030]);
    assert.equal(text(core, fadt + 268n, 8), 'FIRECKVM');
    assert.equal(text(core, BigInt(`0x${quads(core, fadt + 140n, 1)[0]}`), 4), 'DSDT');
    // IOAPIC 0 at 0xfec00000, then local APICs.
    assert.deepEqual([...core.read(madt + 44n, 12)!], [1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    assert.deepEqual([...core.read(madt + 64n, 8)!], [0, 8, 1, 1, 1, 0, 0, 0]);
  }
});

test('PVH boot: 32-bit protected mode, RBX at the start info, its memory map at 0x7000', () => {
  const { core } = boot({ kernel: PVH, mib: 8192n });
  const state = core.state();
  assert.deepEqual(
    [state.rip, state.general.rbx, state.cr0, state.cr4, state.efer],
    [0x100000n, 0x6000n, 0x11n, 0n, 0n],
  );
  assert.deepEqual(state.segments.cs, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xc09b });
  assert.deepEqual(state.segments.tr, { selector: 0x18, base: 0n, limit: 0x67, attributes: 0x008b });
  assert.deepEqual(quads(core, 0x500n, 4), ['0', 'cf9b000000ffff', 'cf93000000ffff', '8b0000000067']);
  assert.deepEqual([word(core, 0x6000n), word(core, 0x6004n), word(core, 0x600cn)], [0x336ec578, 1, 0]);
  // modlist, cmdline, rsdp (left 0), memmap.
  assert.deepEqual(quads(core, 0x6010n, 4), ['0', '20000', '0', '7000']);
  assert.equal(word(core, 0x6030n), 5);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => quads(core, 0x7000n + 24n * BigInt(index), 3).join(' ')),
    ['0 9fc00 1', '9fc00 40400 2', 'eec00000 10000000 2', '100000 bff00000 1', '100000000 140000000 1'],
  );
});

test('an ELF kernel with a PVH note is entered by the 64-bit protocol before 1.12', () => {
  const { core } = boot({ kernel: PVH, version: '1.11', mib: 128n });
  assert.equal(core.state().efer, 0x500n);
});

test('the initrd ends where the first range of RAM does, its start on a page', () => {
  const initrd = new Uint8Array(0x1801).fill(7);
  const { core } = boot({ initrd, mib: 8192n });
  assert.deepEqual([word(core, 0x7218n), word(core, 0x721cn)], [0xbfffe000, 0x1801]);
  assert.equal(core.read(0xbfffe000n, 1)![0], 7);
  const { core: pvh } = boot({ initrd, kernel: PVH, mib: 128n });
  assert.deepEqual(quads(pvh, 0x6010n, 1), ['6040']);
  assert.deepEqual(quads(pvh, 0x6040n, 2), ['7ffe000', '1801']);
});

test('a bzImage is loaded at code32_start and entered 0x200 behind, with its own header in the zero page; before, it is refused', () => {
  const kernel = linuxFile({
    fields: [
      [0x214, 4, 0x100000],
      [0x236, 2, 1],
    ],
  });
  const { core } = boot({ kernel });
  assert.equal(core.state().rip, 0x100200n);
  assert.equal(
    word(core, 0x7206n) & 0xffff,
    new DataView(kernel.buffer, kernel.byteOffset).getUint16(0x206, true),
  );
  const { report } = boot({ kernel, version: '1.16', mib: 128n });
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /takes an uncompressed ELF kernel only/);
});

for (const [what, options, sentence] of [
  [
    'ELF32',
    {
      kernel: elfFile({
        bits: 32,
        entry: 0x100000n,
        segments: [{ physical: 0x100000n, virtual: 0x100000n, bytes: Uint8Array.of(0xf4) }],
      }),
    },
    /ELF64 only/,
  ],
  [
    'an entry below 1 MiB',
    {
      kernel: elfFile({
        entry: 0x8000n,
        segments: [{ physical: 0x8000n, virtual: 0x8000n, bytes: Uint8Array.of(0xf4) }],
      }),
    },
    /below 1 MiB/,
  ],
  [
    'a segment outside RAM',
    {
      kernel: elfFile({
        entry: 0x10000000n,
        segments: [{ physical: 0x10000000n, virtual: 0x10000000n, bytes: Uint8Array.of(0xf4) }],
      }),
    },
    /not all RAM/,
  ],
  ['text', { kernel: new TextEncoder().encode('#!/bin/sh') }, /HdrS/],
  ['33 vCPUs', { mib: 128n, vcpus: 33 }, /takes 1 to 32 vCPUs, and the guest has 33/],
] as const) {
  test(`a kernel or config with ${what} is refused in words`, () => {
    const { report } = boot(options);
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, sentence);
  });
}

for (const [what, version, program, outcome, status, reason] of [
  [
    'OUT 0x64, 0xfe ends Firecracker with success',
    '1.16',
    function* (cpu) {
      cpu.out(0x64, 0xfe);
      yield;
    },
    'vmm-exit',
    0,
    /exit status 0/,
  ],
  [
    'a triple fault ends it with success up to 1.14',
    '1.14',
    function* () {
      yield 'shutdown';
    },
    'triple-fault',
    0,
    /exit status 0, as after an orderly reboot/,
  ],
  [
    'a triple fault is an error from 1.15 on',
    '1.15',
    function* () {
      yield 'shutdown';
    },
    'triple-fault',
    1,
    /exit status 1/,
  ],
] as const satisfies readonly (readonly [string, string, Program, string, number, RegExp])[]) {
  test(what, () => {
    const { report } = boot({ version, mib: 128n, program });
    assert.deepEqual([report.outcome, report.exitStatus], [outcome, status]);
    assert.match(report.reason, reason);
  });
}

test('nobody answers: ports and device addresses read zero; a wide access to the serial port too', () => {
  const seen: (number | bigint)[] = [];
  boot({
    program: function* (cpu) {
      seen.push(cpu.in(0xcf8, 4), cpu.in(0x70), cpu.load(0xc0001000n), cpu.in(0x3f8, 2));
      cpu.out(0x3f8, 0x4241, 2);
      yield;
    },
  });
  assert.deepEqual(seen, [0, 0, 0n, 0]);
});

test('three serial ports write nowhere up to 1.15, and are gone in 1.16', () => {
  const lsr = (version: string) => {
    let value = -1;
    boot({
      version,
      mib: 128n,
      program: function* (cpu) {
        value = cpu.in(0x2fd);
        yield;
      },
    });
    return value;
  };
  assert.deepEqual([lsr('1.15'), lsr('1.16')], [0x60, 0]);
});
