/** What bhyve puts into memory before the first instruction, and the registers at it, by boot method. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { GIB, MIB } from '../../../server/src/address/range';
import { bootMethod } from '../../../server/src/vmm/bhyve/boot';
import { modeOf, type VcpuState } from '../../../server/src/x86/state';
import { elfFile } from '../simulation/elfFile';
import type { ScriptedCore } from '../simulation/scriptedCore';
import { powerOn, rom } from './poweredGuest';

const ROM = rom(Number(2n * MIB));
const ascii = (bytes: Uint8Array | null) => String.fromCharCode(...(bytes ?? []));
const u32 = (core: ScriptedCore, at: bigint) => new DataView(core.read(at, 4)!.buffer).getUint32(0, true);
const u64 = (core: ScriptedCore, at: bigint) => new DataView(core.read(at, 8)!.buffer).getBigUint64(0, true);

/**
 * rtc.c, rtc_init: registers 0x34 and 0x35 are 64 KiB units from 16 MiB to the end of low memory, 0x5b to 0x5d from 4 GiB on.
 * Below 16 MiB the subtraction wraps.
 */
const CMOS: readonly (readonly [size: bigint, registers: readonly number[]])[] = [
  [GIB, [0x00, 0x3f, 0, 0, 0]],
  [3n * GIB, [0x00, 0xbf, 0, 0, 0]],
  [4n * GIB, [0x00, 0xbf, 0x00, 0x40, 0]],
  [8n * GIB, [0x00, 0xbf, 0x00, 0x40, 0x01]],
  [8n * MIB, [0x80, 0xff, 0, 0, 0]],
];

for (const version of ['illumos-2021-08', 'illumos-2025', 'freebsd-13', 'freebsd-15']) {
  for (const [size, registers] of CMOS) {
    test(`${version}: a 2 MiB boot ROM, ${size / MIB} MiB of memory, and what CMOS says of it`, () => {
      const seen: number[] = [];
      const { core, report } = powerOn(version, { memory: size }, { firmware: ROM }, function* (cpu) {
        for (const index of [0x34, 0x35, 0x5b, 0x5c, 0x5d]) {
          cpu.out(0x70, index);
          seen.push(cpu.in(0x71));
        }
        yield 'halt';
      });
      assert.equal(report.outcome, 'halted', report.reason);
      assert.deepEqual(seen, registers);
      // bootrom.c: the ROM's last byte is at 4 GiB - 1, and there is no copy below 1 MiB.
      assert.deepEqual(core.read(0xffe00000n, 16), ROM.subarray(0, 16));
      assert.deepEqual(core.read(0xfffffff0n, 16), ROM.subarray(-16));
      assert.deepEqual(core.read(0xffdffff0n, 16), null);
      assert.equal(
        core.read(0xffff0n, 16)!.every((byte) => byte === 0),
        true,
      );
      const low = size < 3n * GIB ? size : 3n * GIB;
      assert.notEqual(core.read(low - 1n, 1), null);
      assert.equal(core.read(low, 1), null);
    });
  }
}

test('a boot ROM of no whole pages, or of more than 16 MiB, is refused', () => {
  for (const size of [0x1000 + 1, 0, 0x1001000]) {
    const { report } = powerOn('freebsd-15', {}, { firmware: rom(size) });
    assert.match(report.reason, /bootrom\.c takes whole pages of 4 KiB, 16 MiB at most/);
  }
});

/** mptbl.c, MPTABLE_BASE: 0xF0000, and 0xE0000 on illumos since it took SMBIOS tables of its own. */
const MP_TABLE: readonly (readonly [version: string, at: bigint])[] = [
  ['illumos-2020-09', 0xf0000n],
  ['illumos-2021-08', 0xf0000n],
  ['illumos-2025', 0xe0000n],
  ['freebsd-13', 0xf0000n],
  ['freebsd-14', 0xf0000n],
  ['freebsd-15', 0xf0000n],
];

