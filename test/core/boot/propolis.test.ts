/** Machines of propolis-standalone on the real core: the reset state, probes, exits, firmware, known issues. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { Setting } from '../../../server/src/machine/machine';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { PROPOLIS } from '../../../server/src/vmm/propolis/model';
import { gib, guest, machineOf } from '../../unit/propolis/guest';

const REQUEST: SimulationRequest = {
  machine: null,
  firmware: null,
  kernel: null,
  probe: null,
  taps: [],
  maxInstructions: 50_000_000,
  reboots: 0,
};
const HOST = { createCore, cancelled: () => false, progress: () => undefined };

interface Options {
  readonly version?: string;
  readonly memory?: bigint;
  readonly vcpus?: number;
  readonly settings?: Readonly<Record<string, Setting>>;
}

function boot(asked: Partial<SimulationRequest>, options: Options = {}): BootReport {
  const { version = '2026-06', memory = gib(1), vcpus = 1, settings = {} } = options;
  const request = { ...REQUEST, ...asked };
  return simulate(machineOf(guest(memory, vcpus, settings), version), PROPOLIS, version, request, HOST);
}

/** A ROM of 64 KiB that runs `code` at its reset vector. */
function rom(code: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(0x10000).fill(0xf4);
  bytes.set(code, 0xfff0);
  return bytes;
}

/** The same for code that does not fit there: a jump leads to it. */
function romWith(code: readonly number[]): Uint8Array {
  const bytes = rom([0xe9, 0x0d, 0xff]);
  bytes.set(code, 0xff00);
  return bytes;
}

const HLT = 0xf4;

test('every vCPU is in the state of the kernel’s vcpu_arch_reset, and the first runs from the reset vector', () => {
  const report = boot({ firmware: rom([HLT]) }, { vcpus: 2 });
  assert.equal(report.outcome, 'halted');
  for (const [vcpu, { registers }] of report.vcpus.entries()) {
    // illumos-gate vmm.c, vcpu_arch_reset. The first one has executed HLT, of one byte.
    assert.equal(registers.rip, vcpu === 0 ? 0xfff1n : 0xfff0n);
    assert.equal(registers.rflags, 2n);
    assert.equal(registers.cr0, 0x60000010n);
    assert.equal(registers.general.rdx, 0x600n);
    assert.deepEqual(
      (['rax', 'rbx', 'rcx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r15'] as const).map(
        (name) => registers.general[name],
      ),
      new Array(9).fill(0n),
    );
    const { segments } = registers;
    assert.deepEqual(segments.cs, { selector: 0xf000, base: 0xffff0000n, limit: 0xffff, attributes: 0x93 });
    assert.deepEqual(segments.ss, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 });
    assert.deepEqual(segments.ldtr, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x82 });
    assert.deepEqual(segments.tr, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x8b });
    assert.deepEqual(registers.gdtr, { base: 0n, limit: 0xffff });
    assert.deepEqual([registers.dr[6], registers.dr[7]], [0xffff0ff0n, 0x400n]);
  }
});

const PROBES: readonly (readonly [
  probe: string,
  outcome: string,
  status: string | null,
  options?: Options,
])[] = [
  ['boot-path', 'halted', 'complete'],
  ['boot-path', 'halted', 'complete', { memory: gib(5) }],
  ['ap-start', 'halted', 'complete', { vcpus: 4 }],
  ['reset-i8042', 'reset', null],
  ['reset-triple-fault', 'triple-fault', null],
  ['reset-cf9', 'halted', 'still-running'],
  ['reset-port92', 'halted', 'still-running'],
  ['reset-bios', 'halted', 'restarted'],
  ['cmos-memory', 'halted', 'complete'],
  // Before 2025-06 there is no etc/e820: the probe takes the sizes in CMOS.
  ['boot-path', 'halted', 'complete', { version: '2025-05' }],
];

for (const [probe, outcome, status, options] of PROBES) {
  const { version = '2026-06' } = options ?? {};
  test(`the probe ${probe} under ${version}: ${status ?? outcome}`, () => {
    const report = boot({ probe }, options);
    assert.equal(report.outcome, outcome);
    const said = /^status (\S+)/m.exec(report.console)?.[1] ?? null;
    assert.equal(said, status);
  });
}

test('the FADT names port 0xcf9 for a reset, and the PCI configuration decoder drops the write', () => {
  const report = boot({ probe: 'reset-cf9' });
  assert.match(report.console, /writing 0x2, then 0x6 to port 0xcf9\r?\nstill running/);
});

