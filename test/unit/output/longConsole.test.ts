/** The text report of a guest that wrote more than anybody reads. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootReportText } from '../../../server/src/output/bootReport';
import { MIB } from '../../../server/src/address/range';
import type { BootReport } from '../../../server/src/simulation/report';
import { realMode } from '../../../server/src/vmm/loaders/entryState';
import { pcMachine } from '../../../server/src/vmm/pc/machine';

test('a console of half a million lines is printed', () => {
  const lines = 500_000;
  const report: BootReport = {
    outcome: 'budget',
    reason: 'The budget is spent.',
    instructions: 1,
    exitStatus: null,
    milliseconds: 1,
    vcpus: [
      // Without one the machine has not started, and its console is not printed.
      { registers: realMode(0, 0, 0x7c00), mode: 'real', symbol: null },
    ],
    console: 'A\n'.repeat(lines),
    firmwareLog: '',
    screen: '',
    exits: [],
    timeline: [],
    timelineDropped: 0,
    faultChain: [],
    symbols: null,
    findings: [],
    evidence: null,
    notModelled: [],
  };
  const text = bootReportText(report, pcMachine({ name: 'loud', memory: 2n * MIB, vcpus: 1 }), {
    pathOf: (uri) => uri,
    width: 100,
  });
  assert.equal(text.split('\n').filter((line) => line === '  A').length, lines);
});
