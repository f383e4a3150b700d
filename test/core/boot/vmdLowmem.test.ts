import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootVmd } from './bootVmd';

/** The registers of the report (openbsd tech@, 2026-01-05) as the double-fault handler sees them. */
const REPORTED = /vector 0x8 .* at 0x8:0x9a070 .* stack 0x18:0x405ebb78 .* cr2 0x405ebb68 cr3 0x9c000/;

for (const [version, ibt, blob, status, first] of [
  ['7.8', 0, 0, 'restarted', null],
  ['7.8', 1, 0, 'double-fault', 21],
  ['7.8', 0, 1, 'double-fault', 13],
  ['7.8', 1, 1, 'double-fault', 21],
  ['2026-01', 0, 0, 'restarted', null],
  ['2026-01', 1, 0, 'double-fault', 21],
  ['2026-01', 0, 1, 'double-fault', 13],
] as const) {
  test(`vmd ${version}, tracking ${ibt}, blob ${blob}: ${status}`, () => {
    const report = bootVmd(version, { probe: 'linux-reboot-bios', parameters: { ibt, blob } }, '2G');
    assert.match(report.console, new RegExp(`status ${status}\\n`));
    assert.equal(report.faultChain[0]?.vector ?? null, first);
  });
}

test('the known issue boots its own probe and ends in the registers of the report', () => {
  const report = bootVmd('7.8', { knownIssue: 'vmd-lowmem' }, '2G');
  assert.equal(report.evidence, 'mechanism');
  assert.match(report.console, REPORTED);
  const finding = report.findings.find(({ code }) => code === 'vmd-lowmem');
  assert.deepEqual([finding?.severity, finding?.evidence], ['information', 'mechanism']);
  assert.equal(finding?.at?.range.start.line, 1);
});

test('a blob that was overwritten ends in the same registers: the run does not decide between them', () => {
  const report = bootVmd('7.8', { probe: 'linux-reboot-bios', parameters: { blob: 1 } }, '2G');
  assert.match(report.console, REPORTED);
});

test('under a version that is not affected the issue is not shown', () => {
  const report = bootVmd('2026-01', { knownIssue: 'vmd-lowmem' }, '2G');
  assert.equal(report.evidence, null);
  assert.ok(!report.findings.some(({ code }) => code === 'vmd-lowmem'));
});

test('an unknown issue is the mistake of the caller', () => {
  assert.throws(() => bootVmd('7.8', { knownIssue: 'vmd-nothing' }), /vmd has no known issue "vmd-nothing"/);
});
