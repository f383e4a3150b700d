/** Logs of Firecracker and libkrun that say KVM_EXIT_SHUTDOWN. The lines have the shape of those in the public trackers. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { crashDump } from '../../../server/src/crash/language';
import { codes, crashOf, messageOf, report } from './dumps';

const FIRECRACKER_1_14 = `2026-02-01T10:00:00.000000001 [anonymous-instance:main] Successfully started microvm that was configured from one single json
2026-02-01T10:00:00.100000002 [anonymous-instance:fc_vcpu 0] Received KVM_EXIT_SHUTDOWN signal
2026-02-01T10:00:00.100000003 [anonymous-instance:main] Firecracker exiting successfully. exit_code=0
`;
const FIRECRACKER_1_15 = `2026-04-01T10:00:00.100000002 [vm1:fc_vcpu 0:ERROR] Unexpected exit reason on vcpu run: Shutdown
2026-04-01T10:00:00.100000003 [vm1:main:ERROR] Firecracker exiting with error. exit_code=1
`;
const LIBKRUN = `[2026-02-01T10:00:00Z INFO  krun::linux::vstate] Received KVM_EXIT_SHUTDOWN signal
`;
const BARE = 'Received KVM_EXIT_SHUTDOWN signal\n';

for (const [name, text, title, expected, confidence] of [
  [
    'Firecracker up to 1.14',
    FIRECRACKER_1_14,
    'Triple fault (Firecracker)',
    ['vmm-ended-by-triple-fault', 'firecracker-triple-fault-status'],
    'certain',
  ],
  [
    'Firecracker from 1.15 on',
    FIRECRACKER_1_15,
    'Triple fault (Firecracker)',
    ['vmm-ended-by-triple-fault'],
    null,
  ],
  ['libkrun', LIBKRUN, 'Triple fault (libkrun)', ['vmm-ended-by-triple-fault'], null],
  [
    'either',
    BARE,
    'Triple fault (Firecracker or libkrun)',
    ['vmm-ended-by-triple-fault', 'firecracker-triple-fault-status'],
    'possible',
  ],
] as const) {
  test(`the log of ${name} is recognised`, () => {
    assert.ok(crashDump.recognise(text, 'vmm.log'));
    const crash = crashOf(text);
    assert.deepEqual([crash.format, crash.title], ['kvm-shutdown', title]);
    assert.deepEqual(codes(crash), expected);
    const issue = crash.findings.find(({ code }) => code === 'firecracker-triple-fault-status');
    assert.equal(issue?.confidence ?? null, confidence);
  });
}

test('what the status was is said, and where the versions part', () => {
  assert.match(
    messageOf(crashOf(FIRECRACKER_1_14), 'firecracker-triple-fault-status'),
    /up to 1\.14.* status 0.* From 1\.15 on .* status is 1/,
  );
  assert.match(crashOf(FIRECRACKER_1_15).verdict, /status 1/);
});

for (const text of [
  '2026-02-01T10:00:00.1 [anonymous-instance:main] Firecracker exiting successfully. exit_code=0\n',
  'Received KVM_EXIT_HLT signal\n',
  'Unexpected exit reason on vcpu run: Hypercall\n',
]) {
  test(`no triple fault: ${text.trim()}`, () => assert.deepEqual(report(text).crashes, []));
}
