/** Logs of Cloud Hypervisor: triple faults with and without a name, and devices that were moved out of reach. */
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloudHypervisorLog } from '../../../server/src/crash/cloudHypervisor/format';
import { crashDump } from '../../../server/src/crash/language';
import { documentationOf } from '../../../server/src/crash/rules';
import { guestOf } from '../vmm/cloudHypervisorGuest';
import { codes, crashOf, fixture, messageOf, report } from './dumps';

const silent = fixture('cloud-hypervisor-restarts.txt');
const named = `cloud-hypervisor: 0.09s: <vcpu0> ERROR:hypervisor/src/kvm/mod.rs:2339 -- Guest likely triple-faulted
cloud-hypervisor: 0.09s: <vcpu0> INFO:vmm/src/cpu.rs:1412 -- VmExit::Reset
`;
/** As the report of pull request 8291 quotes it. */
const bar =
  'Failed moving device BAR: failed allocating new MMIO range: 0x7ffff800000->0xff8000000000(0x80000), keeping old BAR\n';

test('a reset of a vCPU that nothing names is the silent triple fault', () => {
  const crash = crashOf(silent);
  assert.equal(crash.format, 'cloud-hypervisor-log');
  assert.deepEqual(codes(crash), ['chv-silent-triple-fault']);
  assert.equal(crash.rootCause, null, 'why the guest faulted is in no log');
  assert.match(messageOf(crash, 'chv-silent-triple-fault'), /The text has it 2 times: the guest starts over/);
  assert.match(crash.verdict, /The first fault is in no log/);
});

test('a version that names it has one event, not two', () => {
  assert.equal(report(named).crashes.length, 1);
  const crash = crashOf(named);
  assert.deepEqual(codes(crash), ['vmm-reported-triple-fault']);
  assert.equal(crash.findings[0]!.confidence, 'certain');
});

for (const text of [
  'cloud-hypervisor: 1.0s: <vcpu0> INFO:devices/src/legacy/i8042.rs:55 -- i8042 reset signalled\n',
  'cloud-hypervisor: 1.0s: <vmm> INFO:vmm/src/lib.rs:1310 -- VM reset event\n',
  'cloud-hypervisor: 1.0s: <vcpu1> INFO:vmm/src/cpu.rs:1145 -- VmExit::Shutdown\n',
]) {
  test(`no triple fault: ${text.slice(text.indexOf('--') + 3).trim()}`, () => {
    assert.deepEqual(report(text).crashes, []);
  });
}

test('a BAR beyond the width that the VMM gives: the two widths of AMD hosts', () => {
  const crash = crashOf(bar);
  assert.deepEqual(codes(crash), ['device-outside-window', 'chv-guest-phys-bits']);
  assert.match(
    messageOf(crash, 'device-outside-window'),
    /a BAR of 0x80000 bytes the address 0xff8000000000/,
  );
  assert.match(messageOf(crash, 'chv-guest-phys-bits'), /needs 48 bits .* 0x7ffff800000, which needs 43/);
  assert.equal(crash.rootCause?.code, 'chv-guest-phys-bits');
  assert.equal(crash.rootCause?.cause, 'vmm');
});

test('a BAR that leaves its window without more bits is no matter of widths', () => {
  const crash = crashOf(bar.replace('0xff8000000000', '0x40000000000'));
  assert.deepEqual(codes(crash), ['device-outside-window']);
});

test('the addresses lead to the config: one into the device window, one beyond all', () => {
  const config = { cpus: { boot_vcpus: 1, max_vcpus: 1, max_phys_bits: 43 }, memory: { size: 2 ** 30 } };
  const { mappings } = crashOf(bar, { machines: [guestOf('v48.0', config)] });
  assert.deepEqual(
    mappings.map(({ what, region }) => [what, region]),
    [
      ['new address of the BAR', null],
      ['address of the BAR', '64-bit PCI devices'],
    ],
  );
});

test('such a log is recognised as a crash dump', () => {
  for (const text of [silent, named, bar]) assert.ok(crashDump.recognise(text, ''), text);
});

test('every rule has its page', () => {
  for (const rule of cloudHypervisorLog.rules) {
    assert.ok(existsSync(join(process.env.BOOTPATH_ROOT!, documentationOf(rule))), rule.code);
  }
});