for (const [version, at] of MP_TABLE) {
  test(`${version} has its MP table at 0x${at.toString(16)}`, () => {
    const { core } = powerOn(version, { vcpus: 2 }, { firmware: ROM });
    assert.equal(ascii(core.read(at, 4)), '_MP_');
    assert.equal(u32(core, at + 4n), Number(at) + 16);
    const pointer = core.read(at, 16)!;
    assert.equal(pointer.reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
    const length = core.read(at + 20n, 2)!;
    // Header, two processors, two buses, the I/O APIC, 16 inputs and two local interrupts.
    assert.equal(length[0]! + 256 * length[1]!, 44 + 2 * 20 + 8 * (2 + 1 + 16 + 2));
    const table = core.read(at + 16n, length[0]! + 256 * length[1]!)!;
    assert.equal(table.reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
    assert.equal(ascii(table.subarray(0, 4)), 'PCMP');
    assert.equal(ascii(table.subarray(8, 28)), 'BHyVe   Hypervisor  ');
    assert.deepEqual([...table.subarray(44, 48)], [0, 0, 16, 3]);
    assert.deepEqual([...table.subarray(64, 68)], [0, 1, 16, 1]);
  });
}

test('x86.mptable=false leaves it out', () => {
  const { core } = powerOn('freebsd-15', { settings: { 'x86.mptable': 'false' } }, { firmware: ROM });
  assert.deepEqual([...core.read(0xf0000n, 4)!], [0, 0, 0, 0]);
});

test('a guest whose memory ends below its MP table does not start', () => {
  const { report } = powerOn('freebsd-15', { memory: 0x10000n * 8n }, { firmware: ROM });
  assert.match(report.reason, /mptable requires mapped mem/);
});

/** smbiostbl.c: type and handle of each structure. */
for (const [memory, vcpus, structures] of [
  [GIB, 1, '0:1 1:2 2:3 3:4 4:5 16:6 17:7 19:8 32:9 127:10'],
  [8n * GIB, 2, '0:1 1:2 2:3 3:4 4:5 4:6 16:7 17:8 19:9 19:10 32:11 127:12'],
] as const) {
  test(`SMBIOS tables of ${memory / GIB} GiB and ${vcpus} vCPUs: ${structures}`, () => {
    const settings = { uuid: '00112233-4455-6677-8899-aabbccddeeff' };
    const { core } = powerOn('freebsd-15', { memory, vcpus, settings }, { firmware: ROM });
    const entry = core.read(0xf1000n, 31)!;
    assert.deepEqual([ascii(entry.subarray(0, 4)), ascii(entry.subarray(16, 21))], ['_SM_', '_DMI_']);
    const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0) & 0xff;
    assert.deepEqual([sum(entry), sum(entry.subarray(16))], [0, 0]);
    const length = entry[22]! + 256 * entry[23]!;
    const table = core.read(BigInt(u32(core, 0xf1018n)), length)!;
    const found: string[] = [];
    for (let at = 0; at < table.length;) {
      found.push(`${table[at]}:${table[at + 2]}`);
      if (table[at] === 1) {
        assert.deepEqual([...table.subarray(at + 8, at + 16)], [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66]);
        assert.ok(
          ascii(table.subarray(at + 27)).startsWith('FreeBSD\0BHYVE\x001.0\0None\0None\0Virtual Machine\0\0'),
        );
      }
      at += table[at + 1]!;
      while (table[at] !== 0 || table[at + 1] !== 0) at++;
      at += 2;
    }
    assert.equal(found.join(' '), structures);
    assert.equal(entry[28], found.length);
  });
}

test('illumos signs its SMBIOS tables, and its strings can be set in the config', () => {
  const settings = { 'system.product_name': 'Box' };
  const { core } = powerOn('illumos-2025', { settings }, { firmware: ROM });
  const strings = ascii(core.read(0xf1000n, 300)).split('\0');
  for (const text of ['10/10/2021', 'illumos', 'Box']) assert.ok(strings.includes(text), text);
  assert.deepEqual([...powerOn('freebsd-13', {}, { firmware: ROM }).core.read(0xf1000n, 4)!], [0, 0, 0, 0]);
});

/** acpi.c before basl.c, and with it; `acpi_tables` is false on illumos where nothing asks for it. */
const ACPI: readonly (readonly [version: string, settings: Record<string, string>, tables: string[]])[] = [
  ['illumos-2021-08', {}, []],
  ['illumos-2025', {}, []],
  ['freebsd-13', {}, []],
  ['freebsd-14', {}, []],
  [
    'illumos-2021-08',
    { acpi_tables: 'true' },
    [
      'RSD@f2400',
      'RSDT@f2440',
      'APIC@f2500',
      'FACP@f2600',
      'FACS@f27c0',
      'DSDT@f2800',
      'HPET@f2740',
      'MCFG@f2780',
    ],
  ],
  [
    'freebsd-14',
    { acpi_tables: 'true' },
    [
      'RSD@f2490',
      'RSDT@f2400',
      'FACP@f24c0',
      'FACS@f26c0',
      'DSDT@f2700',
      'APIC@f25d0',
      'HPET@f2630',
      'MCFG@f2670',
    ],
  ],
  [
    'freebsd-15',
    {},
    [
      'RSD@f2490',
      'RSDT@f2400',
      'FACP@f24c0',
      'FACS@f26c0',
      'DSDT@f2750',
      'APIC@f25d0',
      'HPET@f2630',
      'MCFG@f2670',
      'SPCR@f2700',
    ],
  ],
];

/** Follows the RSDP that a guest finds at a multiple of 16. */
function acpiTables(core: ScriptedCore): string[] {
  for (let at = 0xe0000n; at < 0x100000n; at += 16n) {
    if (ascii(core.read(at, 8)) !== 'RSD PTR ') continue;
    const sum = (from: bigint, size: number) => core.read(from, size)!.reduce((a, b) => a + b, 0) & 0xff;
    assert.deepEqual([sum(at, 20), sum(at, 36)], [0, 0]);
    const rsdt = BigInt(u32(core, at + 16n));
    const found = [`RSD@${at.toString(16)}`];
    const visit = (table: bigint) => {
      const name = ascii(core.read(table, 4));
      const size = u32(core, table + 4n);
      found.push(`${name}@${table.toString(16)}`);
      if (name !== 'FACS') assert.equal(sum(table, size), 0, name);
      if (name === 'FACP') {
        visit(BigInt(u32(core, table + 36n)));
        visit(BigInt(u32(core, table + 40n)));
      }
      if (name === 'RSDT') for (let i = 36n; i < BigInt(size); i += 4n) visit(BigInt(u32(core, table + i)));
    };
    visit(rsdt);
    return found;
  }
  return [];
}

for (const [version, settings, tables] of ACPI) {
  test(`${version} with ${JSON.stringify(settings)}: ${tables.join(' ') || 'no ACPI tables'}`, () => {
    assert.deepEqual(acpiTables(powerOn(version, { settings }, { firmware: ROM }).core), tables);
  });
}

test('the FADT names the ports of pm.c, the SMI command port and the reset register', () => {
  const { core } = powerOn('freebsd-15', {}, { firmware: ROM });
  const at = 0xf24c0n;
  assert.equal(u32(core, at + 4n), 268);
  assert.equal(core.read(at + 46n, 1)![0], 9);
  assert.equal(u32(core, at + 48n), 0xb2);
  assert.deepEqual([...core.read(at + 52n, 2)!], [0xa0, 0xa1]);
  assert.deepEqual(
    [56n, 64n, 76n, 80n].map((field) => u32(core, at + field)),
    [0x400, 0x404, 0x408, 0x40c],
  );
  assert.equal(u64(core, at + 120n), 0xcf9n);
  assert.equal(core.read(at + 128n, 1)![0], 6);
});

/** The registers that differ from zero, by name. */
function registers(state: VcpuState): Record<string, bigint> {
  const { general, rip, rflags, cr0, cr3, cr4, efer } = state;
  const named = Object.entries({ ...general, rip, rflags, cr0, cr3, cr4, efer });
  return Object.fromEntries(named.filter(([, value]) => value !== 0n));
}

test('a boot ROM starts as vcpu_reset leaves the CPU: real mode at 0xFFFFFFF0, caches on', () => {
  const { core } = powerOn('freebsd-15', {}, { firmware: ROM });
  const state = core.state();
  assert.deepEqual(registers(state), { rdx: 0xf00n, rip: 0xfff0n, rflags: 2n, cr0: 0x30n });
  assert.deepEqual(state.segments.cs, {
    selector: 0xf000,
    base: 0xffff0000n,
    limit: 0xffff,
    attributes: 0x93,
  });
  assert.equal(modeOf(state), 'real');
});

/** elf64_freebsd.c of userboot, vm_setup_freebsd_registers of libvmmapi. */
test('bhyveload starts a FreeBSD kernel in long mode, with the first GiB everywhere', () => {
  const base = 0xffffffff80000000n;
  const code = Uint8Array.of(0xf4);
  const kernel = elfFile({
    entry: base + 0x200000n,
    segments: [{ physical: 0x200000n, virtual: base + 0x200000n, bytes: code, memorySize: 0x1800n }],
  });
  for (const size of [GIB, 3n * GIB, 4n * GIB, 8n * GIB]) {
    const { core, report } = powerOn('freebsd-15', { memory: size }, { kernel });
    assert.equal(report.outcome, 'halted', report.reason);
    const state = core.state();
    assert.deepEqual(registers(state), {
      rsp: 0x1000n,
      rip: base + 0x200000n,
      rflags: 2n,
      cr0: 0x80000031n,
      cr3: 0x2000n,
      cr4: 0x20n,
      efer: 0x500n,
    });
    assert.equal(modeOf(state), 'long');
    assert.deepEqual(state.gdtr, { base: 0x5000n, limit: 23 });
    assert.deepEqual(
      [0n, 8n, 16n].map((at) => u64(core, 0x5000n + at)),
      [0n, 0x0020980000000000n, 0x0000900000000000n],
    );
    // PML4 and PDPT name the same next table in each of their entries, and that one maps 1 GiB in large pages.
    assert.deepEqual(
      [0n, 511n].map((index) => u64(core, 0x2000n + 8n * index)),
      [0x3003n, 0x3003n],
    );
    assert.deepEqual(
      [0n, 511n].map((index) => u64(core, 0x3000n + 8n * index)),
      [0x4003n, 0x4003n],
    );
    assert.deepEqual(
      [0n, 511n].map((index) => u64(core, 0x4000n + 8n * index)),
      [0x83n, 0x3fe00083n],
    );
    // Return address, modulep, kernend.
    assert.deepEqual(
      [0n, 4n, 8n].map((at) => u32(core, 0x1000n + at)),
      [0, 0, 0x202000],
    );
    assert.deepEqual(core.read(0x200000n, 1), code);
  }
});

/** A bzImage that is a single HLT. */
function bzImage(): Uint8Array {
  const file = new Uint8Array(512 * 5 + 0x1000);
  const view = new DataView(file.buffer);
  file[0x1f1] = 4;
  view.setUint32(0x1f4, 0x100, true);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint16(0x200, 0x66eb, true);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, 0x20f, true);
  file[0x211] = 1;
  view.setUint32(0x214, 0x100000, true);
  view.setUint32(0x22c, 0x7fffffff, true);
  view.setUint32(0x230, 0x200000, true);
  file[0x234] = 1;
  file[0x235] = 21;
  view.setUint32(0x238, 2047, true);
  view.setBigUint64(0x258, 0x1000000n, true);
  view.setUint32(0x260, 0x10000, true);
  file[512 * 5] = 0xf4;
  return file;
}

