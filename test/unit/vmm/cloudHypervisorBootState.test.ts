/**
 * How Cloud Hypervisor starts its payload, worked by hand from its sources: every register of the first vCPU and of another one,
 * with the GDT, by boot method and version; and what it refuses to start.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { SegmentState, VcpuState } from '../../../server/src/x86/state';
import { linuxFile } from '../image/linuxFile';
import { elfFile } from '../simulation/elfFile';
import type { ScriptedCore } from '../simulation/scriptedCore';
import { GIB, MIB, powerOn, sized, u32, u64 } from './cloudHypervisorGuest';

const hex = (value: bigint | number): string => value.toString(16);

const shown = ({ selector, base, limit, attributes }: SegmentState) =>
  [selector, base, limit, attributes].map(hex).join(' ');
const CODE = '8 0 ffffffff c09b';
const DATA = '10 0 ffffffff c093';

function assertProtected(state: VcpuState, entry: bigint): void {
  const { segments } = state;
  assert.equal(state.rip, entry);
  assert.equal(state.rflags, 2n);
  // segments_and_sregs in regs.rs: CR0_PE, CR4 0.
  assert.deepEqual([state.cr0, state.cr3, state.cr4, state.efer], [1n, 0n, 0n, 0n]);
  assert.equal(shown(segments.cs), CODE);
  for (const name of ['ds', 'es', 'fs', 'gs', 'ss'] as const) assert.equal(shown(segments[name]), DATA, name);
  assert.equal(shown(segments.tr), '18 0 67 8b');
  assert.deepEqual(state.gdtr, { base: 0x500n, limit: 31 });
  assert.deepEqual(state.idtr, { base: 0x520n, limit: 7 });
}

/** The same test's GDT. */
const GDT_32 = [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00008b0000000067n];
const gdt = (core: ScriptedCore) => [0n, 8n, 16n, 24n].map((at) => u64(core, 0x500n + at));

test('PVH: protected mode without paging, RBX at the start information, alike on every vCPU', () => {
  const { core } = powerOn(sized('2026-08', 512n * MIB, 2));
  for (const vcpu of [0, 1]) {
    const state = core.state(vcpu);
    assertProtected(state, 0x100000n);
    const { rbx, ...others } = state.general;
    assert.equal(rbx, 0x6000n);
    assert.ok(
      Object.values(others).every((value) => value === 0n),
      'the others are 0',
    );
  }
  assert.deepEqual(gdt(core), GDT_32);
  assert.equal(u64(core, 0x520n), 0n);
});

test('a bzImage from v39.0 on: its 32-bit entry, RSI at boot_params, a stack at 0x8ff0', () => {
  const { core, report } = powerOn(sized('v39.0', 4n * GIB), {
    kernel: linuxFile(),
    initrd: new Uint8Array(16),
  });
  assert.equal(report.outcome, 'halted', report.reason);
  const state = core.state(0);
  assertProtected(state, 0x100000n);
  assert.deepEqual([state.general.rsp, state.general.rsi, state.general.rbx], [0x8ff0n, 0x7000n, 0n]);
  assert.deepEqual(gdt(core), GDT_32);
  assert.equal(u32(core, 0x7000n + 0x202n), 0x53726448, 'HdrS');
  assert.equal(core.read(0x7210n, 1)![0], 0xff, 'type_of_loader');
  assert.equal(u32(core, 0x7228n), 0x20000, 'cmd_line_ptr');
  assert.equal(u32(core, 0x7238n), 0x10000, 'cmdline_size: CMDLINE_MAX_SIZE');
  assert.equal(u32(core, 0x7218n), 0xbffff000, 'ramdisk_image: the highest page below 3 GiB');
  assert.equal(u32(core, 0x721cn), 16, 'ramdisk_size');
  assert.equal(u64(core, 0x7070n), 0xa0000n, 'acpi_rsdp_addr');
  assert.equal(core.read(0x71e8n, 1)![0], 4, 'e820_entries');
  // struct boot_e820_entry, packed: the last is the ECAM.
  assert.equal(u64(core, 0x72d0n + 60n), 0xe8000000n);
  assert.equal(u64(core, 0x72d8n + 60n), 0x10000000n);
  assert.equal(u32(core, 0x72e0n + 60n), 2);
});

