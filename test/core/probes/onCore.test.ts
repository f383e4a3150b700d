/** The probes on our core, on a small board: what each reports on machines that differ in one thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuProfile, FaultRecord } from '../../../server/emulator/face';
import { probeNamed } from '../../../server/src/simulation/probes/probes';
import { readProbeReport, type ProbeReport } from '../../../server/src/simulation/probes/probeReport';
import { probeRom, type ParameterValues } from '../../../server/src/simulation/probes/rom';
import { TestBoard, type BoardExit, type BoardOptions, type MemoryMapEntry } from '../oracle/board';
import { testProfile } from '../oracle/profile';

const MIB = 0x100000n;
const GIB = 0x40000000n;

/** A map of vmd's shape: low memory up to `low` KiB, RAM from 1 MiB, and more above 4 GiB. */
const memoryMap = (low: bigint, top: bigint, above = 0n): MemoryMapEntry[] => [
  { start: 0n, end: low * 1024n, type: 1 },
  { start: low * 1024n, end: MIB, type: 2 },
  { start: MIB, end: top, type: 1 },
  ...(above > 0n ? [{ start: 4n * GIB, end: 4n * GIB + above, type: 1 }] : []),
];

interface Run {
  readonly report: ProbeReport;
  readonly exit: BoardExit;
  readonly faults: readonly FaultRecord[];
  readonly console: string;
}

function run(
  name: string,
  {
    parameters,
    resets = 1,
    ...options
  }: Partial<BoardOptions> & { parameters?: ParameterValues; resets?: number } = {},
): Run {
  const probe = probeNamed(name);
  assert.ok(probe);
  const board = new TestBoard({
    rom: probeRom(probe, parameters),
    memoryMap: memoryMap(640n, 64n * MIB),
    ...options,
  });
  const exit = board.runThroughResets(50_000_000, resets);
  const console = board.state.output;
  return { report: readProbeReport(probe, console), exit, faults: board.core.faults(0), console };
}

const expectStatus = ({ report, console, exit }: Run, status: string): void =>
  assert.equal(report.status?.code, status, `${exit.reason}\n${console}`);

