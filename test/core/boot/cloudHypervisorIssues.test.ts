/** The runs of Cloud Hypervisor's known issues on the real core: which reach the reported state, and which do not. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { simulate } from '../../../server/src/simulation/simulate';
import { chvGuestPhysicalBits } from '../../../server/src/vmm/cloud-hypervisor/knownIssues/guestPhysicalBits';
import { chvSilentTripleFault } from '../../../server/src/vmm/cloud-hypervisor/knownIssues/silentTripleFault';
import { CLOUD_HYPERVISOR } from '../../../server/src/vmm/cloud-hypervisor/model';
import type { KnownIssue } from '../../../server/src/machine/knownIssue';
import { underModel } from '../../../server/src/vmm/relayout';

function run(issue: KnownIssue, cell: number) {
  const { guest, cells } = issue.simulation!;
  const { version } = cells[cell]!;
  const machine = underModel({ ...guest, vmm: null, version: null, regions: [] }, CLOUD_HYPERVISOR, version);
  return simulate(
    machine,
    CLOUD_HYPERVISOR,
    version,
    {
      ...{ machine: null, firmware: null, kernel: null, probe: null, taps: [], maxInstructions: 1_000_000 },
      ...{ reboots: 0, knownIssue: issue.id, cell },
    },
    { createCore, cancelled: () => false, progress: () => undefined },
  );
}

for (const [cell, outcome, reason, reached] of [
  [0, 'triple-fault', /logs only "VmExit::Reset"/, true],
  [1, 'triple-fault', /"Guest likely triple-faulted" in the log/, false],
] as const) {
  test(`chv-silent-triple-fault, run ${cell}: ${reached ? 'nothing in the log' : 'named in the log'}`, () => {
    const report = run(chvSilentTripleFault, cell);
    assert.equal(report.outcome, outcome);
    assert.match(report.reason, reason);
    assert.match(report.console, /the limit of the interrupt table is 7\r?\nraising #UD/);
    assert.equal(report.faultChain[0]!.vector, 6);
    assert.equal(
      report.findings.some(({ code }) => code === 'chv-silent-triple-fault'),
      reached,
    );
  });
}

for (const [cell, widths, status, reached] of [
  // The numbers of the report.
  [0, 'PhysAddrSize 43, GuestPhysAddrSize 48', 'guest-wider', true],
  [1, 'PhysAddrSize 46, GuestPhysAddrSize 46', 'equal', false],
  [2, 'PhysAddrSize 46, GuestPhysAddrSize 46', 'equal', false],
] as const) {
  test(`chv-guest-phys-bits, run ${cell}: ${widths}`, () => {
    const report = run(chvGuestPhysicalBits, cell);
    assert.equal(report.outcome, 'halted', report.reason);
    assert.ok(report.console.includes(widths), report.console);
    assert.ok(report.console.includes(`status ${status}`));
    assert.equal(
      report.findings.some(({ code }) => code === 'chv-guest-phys-bits'),
      reached,
    );
  });
}
