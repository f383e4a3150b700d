/** The known issue vmd-lowmem: the cross of its runs, and what the finding of the main one says. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { BootReport } from '../../../server/src/simulation/report';
import { vmdLowmem } from '../../../server/src/vmm/vmd/knownIssues/vmdLowmem';
import { bootVmd } from './bootVmd';

/** The registers of the report (openbsd tech@, 2026-01-05) as the double-fault handler sees them. */
const REPORTED = /vector 0x8 .* at 0x8:0x9a070 .* stack 0x18:0x405ebb78 .* cr2 0x405ebb68 cr3 0x9c000/;

const { cells } = vmdLowmem.simulation!;
const runs = new Map<string, BootReport>();

function runOf(name: string): BootReport {
  const cell = cells.findIndex((candidate) => candidate.name === name);
  assert.notEqual(cell, -1, name);
  const made = runs.get(name) ?? bootVmd(cells[cell]!.version, { knownIssue: 'vmd-lowmem', cell }, '2G');
  runs.set(name, made);
  return made;
}

// Tracking, blob; the first fault, how the probe ends (null: not at all), whether the reported state is reached.
for (const [ibt, blob, first, status, reached] of [
  ['on', 'intact', 21, 'double-fault', true],
  ['on', 'code page overwritten', 21, 'double-fault', true],
  ['on', 'overwritten with its page table', 14, null, false],
  ['off', 'intact', null, 'restarted', false],
  ['off', 'code page overwritten', 13, 'double-fault', true],
  ['off', 'overwritten with its page table', 14, null, false],
] as const) {
  for (const [low, blobAt] of [
    ['640 KiB', 0x98000],
    ['576 KiB', 0x89000],
  ] as const) {
    test(`IBT ${ibt}, blob ${blob}, ${low}: first fault ${first}, ${reached ? 'the reported state' : 'not the reported state'}`, () => {
      const report = runOf(`IBT ${ibt}, blob ${blob}, ${low}`);
      assert.match(report.console, new RegExp(`blob at 0x${blobAt.toString(16)} `));
      assert.equal(report.faultChain[0]?.vector ?? null, first);
      assert.equal(/status (\S+)/.exec(report.console)?.[1] ?? null, status);
      assert.equal(report.outcome, status ? 'halted' : 'triple-fault');
      assert.equal(report.shown?.reached != null, reached);
    });
  }
}

// Bit 12 of the trampoline page table's address: 0x9c000 has it clear, 0x8d000 set.
test('with page-table isolation the double fault is reported at 640 KiB, and 576 KiB restarts the VM', () => {
  const reported = runOf('IBT on, blob intact, PTI, 640 KiB');
  assert.match(reported.console, REPORTED);
  assert.notEqual(reported.shown?.reached ?? null, null);
  const restarted = runOf('IBT on, blob intact, PTI, 576 KiB');
  assert.equal(restarted.outcome, 'triple-fault');
  assert.match(restarted.reason, /vmd starts the VM anew/);
  assert.equal(restarted.vcpus[0]!.registers.cr3, 0x8c000n);
  assert.equal(restarted.shown?.reached, null);
});

test('there is a run for each, and where low RAM ends changes no outcome without PTI', () => {
  assert.equal(cells.length, 14);
  const plain = cells.filter(({ name }) => name.endsWith('640 KiB') && !name.includes('PTI'));
  for (const { name } of plain) {
    const other = runOf(name.replace('640', '576'));
    const run = runOf(name);
    assert.deepEqual(
      [run.outcome, run.shown?.reached != null],
      [other.outcome, other.shown?.reached != null],
    );
  }
});

test('the sentence of the main run has the numbers of the report', () => {
  assert.match(
    runOf(cells[0]!.name).shown?.reached ?? '',
    /#CP at 0x9a070, blob \+ 0x2070, .* CR2 0x405ebb68 = \(RSP 0x405ebb78 & ~0xf\) - 8; double fault/,
  );
});

test('the known issue boots its own probe and ends in the registers of the report', () => {
  const report = runOf(cells[0]!.name);
  assert.equal(report.evidence, 'mechanism');
  assert.match(report.console, REPORTED);
  const finding = report.findings.find(({ code }) => code === 'vmd-lowmem');
  assert.deepEqual([finding?.severity, finding?.evidence], ['information', 'mechanism']);
  assert.equal(finding?.at?.range.start.line, 1);
});

test('a blob that was overwritten ends in the same registers: the run does not decide between them', () => {
  assert.match(runOf('IBT off, blob code page overwritten, 640 KiB').console, REPORTED);
});

test('under a version that is not affected the issue is not shown', () => {
  const report = runOf('IBT on, blob intact, 576 KiB');
  assert.equal(report.evidence, null);
  assert.ok(!report.findings.some(({ code }) => code === 'vmd-lowmem'));
});

test('an unknown issue is the mistake of the caller', () => {
  assert.throws(() => bootVmd('7.8', { knownIssue: 'vmd-nothing' }), /vmd has no known issue "vmd-nothing"/);
});