test('exit_on_reboot ends the process with its status instead of a restart, exit_on_halt at a power-off', () => {
  const settings = { 'main.exit_on_reboot': 7n, 'main.exit_on_halt': 3n };
  const rebooted = boot({ probe: 'reset-i8042' }, { settings });
  assert.equal(rebooted.outcome, 'shutdown');
  assert.match(rebooted.reason, /status 7 .*exit_on_reboot/);
  // mov dx, 0xb004; mov ax, 0x2000; out dx, ax: SUS_EN with type 0.
  const off = [0xba, 0x04, 0xb0, 0xb8, 0x00, 0x20, 0xef, HLT];
  const halted = boot({ firmware: rom(off) }, { settings });
  assert.equal(halted.outcome, 'shutdown');
  assert.match(halted.reason, /status 3 .*exit_on_halt/);
  // The keys are of 2023-10.
  assert.equal(boot({ probe: 'reset-i8042' }, { settings, version: '2023-05' }).outcome, 'reset');
});

/** Code at the reset vector, outcome, words of the reason. */
const EXITS: readonly (readonly [title: string, code: readonly number[], outcome: string, words: RegExp])[] =
  [
    // in al, dx at port 0x1234; cmp al, 0xff; jne $; hlt
    [
      'an unknown port reads as ones',
      [0xba, 0x34, 0x12, 0xec, 0x3c, 0xff, 0x75, 0xfe, HLT],
      'halted',
      /IF = 0/,
    ],
    // mov ecx, 0xc0011023; rdmsr; or eax, edx; jnz $; wrmsr; hlt
    [
      'an unknown MSR reads as zero and takes writes',
      [0x66, 0xb9, 0x23, 0x10, 0x01, 0xc0, 0x0f, 0x32, 0x66, 0x09, 0xd0, 0x75, 0xfe, 0x0f, 0x30, HLT],
      'halted',
      /IF = 0/,
    ],
    // in ax, 0x60
    ['two bytes from port 0x60', [0xe5, 0x60, HLT], 'vmm-exit', /2 bytes to port 0x60.*asserts/],
    // out 0x43, ax with ax = 0
    ['two bytes to a port in the kernel', [0xe7, 0x43, HLT], 'vmm-exit', /InstEmul, since port 0x43/],
    // in al, 0x92; cmp al, 2; jne $; in al, 0x80; hlt
    ['A20 is on, a POST code reads back', [0xe4, 0x92, 0x3c, 0x02, 0x75, 0xfe, HLT], 'halted', /IF = 0/],
    // mov dx, 0xb00c; in eax, dx; test eax, eax; jnz $; hlt
    [
      'power management registers without a use read as zero',
      [0xba, 0x0c, 0xb0, 0x66, 0xed, 0x66, 0x85, 0xc0, 0x75, 0xfe, HLT],
      'halted',
      /IF = 0/,
    ],
  ];

for (const [title, code, outcome, words] of EXITS) {
  test(title, () => {
    const report = boot({ firmware: rom(code), maxInstructions: 10_000 });
    assert.equal(report.outcome, outcome, report.reason);
    assert.match(report.reason, words);
  });
}

test('what goes to port 0x402 is kept as the log of the firmware (debug.out)', () => {
  // mov dx, 0x402; mov al, 'h'; out dx, al; mov al, 'i'; out dx, al; hlt
  const report = boot({ firmware: rom([0xba, 0x02, 0x04, 0xb0, 0x68, 0xee, 0xb0, 0x69, 0xee, HLT]) });
  assert.equal(report.firmwareLog, 'hi');
});

const REFUSED: readonly (readonly [title: string, firmware: Uint8Array, options: Options, words: RegExp])[] =
  [
    ['a ROM that is no multiple of 4 KiB', new Uint8Array(0x10001), {}, /0x10001 bytes.*0x1000/],
    ['a ROM of more than 2 MiB', new Uint8Array(0x201000), {}, /rom too long/],
    ['1 TiB under 2024-06', rom([HLT]), { memory: gib(1024), version: '2024-06' }, /MAX_PHYSMEM/],
  ];

for (const [title, firmware, options, words] of REFUSED) {
  test(`${title}: the VM does not start`, () => {
    const report = boot({ firmware }, options);
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, words);
  });
}

test('a kernel is not started: Propolis runs a boot ROM', () => {
  assert.match(boot({ kernel: new Uint8Array(64) }).reason, /starts no kernel/);
});

