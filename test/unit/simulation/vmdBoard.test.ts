import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import { simulate } from '../../../server/src/simulation/simulate';
import { vmdCpuProfile } from '../../../server/src/vmm/vmd/cpuProfile';
import { VMD } from '../../../server/src/vmm/vmd/model';
import { modeOf } from '../../../server/src/x86/state';
import { elfFile } from './elfFile';
import { ScriptedCore, type Program } from './scriptedCore';
import { vmdMachine } from './vmdMachine';

interface Images {
  readonly firmware?: Uint8Array;
  readonly kernel?: Uint8Array;
}

/** Powers a VM on, runs `program`, and gives the core as it was left. */
function powerOn(
  version: string,
  memory: string,
  images: Images,
  program: Program = function* () {},
  more = '',
) {
  let core: ScriptedCore | null = null;
  const report = simulate(
    vmdMachine(version, memory, more),
    VMD,
    version,
    {
      machine: null,
      firmware: images.firmware ?? null,
      kernel: images.kernel ?? null,
      probe: null,
      taps: [],
      maxInstructions: 1000,
      reboots: 0,
    },
    {
      createCore: (options: CoreOptions): Core => (core = new ScriptedCore(options, program)),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  return { report, core: core as unknown as ScriptedCore };
}

/** A ROM whose every 16 bytes tell their offset. */
function rom(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => ((i >> 4) * 7 + 1) & 0xff);
}

for (const [version, size, low] of [
  ['7.8', 0x40000, 0xc0000n],
  ['7.8', 0x80000, 0xa0000n],
  ['2026-01', 0x80000, 0x90000n],
  ['7.6', 0x80000, 0x80000n],
  ['x86_vm-1.27', 0x10000, 0xf0000n],
] as const) {
  test(`vmd ${version} puts ${size / 1024} KiB of firmware below 4 GiB and from ${low.toString(16)} below 1 MiB`, () => {
    const image = rom(size);
    const { core, report } = powerOn(version, '512M', { firmware: image });
    assert.equal(report.outcome, 'halted', report.reason);
    const last = image.subarray(-16);
    assert.deepEqual(core.read(0xfffffff0n, 16), last);
    assert.deepEqual(core.read(0xffff0n, 16), last);
    assert.deepEqual(core.read(0x100000000n - BigInt(size), 16), image.subarray(0, 16));
    const lowSize = 0x100000 - Number(low);
    assert.deepEqual(core.read(low, 16), image.subarray(size - lowSize, size - lowSize + 16));
    assert.deepEqual([modeOf(core.state()), core.state().rip], ['real', 0xfff0n]);
  });
}

for (const [version, more, reset, fault] of [
  ['7.8', '', null, /vmd starts the VM anew .* third restart in a row/],
  ['x86_vm-1.24', '', 'reset', /vmd starts the VM anew .* third restart in a row/],
  ['x86_vm-1.24', 'boot device disk', 'shutdown', /does not start it again, .* `boot device disk`/],
  ['loadfile-1.7', '', null, /vmd starts the VM anew with fresh memory\.$/],
] as const) {
  test(`vmd ${version} after a reset ${more && `of a VM with ${more}`}`, () => {
    const image = { firmware: rom(0x10000) };
    const faulted = function* () {
      yield 'shutdown' as const;
    };
    assert.match(powerOn(version, '512M', image, faulted, more).report.reason, fault);
    const write: Program = function* (cpu) {
      cpu.out(0xcf9, 6);
      yield;
    };
    const { report } = powerOn(version, '512M', image, write, more);
    assert.equal(report.outcome, reset ?? 'halted');
  });
}

test('the firmware area is memory: a guest may write to it', () => {
  const { core } = powerOn('7.8', '512M', { firmware: rom(0x10000) });
  assert.equal(core.write(0xfffff000n, Uint8Array.of(0x55)), true);
  assert.equal(core.write(0xb8000n, Uint8Array.of(0x55)), true);
});

for (const [version, memory, starts] of [
  ['7.8', '5M', false],
  ['x86_vm-1.27', '5M', true],
] as const) {
  test(`a tiny guest of vmd ${version} ${starts ? 'starts' : 'does not: its firmware range begins a byte early, and vmm(4) refuses it'}`, () => {
    const { report } = powerOn(version, memory, { firmware: rom(0x10000) });
    assert.equal(report.outcome, starts ? 'halted' : 'vmm-exit', report.reason);
    if (!starts)
      assert.match(
        report.reason,
        /would be \[0xffbfffff, 0xffffffff\): vmm\(4\) takes page-aligned ranges only/,
      );
  });
}

for (const [memory, low, high] of [
  ['512M', 0x1ff00000 - 0xf00000, 0],
  ['8G', 0xeff00000 - 0xf00000, 0x110000000],
] as const) {
  test(`CMOS tells ${memory} in units of 64 KiB`, () => {
    powerOn('7.8', memory, { firmware: rom(0x10000) }, function* (cpu) {
      const read = (index: number) => {
        cpu.out(0x70, index);
        return cpu.in(0x71);
      };
      assert.equal(read(0x34) | (read(0x35) << 8), low / 65536);
      assert.equal(read(0x5b) | (read(0x5c) << 8) | (read(0x5d) << 16), high / 65536);
      yield;
    });
  });
}

test('fw_cfg hands out the map of the layout: RAM is type 1, the rest type 2', () => {
  powerOn('7.8', '1G', { firmware: rom(0x10000) }, function* (cpu) {
    cpu.out(0x510, 0x20, 2);
    const bytes = Uint8Array.from({ length: 5 * 20 }, () => cpu.in(0x511));
    const view = new DataView(bytes.buffer);
    const entries = [0, 1, 2, 3, 4].map((i) => [
      view.getBigUint64(i * 20, true),
      view.getBigUint64(i * 20 + 8, true),
      view.getUint32(i * 20 + 16, true),
    ]);
    assert.deepEqual(entries, [
      [0n, 0xa0000n, 1],
      [0xa0000n, 0x60000n, 2],
      [0x100000n, 0x3ff00000n, 1],
      [0xf0000000n, 0xfc00000n, 2],
      [0xffc00000n, 0x400000n, 2],
    ]);
    yield;
  });
});

test('the PCI bus has the host bridge 0b5d:0666', () => {
  powerOn('7.8', '1G', { firmware: rom(0x10000) }, function* (cpu) {
    cpu.out(0xcf8, 0x80000000, 4);
    assert.equal(cpu.in(0xcfc, 4), 0x06660b5d);
    yield;
  });
});

const KERNEL = elfFile({
  entry: 0xffffffff81000000n,
  segments: [
    { physical: 0x1000000n, virtual: 0xffffffff81000000n, bytes: Uint8Array.of(0xf4), memorySize: 0x5000n },
  ],
});

for (const [name, kernel, message] of [
  [
    'outside memory',
    elfFile({
      entry: 0x40000000n,
      segments: [{ physical: 0x40000000n, virtual: 0x40000000n, bytes: Uint8Array.of(0xf4) }],
    }),
    /program header 0 of the kernel goes to 0x40000000 with 0x1 bytes, outside the VM's memory/,
  ],
  ['with a lying header', KERNEL.subarray(0, 100), /the kernel cannot be loaded: e_phoff/],
] as const) {
  test(`a kernel ${name} does not start`, () => {
    const { report } = powerOn('7.8', '512M', { kernel });
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, message);
  });
}

