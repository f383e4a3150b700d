/** The text report of a boot: what is printed, and what is only counted. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootReportText } from '../../../server/src/output/bootReport';
import { MIB } from '../../../server/src/address/range';
import type { BootReport } from '../../../server/src/simulation/report';
import { realMode } from '../../../server/src/vmm/loaders/entryState';
import { pcMachine } from '../../../server/src/vmm/pc/machine';

const REPORT: BootReport = {
  outcome: 'budget',
  reason: 'The budget is spent.',
  instructions: 1,
  exitStatus: null,
  milliseconds: 1,
  instructionsBefore: 0,
  // Without one the machine has not started, and nothing of it is printed.
  vcpus: [{ registers: realMode(0, 0, 0x7c00), mode: 'real', symbol: null }],
  console: '',
  firmwareLog: '',
  screen: '',
  exits: [],
  timeline: [],
  timelineDropped: 0,
  faultChain: [],
  symbols: null,
  findings: [],
  evidence: null,
  shown: null,
  notModelled: [],
};

const textOf = (report: Partial<BootReport>) =>
  bootReportText({ ...REPORT, ...report }, pcMachine({ name: 'guest', memory: 2n * MIB, vcpus: 1 }), {
    pathOf: (uri) => uri,
    width: 100,
  });

test('a console of half a million lines is printed', () => {
  const lines = 500_000;
  const text = textOf({ console: 'A\n'.repeat(lines) });
  assert.equal(text.split('\n').filter((line) => line === '  A').length, lines);
});

test('the pace of a continued run is that of its own instructions', () => {
  assert.match(
    textOf({ instructions: 5_000_000, milliseconds: 2000 }),
    /^ {2}5 000 000 instructions in 2\.00 s, 3 MIPS$/m,
  );
  assert.match(
    textOf({ instructions: 5_000_000, instructionsBefore: 3_000_000, milliseconds: 1000 }),
    /^ {2}2 000 000 instructions in 1\.00 s, 2 MIPS after the 3 000 000 of the saved run$/m,
  );
});

test('a reason is not repeated as a finding, unless it names a place', () => {
  const finding = { code: 'boot-budget', severity: 'warning', message: REPORT.reason, at: null } as const;
  assert.doesNotMatch(textOf({ findings: [finding] }), /Findings/);
  assert.match(textOf({ findings: [{ ...finding, message: 'More.' }] }), /Findings\n {2}warning: More\./);
});

test('of many kinds of exits the frequent ones are printed, and the others counted', () => {
  const exits = Array.from({ length: 45 }, (_, i) => ({
    kind: 'in' as const,
    at: BigInt(i),
    count: 100 - i,
    device: 'chip',
  }));
  assert.match(
    textOf({ exits }),
    /100 {2}in 0x0 {2}\(chip\)[^]*61 {2}in 0x27 {2}\(chip\)\n {2}5 rarer kinds/,
  );
});