test('propolis-rom-write: each run ends with the exit of the report', () => {
  const issue = PROPOLIS.knownIssues.find(({ id }) => id === 'propolis-rom-write')!;
  for (const cell of issue.simulation!.cells.keys()) {
    const report = boot({ knownIssue: issue.id, cell });
    assert.equal(report.outcome, 'vmm-exit');
    assert.ok(report.findings.some(({ code }) => code === issue.id));
  }
  assert.match(boot({ knownIssue: issue.id }).reason, /Paging\(4294967292, 2\)/);
});

test('propolis-cmos-memory: 1 of 1025 GiB under 2025-05, and nothing to say under 2025-06', () => {
  const shown = (version: string, cell: number) =>
    boot({ knownIssue: 'propolis-cmos-memory', cell }, { version, memory: gib(1028) });
  const affected = shown('2025-05', 0);
  const finding = affected.findings.find(({ code }) => code === 'propolis-cmos-memory');
  assert.match(finding?.message ?? '', /1 GiB from 4 GiB on, the guest has 1025 GiB/);
  assert.ok(!shown('2025-06', 1).findings.some(({ code }) => code === 'propolis-cmos-memory'));
});

test('propolis-cmos-memory is not said of a guest whose high memory fits into CMOS', () => {
  for (const memory of [gib(1) / 2n, gib(8), gib(1026)]) {
    const report = boot({ knownIssue: 'propolis-cmos-memory' }, { version: '2025-05', memory });
    assert.equal(report.evidence, null, `${memory}`);
    assert.ok(!report.findings.some(({ code }) => code === 'propolis-cmos-memory'), `${memory}`);
  }
});

test('a memory map of bhyvectl runs on its own regions, and the guest is told of them', () => {
  const map = `Address     Length      Segment     Offset      Prot  Flags
0           1024MB      sysmem      0           RWX
FFE00000    2048KB      bootrom     0           R-X
100000000   1024MB      sysmem      0           RWX
`;
  const [mapped] = memmap.parse(new SourceText('file:///map', map), { files: new Map() }).machines;
  const request = { ...REQUEST, probe: 'boot-path' };
  const report = simulate(
    { ...mapped!, vmm: 'propolis', version: '2026-06' },
    PROPOLIS,
    '2026-06',
    request,
    HOST,
  );
  assert.match(report.console, /e820 0x100000000 length 0x40000000 type 0x1[^]*status complete/);
});

test('pvpanic is at port 0x505 where the config attaches it, and the guest goes on', () => {
  // mov dx, 0x505; in al, dx; cmp al, 3; jne $; mov al, 1; out dx, al; hlt
  const code = rom([0xba, 0x05, 0x05, 0xec, 0x3c, 0x03, 0x75, 0xfe, 0xb0, 0x01, 0xee, HLT]);
  const asked = { firmware: code, maxInstructions: 10_000 };
  const driver = { 'dev.panic.driver': 'qemu-pvpanic' };
  assert.equal(boot(asked, { settings: { ...driver, 'dev.panic.enable_isa': true } }).outcome, 'halted');
  assert.equal(boot(asked, { settings: driver }).outcome, 'budget');
});

test('of two bytes at a serial port the first one counts', () => {
  // mov dx, 0x3ff; in ax, dx; cmp ah, 0xff; jne $; mov dx, 0x3f8; mov ax, 0x4241; out dx, ax; hlt
  const code = [0xba, 0xff, 0x03, 0xed, 0x80, 0xfc, 0xff, 0x75, 0xfe];
  const report = boot({
    firmware: romWith([...code, 0xba, 0xf8, 0x03, 0xb8, 0x41, 0x42, 0xef, HLT]),
    maxInstructions: 10_000,
  });
  assert.equal(report.outcome, 'halted');
  assert.equal(report.console, 'A');
});

const OVMF = '/usr/share/ovmf/OVMF.fd';
test(
  'OVMF with its variable store looks for flash behind it, and that write ends Propolis',
  { skip: !existsSync(OVMF) },
  () => {
    const report = boot({ firmware: readFileSync(OVMF), maxInstructions: 2_000_000_000 }, { vcpus: 2 });
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, /Paging\(\d+, 2\), a write to 0xffe000/);
  },
);

const OVMF_CODE = '/usr/share/OVMF/OVMF_CODE.fd';
test('OVMF without it comes to the UEFI shell', { skip: !existsSync(OVMF_CODE) }, () => {
  const report = boot(
    { firmware: readFileSync(OVMF_CODE), maxInstructions: 4_000_000_000, until: 'UEFI Interactive Shell' },
    { vcpus: 2 },
  );
  assert.equal(report.outcome, 'expectation-met');
});