test('a boot file that is no ELF is taken for a BIOS', () => {
  const { core } = powerOn('7.8', '512M', { kernel: rom(0x10000) });
  assert.equal(core.state().rip, 0xfff0n);
});

for (const [version, place] of [
  ['7.8', null],
  ['x86_vm-1.19', 0x9e000n],
  ['x86_vm-1.27', 0xefff0000n],
] as const) {
  test(`vmd ${version} ${place === null ? 'has no ACPI tables' : `puts its XSDT at ${place.toString(16)}`}`, () => {
    const { core } = powerOn(version, '512M', { firmware: rom(0x10000) });
    const rsdp = core.read(0x9d000n, 36)!;
    if (place === null) {
      assert.deepEqual([...rsdp], new Array(36).fill(0));
      return;
    }
    const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
    assert.equal(new TextDecoder().decode(rsdp.subarray(0, 8)), 'RSD PTR ');
    assert.deepEqual([sum(rsdp.subarray(0, 20)), sum(rsdp)], [0, 0]);
    assert.equal(new DataView(rsdp.buffer).getBigUint64(24, true), place);
    const header = core.read(place, 44)!;
    assert.equal(new TextDecoder().decode(header.subarray(0, 4)), 'XSDT');
    const madtAt = new DataView(header.buffer).getBigUint64(36, true);
    const madt = core.read(madtAt, 64)!;
    assert.deepEqual([new TextDecoder().decode(madt.subarray(0, 4)), sum(header), sum(madt)], ['APIC', 0, 0]);
    assert.deepEqual([...core.read(0x40en, 2)!], [0x00, 0x9d]);
  });
}

for (const [leaf, options, expected] of [
  [0x00, {}, [0x15, 0x756e6547, 0x6c65746e, 0x49656e69]],
  [0x40000000, {}, [0, 0x6e65704f, 0x56445342, 0x38354d4d]],
  [0x20, {}, [1, 100, 10_000_000, 0]],
  [0x80000008, {}, [0x3027, 0, 0, 0]],
] as const) {
  test(`CPUID ${leaf.toString(16)}`, () => {
    const profile = vmdCpuProfile({ localApic: false, x2apic: false, ibt: false, cpu: null, ...options });
    assert.deepEqual([...profile.cpuid(leaf, 0, 0)], expected);
  });
}

for (const [apic, edx, ecx] of [
  [false, 0x078ba97f, 0x80002000],
  [true, 0x078bab7f, 0x80202000],
] as const) {
  test(`CPUID 1 ${apic ? 'shows' : 'hides'} the local APIC, and names the vCPU`, () => {
    const profile = vmdCpuProfile({ localApic: apic, x2apic: apic, ibt: false, cpu: null });
    const [, ebx, c, d] = profile.cpuid(1, 0, 3);
    assert.deepEqual([ebx >>> 24, c, d], [3, ecx, edx]);
  });
}

test('IBT is shown where the host uses it', () => {
  const show = (ibt: boolean) =>
    vmdCpuProfile({ localApic: false, x2apic: false, ibt, cpu: null }).cpuid(7, 0, 0)[3];
  assert.deepEqual([show(false), show(true)], [0, 1 << 20]);
});

for (const [memory, reason] of [
  // The memory map ends beyond 128 GiB: `check` says so too.
  ['128G', /memory map would end at 0x2010010000, and vmm\(4\) refuses addresses beyond 128 GiB/],
  ['129G', /its 129 GiB are more than this vmm\(4\) takes, 128 GiB/],
] as const) {
  test(`${memory} of memory does not start`, () => {
    const { report } = powerOn('x86_vm-1.27', memory, { firmware: new Uint8Array(64).fill(0xf4) });
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, reason);
  });
}

test('vmm(4) keeps its case at the beginning of a sentence', () => {
  const { report } = powerOn('loadfile-1.7', '512M', { firmware: rom(0x10000) }, function* () {
    yield 'shutdown';
  });
  assert.match(report.reason, /\. vmm\(4\) reports the triple fault/);
});
