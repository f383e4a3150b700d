import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootVmd } from './bootVmd';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const options = existsSync(SEABIOS) ? {} : { skip: `${SEABIOS} is not there (Debian package seabios)` };

for (const version of ['7.8', '2026-01', 'x86_vm-1.27'] as const) {
  test(`SeaBIOS runs under vmd ${version} to "No bootable device"`, options, () => {
    const report = bootVmd(version, { firmware: readFileSync(SEABIOS), taps: [0x402] });
    assert.match(report.firmwareLog, /^SeaBIOS \(version /);
    assert.match(report.firmwareLog, /Found QEMU fw_cfg/);
    assert.match(report.firmwareLog, /No bootable device/);
    assert.equal(report.outcome, 'halted', report.reason);
    assert.ok(report.instructions > 1_000_000, `${report.instructions} instructions`);
    assert.ok(report.findings.some(({ code }) => code === 'boot-would-stop'));
  });
}

test('without a tap vmd ends stock SeaBIOS at its first REP INSB', options, () => {
  const report = bootVmd('7.8', { firmware: readFileSync(SEABIOS) });
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /^REP INSB at port 0x511/);
});

test('two runs of the same boot are the same', options, () => {
  const boot = () => bootVmd('7.8', { firmware: readFileSync(SEABIOS), taps: [0x402] });
  const strip = (report: ReturnType<typeof boot>) => ({ ...report, milliseconds: 0 });
  assert.deepEqual(strip(boot()), strip(boot()));
});
