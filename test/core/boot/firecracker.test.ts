/** Firecracker's model on the real core: its known issues, application processors, and what ends a microVM. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { KnownIssue } from '../../../server/src/machine/knownIssue';
import { simulate } from '../../../server/src/simulation/simulate';
import { firecrackerMpTableMap } from '../../../server/src/vmm/firecracker/knownIssues/mpTableOutsideMap';
import { firecrackerStaleReads } from '../../../server/src/vmm/firecracker/knownIssues/staleReads';
import { firecrackerTripleFaultStatus } from '../../../server/src/vmm/firecracker/knownIssues/tripleFaultStatus';
import { FIRECRACKER } from '../../../server/src/vmm/firecracker/model';
import { underModel } from '../../../server/src/vmm/relayout';
import { firecrackerMachine } from '../../unit/vmm/firecrackerMachine';

const HOST = { createCore, cancelled: () => false, progress: () => undefined };
const REQUEST = {
  ...{ machine: null, firmware: null, kernel: null, probe: null, taps: [], maxInstructions: 50_000_000 },
  reboots: 0,
};

function runCell(issue: KnownIssue, cell: number) {
  const { guest, cells } = issue.simulation!;
  const { version } = cells[cell]!;
  const machine = underModel({ ...guest, vmm: null, version: null, regions: [] }, FIRECRACKER, version);
  return simulate(machine, FIRECRACKER, version, { ...REQUEST, knownIssue: issue.id, cell }, HOST);
}

function runProbe(version: string, probe: string, vcpus = 1) {
  return simulate(
    firecrackerMachine(version, 128n, vcpus),
    FIRECRACKER,
    version,
    { ...REQUEST, probe },
    HOST,
  );
}

for (const [cell, status, map, reached] of [
  // The map of the report.
  [0, 'outside-map', ['map 0x0 0x9fc00 1'], true],
  // The map of the pull request.
  [1, 'reserved', ['map 0x0 0x9fc00 1', 'map 0x9fc00 0xa0000 2'], false],
  [2, 'reserved', ['map 0x0 0x9fc00 1', 'map 0x9fc00 0xe0000 2'], false],
] as const) {
  test(`firecracker-mp-table-map, run ${cell}: ${status}`, () => {
    const report = runCell(firecrackerMpTableMap, cell);
    assert.equal(report.outcome, 'halted', report.reason);
    const lines = report.console.split(/\r?\n/);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('map ')),
      map,
    );
    assert.ok(lines.includes('mp-pointer 0x9fc00 table 0x9fc10'), report.console);
    assert.ok(lines.includes(`status ${status}`));
    const found = report.findings.find(({ code }) => code === firecrackerMpTableMap.id);
    assert.equal(found?.evidence ?? null, reached ? 'reproduced' : null);
  });
}

for (const [cell, exitStatus, reached] of [
  [0, 0, true],
  [1, 1, false],
] as const) {
  test(`firecracker-triple-fault-status, run ${cell}: exit status ${exitStatus}`, () => {
    const report = runCell(firecrackerTripleFaultStatus, cell);
    assert.deepEqual([report.outcome, report.exitStatus], ['triple-fault', exitStatus]);
    // One gate of zeros at 0x520: #UD, whose gate would be at 6 * 8, and so on.
    assert.match(report.console, /the limit of the interrupt table is 7\r?\n/);
    assert.equal(report.faultChain[0]!.vector, 6);
    assert.equal(
      report.findings.some(({ code }) => code === firecrackerTripleFaultStatus.id),
      reached,
    );
  });
}

for (const [cell, line, status, reached] of [
  // io.data_offset of the last character, then what was written.
  [0, 'read 0x1000, behind a write of 0x12345678 to another address 0x12345678', 'leftover', true],
  [1, 'read 0x0, behind a write of 0x12345678 to another address 0x0', 'zero', false],
] as const) {
  test(`firecracker-stale-reads, run ${cell}: ${status}`, () => {
    const report = runCell(firecrackerStaleReads, cell);
    const lines = report.console.split(/\r?\n/);
    assert.ok(lines.includes(line) && lines.includes(`status ${status}`), report.console);
    const found = report.findings.find(({ code }) => code === firecrackerStaleReads.id);
    assert.equal(found?.evidence ?? null, reached ? 'reproduced' : null);
  });
}

test('no other version than the affected ones is named as such', () => {
  assert.deepEqual(firecrackerMpTableMap.affected, ['1.0', '1.1', '1.2', '1.3', '1.4']);
  assert.equal(firecrackerTripleFaultStatus.affected.at(-1), '1.14');
  assert.equal(firecrackerStaleReads.affected.at(-1), '1.15');
});

for (const [version, probe, outcome, status] of [
  ['1.4', 'reset-i8042', 'vmm-exit', 0],
  ['main-2026-08', 'reset-i8042', 'vmm-exit', 0],
  ['1.14', 'reset-triple-fault', 'triple-fault', 0],
  ['main-2026-08', 'reset-triple-fault', 'triple-fault', 1],
  ['main-2026-08', 'reset-cf9', 'halted', null],
  ['main-2026-08', 'reset-port92', 'halted', null],
] as const) {
  test(`${probe} under firecracker@${version} is ${outcome} with status ${status}`, () => {
    const report = runProbe(version, probe);
    assert.deepEqual([report.outcome, report.exitStatus], [outcome, status], report.reason);
  });
}

test('application processors start by INIT and SIPI from the registers that Firecracker gave them', () => {
  const report = runProbe('main-2026-08', 'ap-start', 4);
  assert.match(report.console, /status complete/, report.console);
});

test('the boot path is taken by both of its entries', () => {
  for (const version of ['1.11', 'main-2026-08']) {
    const report = runProbe(version, 'boot-path');
    assert.match(report.console, /status complete/, `${version}: ${report.reason}\n${report.console}`);
  }
});
