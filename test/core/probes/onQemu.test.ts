/** The probes on another x86 first: what they report there is what they are expected to report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeNamed } from '../../../server/src/simulation/probes/probes';
import { readProbeReport } from '../../../server/src/simulation/probes/probeReport';
import { probeRom } from '../../../server/src/simulation/probes/rom';
import { missingTools, runOnQemu } from '../oracle/tools';

interface Case {
  readonly probe: string;
  readonly parameters?: Record<string, number>;
  readonly arguments?: readonly string[];
  readonly status: string;
  readonly starts?: number;
  /** Lines that must be there, in this order, others between them. */
  readonly lines: readonly RegExp[];
}

const MODES = ['real', 'protected-16', 'protected-32', 'paging-32', 'pae', 'compatibility', 'long'];

const CASES: readonly Case[] = [
  {
    probe: 'boot-path',
    status: 'complete',
    lines: [
      ...MODES.map((mode) => new RegExp(`^mode ${mode} at 0xf[ef]`)),
      /^touch 0x0 ok$/,
      /^touch 0xffff000 ok$/,
      /^mode real/,
    ],
  },
  {
    probe: 'boot-path',
    arguments: ['-m', '5G'],
    status: 'complete',
    lines: [
      /^e820 0x100000000 length 0x80000000 type 0x1$/,
      /^touch 0x100000000 ok$/,
      /^touch 0x17ffff000 ok$/,
    ],
  },
  { probe: 'boot-path', arguments: ['-cpu', 'qemu32'], status: 'no-long-mode', lines: [/^mode pae/] },
  {
    probe: 'ap-start',
    arguments: ['-smp', '3'],
    status: 'complete',
    lines: [/real 0x2 protected-32 0x2 long 0x2$/],
  },
  { probe: 'ap-start', status: 'complete', lines: [/real 0x0 protected-32 0x0 long 0x0$/] },
  {
    probe: 'ap-start',
    parameters: { init: 0x4500, startup: 0x4608, destination: 2 },
    arguments: ['-smp', '3'],
    status: 'cpus-missing',
    lines: [/real 0x1 protected-32 0x1 long 0x1$/, /^apic id 0x2$/],
  },
  {
    probe: 'reset-high-memory',
    parameters: { pages: 0x80000005 },
    arguments: ['-m', '5G'],
    status: 'restarted',
    starts: 2,
    lines: [/^wrote 0x100000000$/, /^wrote 0x100002000$/, /^wrote 0x10001f000$/, /by a CPU reset/],
  },
  { probe: 'reset-high-memory', status: 'no-high-memory', lines: [] },
  { probe: 'ap-start', arguments: ['-cpu', 'qemu64,-apic'], status: 'no-local-apic', lines: [] },
  { probe: 'reset-triple-fault', status: 'restarted', starts: 2, lines: [/by a CPU reset/] },
  { probe: 'reset-i8042', status: 'restarted', starts: 2, lines: [/by a CPU reset/] },
  { probe: 'reset-cf9', status: 'restarted', starts: 2, lines: [/by a CPU reset/] },
  { probe: 'reset-port92', status: 'restarted', starts: 2, lines: [/by a CPU reset/] },
  { probe: 'reset-bios', status: 'restarted', starts: 2, lines: [/by a jump, warm boot word 0x1234$/] },
  {
    probe: 'linux-reboot-bios',
    status: 'restarted',
    starts: 2,
    lines: [/^blob at 0x98000 to 0x9f000$/, /^jumping through 0xffff888000098024 to 0x9a070 /, /by a jump/],
  },
  // QEMU 7.2 has no CET, and does not look at a null DS, so that it cannot judge the other variants.
  { probe: 'linux-reboot-bios', parameters: { ibt: 1 }, status: 'no-ibt', lines: [] },
];

for (const { probe: name, parameters = {}, arguments: more = [], status, starts = 1, lines } of CASES) {
  const title = [name, JSON.stringify(parameters), ...more].filter((word) => word !== '{}').join(' ');
  test(`QEMU: ${title} reports ${status}`, { skip: missingTools('qemu-system-x86_64') }, async () => {
    const probe = probeNamed(name);
    assert.ok(probe);
    const rom = probeRom(probe, parameters);
    const console = await runOnQemu({
      rom,
      output: 'serial',
      arguments: ['-m', '256', ...more],
      until: /status .*\n/,
    });
    const report = readProbeReport(probe, console);
    assert.equal(report.status?.code ?? /^status .*/m.exec(console)?.[0], status, console);
    assert.equal(report.starts, starts);
    let from = 0;
    for (const line of lines) {
      const at = report.lines.slice(from).findIndex((text) => line.test(text));
      assert.notEqual(at, -1, `no line ${line} in\n${console}`);
      from += at + 1;
    }
  });
}
