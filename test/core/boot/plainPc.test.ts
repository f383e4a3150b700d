/** Images without a config on the plain PC: what a kernel finds at its first instruction, and what its ports do. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { BootReport } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import type { CpuChoice, DirectBoot } from '../../../server/src/vmm/model';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import { ENTRY, LOADED, multibootFile, type MultibootFields } from '../../unit/simulation/multibootFile';

const MIB = 1n << 20n;
const GIB = 1n << 30n;

interface Asked extends Partial<DirectBoot>, Partial<CpuChoice> {
  readonly memory?: bigint;
  readonly vcpus?: number;
  readonly fields?: Partial<MultibootFields>;
}

/** Boots a kernel of a few bytes of 32-bit code; HLT ends it. */
function bootPc(code: readonly number[], asked: Asked = {}): { report: BootReport; core: Core } {
  const { memory = 64n * MIB, vcpus = 1, fields, commandLine = '', modules = [] } = asked;
  const { vendor = 'intel', added = [], removed = [] } = asked;
  let core: Core | null = null;
  const report = simulate(
    pcMachine({ name: 'kernel', memory, vcpus }),
    PC,
    'i440fx',
    {
      machine: null,
      firmware: null,
      kernel: multibootFile(Uint8Array.from(code), fields),
      probe: null,
      taps: [],
      maxInstructions: 100_000,
      reboots: 0,
      cpu: { vendor, added, removed },
      boot: { protocol: null, imageName: 'kernel', commandLine, modules },
    },
    {
      createCore: (options: CoreOptions) => (core = createCore(options)),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  return { report, core: core as unknown as Core };
}

/** Little-endian numbers of guest memory. */
function reader(core: Core) {
  const bytes = (address: number, length: number) => core.read(BigInt(address), length)!;
  const view = (address: number, length: number) => new DataView(bytes(address, length).slice().buffer);
  return {
    u32: (address: number) => view(address, 4).getUint32(0, true),
    u64: (address: number) => view(address, 8).getBigUint64(0, true),
    text: (address: number) => {
      let end = address;
      while (bytes(end, 1)[0] !== 0) end++;
      return Buffer.from(bytes(address, end - address)).toString('latin1');
    },
  };
}

const HLT = [0xfa, 0xf4] as const;

test('the machine state of the Multiboot Specification, 3.2', () => {
  const { report } = bootPc([...HLT]);
  assert.equal(report.outcome, 'halted');
  const { registers, mode } = report.vcpus[0]!;
  assert.equal(mode, 'protected-32');
  assert.equal(registers.general.rax, 0x2badb002n);
  assert.equal(registers.cr0 & 0x80000001n, 1n, 'PE without PG');
  assert.equal(registers.rip, BigInt(ENTRY + 2));
  for (const name of ['cs', 'ds', 'es', 'fs', 'gs', 'ss'] as const) {
    const { base, limit } = registers.segments[name];
    assert.deepEqual([base, limit >>> 0], [0n, 0xffffffff], name);
  }
});

/** The information structure of 3.3. */
function information({ report, core }: ReturnType<typeof bootPc>) {
  const at = Number(report.vcpus[0]!.registers.general.rbx);
  const read = reader(core);
  const word = (offset: number) => read.u32(at + offset);
  const map: [start: bigint, length: bigint, type: number][] = [];
  for (let entry = word(48); entry < word(48) + word(44); entry += read.u32(entry) + 4) {
    map.push([read.u64(entry + 4), read.u64(entry + 12), read.u32(entry + 20)]);
  }
  const modules = Array.from({ length: word(20) }, (_, i) => {
    const entry = word(24) + 16 * i;
    return { start: read.u32(entry), end: read.u32(entry + 4), line: read.text(read.u32(entry + 8)) };
  });
  return { at, flags: word(0), lower: word(4), upper: word(8), line: read.text(word(16)), map, modules };
}

for (const [memory, low, high] of [
  [64n * MIB, 64n * MIB, 0n],
  [3583n * MIB, 3583n * MIB, 0n],
  [3584n * MIB, 3n * GIB, 512n * MIB],
  [8n * GIB, 3n * GIB, 5n * GIB],
] as const) {
  test(`${memory / MIB} MiB of RAM end at ${low / MIB} MiB below 4 GiB, ${high / MIB} MiB go on above`, () => {
    const { lower, upper, map } = information(bootPc([...HLT], { memory }));
    assert.deepEqual([lower, upper], [639, Number((low - MIB) / 1024n)]);
    const ram = map.filter(([, , type]) => type === 1).map(([start, length]) => [start, start + length]);
    const above = high === 0n ? [] : [[4n * GIB, 4n * GIB + high]];
    assert.deepEqual(ram, [[0n, 0x9fc00n], [MIB, low], ...above]);
  });
}

test('the command line and modules come as the loader got them, each module on a page of its own', () => {
  const modules = [
    { bytes: Uint8Array.of(1, 2, 3), commandLine: 'one' },
    { bytes: Uint8Array.of(4), commandLine: 'two x=1' },
  ];
  const booted = bootPc([...HLT], { commandLine: 'a b', modules });
  const found = information(booted);
  assert.equal(found.line, 'kernel a b');
  assert.equal(found.flags & 0x4d, 0x4d, 'mem_*, cmdline, mods_*, mmap_*');
  assert.deepEqual(
    found.modules.map(({ line, start, end }) => [line, start % 4096, end - start]),
    [
      ['one', 0, 3],
      ['two x=1', 0, 1],
    ],
  );
  assert.deepEqual([...booted.core.read(BigInt(found.modules[0]!.start), 3)!], [1, 2, 3]);
  assert.ok(found.modules[0]!.start >= LOADED + 0x22);
});

test('the information keeps out of a kernel that fills low memory', () => {
  const fields = { header: 0x1000, load: 0x1000, entry: 0x1020, bssEnd: 0x9fc00 };
  const { at } = information(bootPc([...HLT], { fields }));
  assert.ok(at >= 0x100000, at.toString(16));
});

for (const [name, asked, message] of [
  [
    'a kernel that needs more memory than there is',
    { fields: { bssEnd: 0x8000000 } },
    /segment 0 .* not all RAM/,
  ],
  [
    'a kernel in the VGA window',
    { fields: { header: 0xa0000, load: 0xa0000, entry: 0xa0020 } },
    /0xa0000 up to 0xa0022, which is not all RAM/,
  ],
  [
    'modules that do not fit',
    { memory: 2n * MIB, modules: [{ bytes: new Uint8Array(0x100000), commandLine: '' }] },
    /the modules end at 0x201000, RAM below 4 GiB at 0x200000/,
  ],
] as const) {
  test(`${name} is not started`, () => {
    const { report } = bootPc([...HLT], asked);
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, message);
  });
}

/** MOV EDX, port; MOV EAX, value; OUT DX, AL, AX or EAX. */
function out(port: number, value: number, size: 1 | 2 | 4 = 1): number[] {
  const words = (v: number) => [v & 0xff, (v >> 8) & 0xff, (v >> 16) & 0xff, v >>> 24];
  const opcode = { 1: [0xee], 2: [0x66, 0xef], 4: [0xef] }[size];
  return [0xba, ...words(port), 0xb8, ...words(value), ...opcode];
}

const line = (text: string) => [...Buffer.from(text)].flatMap((byte) => out(0x3f8, byte));

for (const [value, status] of [
  [0, 1],
  [0x10, 0x21],
  [0x80, 1],
] as const) {
  test(`${value} at the debug exit port ends the run with status ${status}`, () => {
    const { report } = bootPc([...line('done\n'), ...out(0xf4, value, 4), ...HLT]);
    assert.deepEqual([report.outcome, report.exitStatus, report.console], ['shutdown', status, 'done\n']);
  });
}

for (const [name, code, outcome, message] of [
  ['S5 in PM1 control', out(0x604, 0x2000, 2), 'shutdown', /entered S5/],
  ['a rising bit 0 of port 0x92', out(0x92, 3), 'reset', /port 0x92 raised bit 0/],
  ['reset control, hard', [...out(0xcf9, 2), ...out(0xcf9, 6)], 'reset', /0xcf9 raised bit 2, a hard reset/],
  ['a triple fault', [0x0f, 0x0b], 'triple-fault', /a triple fault resets a PC/i],
] as const) {
  test(`${name}: ${outcome}`, () => {
    const { report } = bootPc([...code, ...HLT]);
    assert.equal(report.outcome, outcome, report.reason);
    assert.match(report.reason, message);
    assert.equal(report.exitStatus, null);
  });
}

test('bit 1 of port 0x92 closes the A20 gate: 1 MiB is 0 again', () => {
  // MOV BYTE [0x200000], 7 with the gate open; MOV AL, [0x300000] with it closed reads the same byte.
  const store = [0xc6, 0x05, 0x00, 0x00, 0x20, 0x00, 0x07];
  const read = [0x8a, 0x1d, 0x00, 0x00, 0x30, 0x00];
  // The code itself lies at an address whose bit 20 is clear.
  const fields = { header: 0x200100, load: 0x200100, entry: 0x200120 };
  const { report } = bootPc([...store, ...out(0x92, 0), ...read, ...HLT], { fields });
  assert.equal(report.vcpus[0]!.registers.general.rbx & 0xffn, 7n, report.reason);
});

const wrmsr = (index: number, high: number, low: number): number[] => {
  const words = (v: number) => [v & 0xff, (v >> 8) & 0xff, (v >> 16) & 0xff, v >>> 24];
  return [0xb9, ...words(index), 0xba, ...words(high), 0xb8, ...words(low), 0x0f, 0x30];
};
const RDMSR = [0x0f, 0x32];

for (const [title, vendor, index, read] of [
  ['IA32_MISC_ENABLE keeps its read-only bits', 'intel', 0x1a0, [4n, 0xc51809n]],
  ['PERF_CTR0 has 48 bits', 'amd', 0xc0010004, [0xffffn, 0xffffffffn]],
  ['PStateCtl has three bits', 'amd', 0xc0010062, [0n, 7n]],
  ['PStateStat cannot be written', 'amd', 0xc0010063, null],
  ['IA32_FEATURE_CONTROL is locked', 'intel', 0x3a, null],
  ['MSR_MISC_FEATURES_ENABLES is not there, as there is no CPUID faulting', 'intel', 0x140, null],
  ['IA32_MISC_ENABLE does not exist', 'amd', 0x1a0, null],
  ['IA32_PLATFORM_ID cannot be written', 'intel', 0x17, null],
] as const) {
  test(`${vendor}: ${title}`, () => {
    const { report } = bootPc([...wrmsr(index, -1, -1), ...RDMSR, ...HLT], { vendor });
    if (read === null) {
      assert.deepEqual([report.outcome, report.faultChain[0]?.vector], ['triple-fault', 13]);
      return;
    }
    const { rax, rdx } = report.vcpus[0]!.registers.general;
    assert.deepEqual([rdx, rax], read);
  });
}

test('HWCR keeps TscFreqSel, and P-state 0 of family 17h is the 1 GHz of the TSC', () => {
  const hwcr = bootPc([...wrmsr(0xc0010015, 0, 0), ...RDMSR, ...HLT], { vendor: 'amd' });
  assert.equal(hwcr.report.vcpus[0]!.registers.general.rax, 1n << 24n);
  const { report } = bootPc([0xb9, 0x64, 0x00, 0x01, 0xc0, ...RDMSR, ...HLT], { vendor: 'amd' });
  const { rax, rdx } = report.vcpus[0]!.registers.general;
  assert.equal(rdx >> 31n, 1n, 'PstateEn');
  assert.equal((200n * (rax & 0xffn)) / ((rax >> 8n) & 0x3fn), 1000n, 'MHz');
});

for (const [vendor, leaf, expected] of [
  ['intel', 0x15, [1n, 100n, 10_000_000n]],
  ['amd', 0, [0xdn, 0x68747541n, 0x444d4163n]],
  ['amd', 0x80000000, [0x80000008n, 0x68747541n, 0x444d4163n]],
] as const) {
  test(`CPUID leaf 0x${leaf.toString(16)} of ${vendor}: ${expected.join(', ')} in EAX, EBX and ECX`, () => {
    const bytes = [0, 8, 16, 24].map((shift) => (leaf >>> shift) & 0xff);
    const { report } = bootPc([0xb8, ...bytes, 0x0f, 0xa2, ...HLT], { vendor });
    const { rax, rbx, rcx } = report.vcpus[0]!.registers.general;
    assert.deepEqual([rax, rbx, rcx], expected);
  });
}

test('a feature that is added or removed is so in CPUID, and in what the core obeys', () => {
  const cpuid = [0xb8, 0x08, 0x00, 0x00, 0x80, 0x0f, 0xa2]; // leaf 0x80000008
  const width = (asked: Asked) => bootPc([...cpuid, ...HLT], asked).report.vcpus[0]!.registers.general.rax;
  assert.equal(width({}), 0x3028n);
  assert.equal(width({ added: ['LA57'] }), 0x3928n);
  // MOV EAX, 1 << 20; MOV CR4, EAX
  const setSmep = [0xb8, 0x00, 0x00, 0x10, 0x00, 0x0f, 0x22, 0xe0];
  assert.equal(bootPc([...setSmep, ...HLT]).report.outcome, 'halted');
  assert.equal(bootPc([...setSmep, ...HLT], { removed: ['SMEP'] }).report.outcome, 'triple-fault');
});

test('XCR0 offers PKRU where the CPU has protection keys, and leaf 0xD is empty without XSAVE', () => {
  const cpuid = [0xb8, 0x0d, 0x00, 0x00, 0x00, 0x31, 0xc9, 0x0f, 0xa2]; // leaf 0xD, subleaf 0
  const components = (asked: Asked) =>
    bootPc([...cpuid, ...HLT], asked).report.vcpus[0]!.registers.general.rax;
  assert.equal(components({}), 0x203n);
  assert.equal(components({ removed: ['PKU'] }), 3n);
  assert.equal(components({ removed: ['XSAVE'] }), 0n);
});

test('the other vCPUs wait for a start-up IPI, and fw_cfg tells how many there are', () => {
  // IN AL, DX from 0x511 after selecting FW_CFG_NB_CPUS.
  const { report, core } = bootPc([...out(0x510, 5, 2), 0xba, 0x11, 0x05, 0x00, 0x00, 0xec, ...HLT], {
    vcpus: 3,
  });
  assert.equal(report.vcpus[0]!.registers.general.rax & 0xffn, 3n);
  assert.deepEqual([core.activity(1), core.activity(2)], ['wait-for-sipi', 'wait-for-sipi']);
});

test('in real mode BIOS calls answer before the boot, refuse what they do not know, and interrupts come back', () => {
  const { core } = bootPc([...HLT]);
  const after = (vector: number) => {
    core.write(0x7000n, Uint8Array.of(0xcd, vector, 0xf4));
    core.reset();
    const state = core.state(0);
    const { cs, ss } = state.segments;
    core.setState(0, {
      ...state,
      rip: 0x7000n,
      general: { ...state.general, rax: 0xe820n, rsp: 0x6000n },
      segments: { ...state.segments, cs: { ...cs, selector: 0, base: 0n }, ss },
    });
    assert.equal(core.run(core.now + 100).reason, 'idle');
    const { rip, rflags, general } = core.state(0);
    return [rip, rflags & 1n, general.rax, general.rsp];
  };
  assert.deepEqual(after(0x15), [0x7003n, 1n, 0x8620n, 0x6000n]);
  assert.deepEqual(after(0x12), [0x7003n, 0n, 639n, 0x6000n]);
  assert.deepEqual(after(0x08), [0x7003n, 0n, 0xe820n, 0x6000n]);
});

test('the BIOS data area tells the serial port and where the extended BIOS data area begins, which tells its size', () => {
  const { core } = bootPc([...HLT]);
  const read = reader(core);
  const [serial, extended, kib] = [0x400, 0x40e, 0x413].map((at) => read.u32(at) & 0xffff);
  assert.deepEqual([serial, extended, kib], [0x3f8, 0x9fc0, 639]);
  assert.equal(core.read(BigInt(extended!) * 16n, 1)![0], 1);
});

test('ACPI tables: the RSDP lies in the BIOS segment, every table sums to 0, the MADT lists the vCPUs', () => {
  const { core } = bootPc([...HLT], { vcpus: 2 });
  const read = reader(core);
  let rsdp = 0xe0000;
  while (rsdp < 0x100000 && Buffer.from(core.read(BigInt(rsdp), 8)!).toString() !== 'RSD PTR ') rsdp += 16;
  const sum = (at: number, length: number) =>
    core.read(BigInt(at), length)!.reduce((total, byte) => (total + byte) & 0xff, 0);
  assert.equal(sum(rsdp, 20), 0);
  const rsdt = read.u32(rsdp + 16);
  const tables = Array.from({ length: (read.u32(rsdt + 4) - 36) / 4 }, (_, i) => read.u32(rsdt + 36 + 4 * i));
  const fadt = tables[0]!;
  const dsdt = read.u32(fadt + 40);
  for (const table of [rsdt, dsdt, ...tables])
    assert.equal(sum(table, read.u32(table + 4)), 0, table.toString(16));
  assert.equal(read.u32(fadt + 76), 0x608, 'PM_TMR_BLK');
  const madt = tables[1]!;
  const types: number[] = [];
  for (let at = madt + 44; at < madt + read.u32(madt + 4);) {
    const [type, length] = core.read(BigInt(at), 2)!;
    types.push(type!);
    at += length!;
  }
  assert.deepEqual(types, [0, 0, 1, 2, 2, 4]);
});

test('a wide access to a chip of eight bits goes to one port after the other', () => {
  // A word to port 0x70: index 0x40, value 0x5a. Then a word from port 0x70, which cannot be read, and 0x71.
  const word = [0xba, 0x70, 0, 0, 0, 0x66, 0xed, 0x89, 0xc3];
  const { report } = bootPc([...out(0x70, 0x5a40, 2), ...out(0x70, 0x40), ...word, ...HLT]);
  assert.equal(report.vcpus[0]!.registers.general.rbx & 0xffffn, 0x5affn, report.reason);
});

// Without a firmware nobody sets ranges; Linux would take blank MTRRs for a hypervisor's defect and give up the PAT.
test('a directly booted kernel finds MTRRs on and memory write back, on every vCPU', () => {
  const { report, core } = bootPc(
    [
      // At 0x8000, real mode: MOV ECX, 0x2ff; RDMSR; MOV [0x8100], EAX; HLT.
      ...[0xc7, 0x05, 0x00, 0x80, 0, 0, 0x66, 0xb9, 0xff, 0x02],
      ...[0xc7, 0x05, 0x04, 0x80, 0, 0, 0x00, 0x00, 0x0f, 0x32],
      ...[0xc7, 0x05, 0x08, 0x80, 0, 0, 0x66, 0xa3, 0x00, 0x81],
      ...[0xc7, 0x05, 0x0c, 0x80, 0, 0, 0xf4, 0x00, 0x00, 0x00],
      // INIT and start-up IPI to all but self, then a wait for [0x8100].
      ...[0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0x0c, 0x00],
      ...[0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x08, 0x46, 0x0c, 0x00],
      ...[0xf3, 0x90, 0x83, 0x3d, 0x00, 0x81, 0, 0, 0x00, 0x74, 0xf5],
      ...[0xb9, 0xff, 0x02, 0, 0, 0x0f, 0x32, 0xf4],
    ],
    { vcpus: 2 },
  );
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[0]!.registers.general.rax, 0x806n);
  assert.equal(reader(core).u32(0x8100), 0x806);
});
