import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootVmd } from './bootVmd';

for (const [version, probe, outcome, console] of [
  ['7.8', 'boot-path', 'halted', /status complete/],
  ['2026-01', 'boot-path', 'halted', /status complete/],
  ['x86_vm-1.27', 'boot-path', 'halted', /status complete/],
  ['7.8', 'reset-i8042', 'halted', /status still-running/],
  ['x86_vm-1.19', 'reset-i8042', 'halted', /status still-running/],
  ['x86_vm-1.24', 'reset-i8042', 'reset', /writing 0xfe to port 0x64\s*$/],
  ['7.8', 'reset-cf9', 'halted', /status still-running/],
  ['x86_vm-1.24', 'reset-cf9', 'reset', /./],
  ['7.8', 'reset-port92', 'halted', /status still-running/],
  ['x86_vm-1.27', 'reset-port92', 'halted', /status still-running/],
  ['7.8', 'reset-triple-fault', 'triple-fault', /./],
  ['x86_vm-1.27', 'reset-triple-fault', 'triple-fault', /./],
  ['7.8', 'reset-bios', 'halted', /status restarted/],
  ['7.8', 'ap-start', 'halted', /status no-local-apic/],
  ['x86_vm-1.27', 'ap-start', 'halted', /status alone/],
  ['7.8', 'linux-reboot-bios', 'halted', /status restarted/],
] as const) {
  test(`vmd ${version}: probe ${probe} ends in ${outcome}`, () => {
    const report = bootVmd(version, { probe });
    assert.equal(report.outcome, outcome, `${report.reason}\n${report.console}`);
    assert.match(report.console, console);
  });
}

test('the triple fault of a probe has its chain: first, second and third fault', () => {
  const report = bootVmd('7.8', { probe: 'reset-triple-fault' });
  assert.equal(report.faultChain.length, 3);
  assert.deepEqual(
    report.faultChain.map(({ vector }) => vector),
    [13, 13, 13],
  );
});

test('with reboots a probe that resets runs again', () => {
  const report = bootVmd('x86_vm-1.24', { probe: 'reset-i8042', reboots: 2 });
  assert.equal(report.outcome, 'reset');
  assert.equal(report.console.split('probe reset-i8042').length - 1, 3);
});

test('indirect-branch tracking ends the reboot of Linux in a double fault', () => {
  const report = bootVmd('7.8', { probe: 'linux-reboot-bios', parameters: { ibt: 1 } });
  assert.match(report.console, /status double-fault/);
  assert.deepEqual(
    report.faultChain.slice(0, 2).map(({ vector }) => vector),
    [21, 14],
  );
});

test('the first fault of a handled double fault leads to the line of its region', () => {
  const report = bootVmd('7.8', { probe: 'linux-reboot-bios', parameters: { ibt: 1 } });
  const finding = report.findings.find(({ code }) => code === 'boot-probe');
  assert.match(finding?.message ?? '', /A double fault came before: #CP error code 0x3 .* at 0x9a070/);
  assert.equal(finding?.at?.range.start.line, 1);
});

for (const vcpus of [2, 4]) {
  for (const quantum of [1, 100, 5000]) {
    test(`${vcpus} vCPUs start by INIT and SIPI, taking turns of ${quantum} instructions`, () => {
      const report = bootVmd('x86_vm-1.24', { probe: 'ap-start', quantum }, '512M', vcpus);
      assert.match(report.console, /status complete/, report.console);
      assert.equal(report.timeline.filter(({ event }) => event === 'sipi').length, vcpus - 1);
    });
  }
}