/** linux.c and bhyve_hostif.c of grub2-bhyve. */
const GRUB: readonly (readonly [size: bigint, e820: string[]])[] = [
  [GIB, ['0+a0000', '100000+3ff00000']],
  [3n * GIB, ['0+a0000', '100000+bff00000']],
  [4n * GIB, ['0+a0000', '100000+bff00000', '100000000+40000000']],
  [8n * GIB, ['0+a0000', '100000+bff00000', '100000000+140000000']],
];

for (const [size, e820] of GRUB) {
  test(`grub2-bhyve starts Linux with ${size / GIB} GiB in 32-bit mode, boot_params at 0x8c000`, () => {
    const { core, report } = powerOn(
      'freebsd-15',
      { memory: size, commandLine: 'quiet' },
      { kernel: bzImage() },
    );
    assert.equal(report.outcome, 'halted', report.reason);
    const state = core.state();
    const parameters = 0x8c000n;
    assert.deepEqual(registers(state), {
      rsi: parameters,
      rsp: parameters,
      rip: 0x1000000n,
      rflags: 2n,
      cr0: 0x11n,
    });
    assert.equal(modeOf(state), 'protected-32');
    assert.deepEqual([state.segments.cs.selector, state.segments.ds.selector], [0x10, 0x18]);
    assert.deepEqual(state.gdtr, { base: 0x200n, limit: 39 });
    assert.deepEqual(
      [0x210n, 0x218n].map((at) => u64(core, at)),
      [0x00cf9a000000ffffn, 0x00cf92000000ffffn],
    );
    assert.equal(core.read(parameters + 0x210n, 1)![0], 0x72);
    const line = BigInt(u32(core, parameters + 0x228n));
    assert.equal(line, parameters + 0x3000n);
    assert.equal(ascii(core.read(line, 42)).split('\0')[0], 'console=ttyS0 BOOT_IMAGE=/vmlinuz quiet');
    const count = core.read(parameters + 0x1e8n, 1)![0]!;
    const entries = Array.from({ length: count }, (_, i) => parameters + 0x2d0n + 20n * BigInt(i));
    assert.deepEqual(
      entries.map((at) => `${u64(core, at).toString(16)}+${u64(core, at + 8n).toString(16)}`),
      e820,
    );
  });
}

test('a boot ROM, an ELF file and anything else are booted by one method each, and nothing by none', () => {
  const firmware = ROM;
  const method = (kernel: Uint8Array | null, rom: Uint8Array | null) => bootMethod({ kernel, firmware: rom });
  assert.deepEqual(
    [method(null, firmware), method(bzImage(), firmware), method(null, null)],
    ['bootrom', 'grub', null],
  );
});
