/** The two founding cases on illumos, run by run: what each version of the host's kernel makes of the same guest. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { KnownIssue } from '../../../server/src/machine/knownIssue';
import type { Machine } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import type { BootReport } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { SourceText } from '../../../server/src/text/sourceText';
import { illumos13253 } from '../../../server/src/vmm/bhyve/knownIssues/illumos13253';
import { illumos14042 } from '../../../server/src/vmm/bhyve/knownIssues/illumos14042';
import { vmmModel } from '../../../server/src/vmm/models';
import { underModel } from '../../../server/src/vmm/relayout';

const BHYVE = vmmModel('bhyve')!;

/** A run of an issue on its own guest, or on a machine that is given. */
function run(issue: KnownIssue, cell: number, parameters = {}, machine: Machine | null = null): BootReport {
  const { guest, cells } = issue.simulation!;
  const { version } = cells[cell]!;
  const own = { ...guest, vmm: null, version: null, regions: [] };
  const request = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 500_000_000,
    reboots: 0,
    knownIssue: issue.id,
    cell,
    parameters,
  };
  return simulate(underModel(machine ?? own, BHYVE, version), BHYVE, version, request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
}

interface Row {
  readonly outcome: string;
  /** What the report's reason has. */
  readonly says: readonly string[];
  readonly reached: boolean;
}

const RUNS: readonly (readonly [KnownIssue, readonly Row[]])[] = [
  [
    illumos14042,
    [
      {
        outcome: 'host-panic',
        says: ['ptes[i] == 0', 'clears the entry of GPA 0x100000000', 'index 1, GPA 0x100001000'],
        reached: true,
      },
      { outcome: 'host-panic', says: ['index 5, GPA 0x100005000'], reached: true },
      { outcome: 'reset', says: ['clears the entry of GPA 0x100000000', 'inferred'], reached: false },
      { outcome: 'reset', says: ['0xcf9'], reached: false },
      {
        outcome: 'reset',
        says: ['[0x100000000, 0x100200000) is freed with 1 live entry', 'inferred'],
        reached: false,
      },
      { outcome: 'shutdown', says: [], reached: false },
      {
        outcome: 'host-panic',
        says: ['vm_destroy', 'clears the entry of GPA 0x100000000', 'index 1, GPA 0x100001000'],
        reached: true,
      },
      { outcome: 'reset', says: ['0xcf9'], reached: false },
    ],
  ],
  [
    illumos13253,
    [
      {
        outcome: 'host-panic',
        says: ['ICR 0xc4500', 'bad pending MMIO state', 'vlapic_icrlo_write_handler', 'vie_exitinfo'],
        reached: true,
      },
      { outcome: 'vmm-exit', says: ['ICR 0xc4500', 'instruction-emulation exit'], reached: false },
      { outcome: 'halted', says: ['said "complete"'], reached: false },
      { outcome: 'halted', says: ['said "complete"'], reached: false },
      { outcome: 'halted', says: ['said "complete"'], reached: false },
      { outcome: 'host-panic', says: ['bad pending MMIO state'], reached: true },
    ],
  ],
];

for (const [issue, rows] of RUNS) {
  test(`${issue.id}: a row for each run`, () => assert.equal(issue.simulation!.cells.length, rows.length));
  for (const [cell, { outcome, says, reached }] of rows.entries()) {
    const { name, version, evidence } = issue.simulation!.cells[cell]!;
    test(`${issue.id}, ${name}, bhyve@${version}: ${outcome}`, () => {
      const report = run(issue, cell);
      assert.equal(report.outcome, outcome, report.reason);
      for (const part of says) assert.ok(report.reason.includes(part), report.reason);
      assert.equal(report.shown?.reached !== null, reached, report.reason);
      const found = report.findings.filter(({ code }) => code === issue.id);
      assert.deepEqual(
        found.map((finding) => finding.evidence),
        reached ? [evidence] : [],
      );
    });
  }
}

test('illumos-13253: all start in full, one where the destination field names one', () => {
  const started = (cell: number): string | undefined =>
    /^started: real (0x\d)/m.exec(run(illumos13253, cell).console)?.[1];
  assert.deepEqual([2, 3, 4].map(started), ['0x3', '0x3', '0x1']);
});

test('illumos-14042: the index follows what the guest touched', () => {
  for (const [pages, index] of [
    [0b11, 1],
    [0b10, 1],
    [0b1000, 3],
    [0x80000001, 31],
  ] as const) {
    assert.match(run(illumos14042, 0, { pages }).reason, new RegExp(`index ${index}, GPA 0x1000`));
  }
});

test('illumos-14042 on the map of the report points at the boot ROM’s line', () => {
  const file = join(process.env.BOOTPATH_ROOT!, 'examples/illumos-14042/memory-map.txt');
  const source = new SourceText('file:///map', readFileSync(file, 'utf8'));
  const { machines } = memmap.parse(source, { files: new Map() });
  const report = run(illumos14042, 0, {}, machines[0]);
  assert.match(report.reason, /index 1, GPA 0x100001000.*bootrom \[0xffe00000, 0x100000000\)/);
  const lines = report.findings.map(({ code, at }) => [code, at?.range.start.line]);
  assert.deepEqual(lines, [
    ['boot-host-panic', 3],
    ['illumos-14042', 3],
  ]);
});

test('illumos-13253: a destination beyond the vCPUs that there are starts nobody and panics nobody', () => {
  const report = run(illumos13253, 4, { destination: 20 });
  assert.equal(report.outcome, 'halted', report.reason);
  assert.match(report.console, /^started: real 0x0 /m);
});

const OVMF = '/usr/share/OVMF/OVMF_CODE.fd';
const skip = existsSync(OVMF) ? {} : { skip: `${OVMF} is not there (Debian package ovmf)` };

test('illumos-13253: OVMF writes the value of the report, with one vCPU too', skip, () => {
  const { guest } = illumos13253.simulation!;
  const one = { ...guest, vcpus: { ...guest.vcpus, value: 1 }, vmm: null, version: null, regions: [] };
  const request = {
    machine: null,
    firmware: readFileSync(OVMF),
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 1_000_000_000,
    reboots: 0,
  };
  const report = simulate(underModel(one, BHYVE, 'illumos-2020-09'), BHYVE, 'illumos-2020-09', request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
  assert.equal(report.outcome, 'host-panic', report.reason);
  assert.match(report.reason, /ICR 0xc4500 .*bad pending MMIO state/);
});