test('v15.0 starts a bzImage, and an ELF kernel without PVH, in 64-bit mode', () => {
  const elf = elfFile({
    entry: 0x1000000n,
    segments: [{ physical: 0x1000000n, virtual: 0x1000000n, bytes: Uint8Array.of(0xf4) }],
  });
  for (const [kernel, entry] of [
    [linuxFile(), 0x100200n],
    [elf, 0x1000000n],
  ] as const) {
    const { core, report } = powerOn(sized('v15.0', 512n * MIB), { kernel });
    assert.equal(report.outcome, 'halted', report.reason);
    const state = core.state(0);
    assert.equal(state.rip, entry);
    assert.deepEqual([state.general.rsp, state.general.rbp, state.general.rsi], [0x8ff0n, 0x8ff0n, 0x7000n]);
    // CR0 keeps CD, NW and ET of KVM's reset: setup_page_tables and configure_segments_and_sregs set bits.
    assert.deepEqual([state.cr0, state.cr3, state.cr4, state.efer], [0xe0000011n, 0xa000n, 0x20n, 0x500n]);
    assert.equal(shown(state.segments.cs), '8 0 ffffffff a09b');
    assert.equal(shown(state.segments.tr), '18 0 ffffffff 808b');
    assert.deepEqual(gdt(core), [0n, 0xaf9b000000ffffn, 0xcf93000000ffffn, 0x8f8b000000ffffn]);
    // setup_page_tables: 1 GiB of 2 MiB pages, and no PML5.
    assert.equal(u64(core, 0x9000n), 0n);
    assert.deepEqual([u64(core, 0xa000n), u64(core, 0xb000n), u64(core, 0xb008n)], [0xb003n, 0xc003n, 0n]);
    assert.deepEqual(
      [u64(core, 0xc000n), u64(core, 0xc008n), u64(core, 0xcff8n)],
      [0x83n, 0x200083n, 0x3fe00083n],
    );
  }
});

test('on a host with LA57 the 64-bit entry of v15.0 has five levels', () => {
  const { core } = powerOn(sized('v15.0', 512n * MIB), { kernel: linuxFile(), added: ['LA57'] });
  const { cr3, cr4 } = core.state(0);
  assert.deepEqual([cr3, cr4], [0x9000n, 0x1020n]);
  assert.deepEqual([u64(core, 0x9000n), u64(core, 0xa000n)], [0xa003n, 0xb003n]);
});

const RAW = new Uint8Array(0x20000).fill(0xf4);
for (const [version, image, reason] of [
  ['v28.0', RAW, /loads ELF files alone.*InvalidElfMagicNumber/],
  ['2026-08', RAW, /neither an ELF file nor a bzImage; firmware, too, must be an ELF file with a PVH entry/],
  ['v16.0', linuxFile(), /loads ELF files alone/],
  [
    'v20.0',
    new Uint8Array(0x400001),
    /taken for firmware, and 0x400001 bytes are more than 4 MiB \(FirmwareTooLarge\)/,
  ],
  [
    '2026-08',
    elfFile({
      entry: 0x100000n,
      segments: [{ physical: 0x100000n, virtual: 0n, bytes: Uint8Array.of(0xf4) }],
    }),
    /no PVH entry \(KernelMissingPvhHeader\)/,
  ],
  [
    '2026-08',
    elfFile({ entry: 0x8000n, segments: [{ physical: 0x8000n, virtual: 0n, bytes: Uint8Array.of(0xf4) }] }),
    /e_entry 0x8000 is below 1 MiB \(InvalidEntryAddress\)/,
  ],
] as const) {
  test(`${version} refuses a payload: ${reason.source}`, () => {
    const { report } = powerOn(sized(version, 512n * MIB), { kernel: image });
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, reason);
  });
}

for (const version of ['v15.0', '2026-08']) {
  test(`${version} starts no bzImage with more entries in the memory map than boot_params takes`, () => {
    const machine = sized(version, 512n * MIB);
    const ram = machine.regions.find(({ kind }) => kind === 'ram')!;
    const pieces = Array.from({ length: 300 }, (_, i) => {
      const start = MIB + BigInt(i) * 64n * MIB;
      return { ...ram, range: { start, end: start + 32n * MIB } };
    });
    const { report } = powerOn(
      { ...machine, memory: null, regions: [ram, ...pieces] },
      { kernel: linuxFile() },
    );
    assert.match(report.reason, /the memory map has 301 entries, boot_params takes 128/);
  });
}