test('boot-path takes every mode and finds all declared RAM', () => {
  const result = run('boot-path', { memoryMap: memoryMap(576n, 3n * GIB, GIB) });
  expectStatus(result, 'complete');
  const modes = result.report.lines.flatMap((line) => /^mode (\S+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(modes, [
    ...['real', 'protected-16', 'protected-32', 'paging-32', 'pae', 'compatibility', 'long'],
    ...['compatibility', 'protected-32', 'real'],
  ]);
  const touched = result.report.lines.filter((line) => line.startsWith('touch'));
  assert.deepEqual(
    touched,
    ['0x0', '0x8f000', '0x100000', '0xbffff000', '0x100000000', '0x13ffff000'].map(
      (page) => `touch ${page} ok`,
    ),
  );
});

test('boot-path says which page of declared RAM is none', () => {
  // The map calls all of the first MiB RAM, where the ROM is the last 64 KiB.
  const result = run('boot-path', { memoryMap: [{ start: 0n, end: MIB, type: 1 }] });
  expectStatus(result, 'memory-lost');
  assert.ok(result.report.lines.includes('touch 0x0 ok'));
  assert.ok(result.report.lines.some((line) => line.startsWith('touch 0xff000 lost')));
});

test('boot-path without fw_cfg and CMOS takes the modes and says that it knows no memory', () => {
  const result = run('boot-path', { memoryMap: null });
  expectStatus(result, 'no-memory-map');
  assert.ok(result.report.lines.some((line) => line.startsWith('mode long')));
});

test('boot-path on a CPU without long mode stops at PAE', () => {
  const result = run('boot-path', { profile: testProfile({ features: { longMode: false } }) });
  expectStatus(result, 'no-long-mode');
});

test('ap-start counts the CPUs from real mode to long mode', () => {
  const result = run('ap-start', { vcpus: 3 });
  expectStatus(result, 'complete');
  assert.ok(result.report.lines.includes('started: real 0x2 protected-32 0x2 long 0x2'), result.console);
  assert.deepEqual(result.report.lines.filter((line) => line.startsWith('apic id')).sort(), [
    'apic id 0x1',
    'apic id 0x2',
  ]);
});

test('ap-start starts one CPU where its destination field names one and there is no shorthand', () => {
  const parameters = { init: 0x4500, startup: 0x4608, destination: 2 };
  const { report, console } = run('ap-start', { vcpus: 3, parameters });
  assert.ok(report.lines.includes('started: real 0x1 protected-32 0x1 long 0x1'), console);
  assert.ok(report.lines.includes('apic id 0x2'), console);
});

test('reset-high-memory writes the pages that it is told to', () => {
  const result = run('reset-high-memory', {
    memoryMap: memoryMap(640n, 3n * GIB, GIB),
    parameters: { pages: 0b100011 },
  });
  expectStatus(result, 'restarted');
  assert.deepEqual(
    result.report.lines.filter((line) => line.startsWith('wrote')),
    ['wrote 0x100000000', 'wrote 0x100001000', 'wrote 0x100005000'],
  );
});

test('reset-high-memory without memory there touches nothing and resets nothing', () => {
  expectStatus(run('reset-high-memory'), 'no-high-memory');
});

test('ap-start without a local APIC says so', () => {
  expectStatus(run('ap-start', { profile: testProfile({ localApic: false }) }), 'no-local-apic');
});

const RESETS = [
  ['reset-triple-fault', 'by a CPU reset'],
  ['reset-i8042', 'by a CPU reset'],
  ['reset-cf9', 'by a CPU reset'],
  ['reset-port92', 'by a CPU reset'],
  ['reset-bios', 'by a jump'],
] as const;
for (const [name, how] of RESETS) {
  test(`${name} comes back ${how}`, () => {
    const result = run(name);
    expectStatus(result, 'restarted');
    assert.equal(result.report.starts, 2);
    assert.ok(
      result.console.includes(how.replace('by a', 'restarted at the reset vector by a')),
      result.console,
    );
  });
}

for (const name of ['reset-i8042', 'reset-cf9', 'reset-port92']) {
  test(`${name} on a machine that ignores it is still running`, () => {
    expectStatus(run(name, { resetPorts: [] }), 'still-running');
  });
}

test('reset-triple-fault leaves the chain: INT3 finds no gate, nor does #GP, nor does #DF', () => {
  const result = run('reset-triple-fault', { resets: 0 });
  assert.equal(result.exit.reason, 'shutdown');
  assert.ok('faults' in result.exit);
  assert.deepEqual(
    result.exit.faults.map(({ vector, errorCode }) => [vector, errorCode]),
    [
      [13, 3 * 8 + 2], // IDT; INT3 is no external event
      [13, 13 * 8 + 2 + 1],
      [13, 8 * 8 + 2 + 1],
    ],
  );
});

const IBT: CpuProfile = testProfile({ ibt: true });

test('linux-reboot-bios puts the blob below 640 KiB, and lower where the map ends lower', () => {
  const places = ([640n, 636n, 576n] as const).map((low) => {
    const { console } = run('linux-reboot-bios', { memoryMap: memoryMap(low, 64n * MIB) });
    return /^blob at (0x[0-9a-f]+)/m.exec(console)?.[1];
  });
  assert.deepEqual(places, ['0x98000', '0x98000', '0x89000']);
});

test('linux-reboot-bios with an intact blob and no tracking reaches the BIOS entry point', () => {
  const result = run('linux-reboot-bios');
  expectStatus(result, 'restarted');
  assert.ok(result.report.lines.some((line) => line.includes('by a jump')));
});

test('linux-reboot-bios with tracking on a CPU that lacks it says so', () => {
  expectStatus(run('linux-reboot-bios', { parameters: { ibt: 1 } }), 'no-ibt');
});

// The frame of the first fault goes to align16(ESP) - 8, outside the first GiB: #PF, #PF again, #DF on its own stack.
const FIRST_FAULTS = [
  ['tracking on, blob intact', { ibt: 1, blob: 0 }, 21, 3],
  ['tracking off, code page zeroed', { ibt: 0, blob: 1 }, 13, 0],
] as const;
for (const [title, parameters, vector, errorCode] of FIRST_FAULTS) {
  test(`linux-reboot-bios, ${title}: vector ${vector} cannot be delivered, a double fault is`, () => {
    const result = run('linux-reboot-bios', { parameters, profile: IBT });
    expectStatus(result, 'double-fault');
    assert.deepEqual(
      result.faults.map((fault) => [fault.vector, fault.errorCode]),
      [
        [vector, errorCode],
        [14, 2],
        [14, 2],
      ],
    );
    const [first, second] = result.faults;
    assert.equal(first?.state.rip, 0x9a070n);
    assert.equal(second?.cr2, 0x405ebb68n);
    assert.ok(
      result.report.lines.some((line) =>
        /^fault vector 0x8 error 0x0 .* at 0x8:0x9a070 .* cr2 0x405ebb68 /.test(line),
      ),
      result.console,
    );
  });
}

test('linux-reboot-bios with the stack below 1 GiB: the first fault itself is reported', () => {
  const result = run('linux-reboot-bios', { parameters: { ibt: 1, stack: 0x1feb78 }, profile: IBT });
  expectStatus(result, 'fault');
  assert.ok(
    result.report.lines.some((line) => /^fault vector 0x15 error 0x3 .* at 0x8:0x9a070 /.test(line)),
    result.console,
  );
});

test('linux-reboot-bios with tables and all overwritten ends in a triple fault', () => {
  const result = run('linux-reboot-bios', { parameters: { blob: 2 }, resets: 0 });
  assert.equal(result.exit.reason, 'shutdown', result.console);
});
