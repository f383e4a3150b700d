/** Resets through a port: what the write proves, what it does not, and where the command line stands. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Machine } from '../../../server/src/machine/machine';
import { readPortWrite, resetPortOf } from '../../../server/src/crash/portWrite/lines';
import { SourceText } from '../../../server/src/text/sourceText';
import { boxlite } from '../../../server/src/vmm/libkrun/boxlite/language';
import { libkrunC } from '../../../server/src/vmm/libkrun/c/language';
import { codes, crashOf, fixture, golden, messageOf, report } from './dumps';

const libkrun = fixture('reset-libkrun.txt');
const trace = fixture('reset-kvm-trace.txt');

const SILENT = 'reboot=k panic=-1 console=hvc0 quiet';
const commandLineAt = {
  uri: 'file:///box.json',
  range: { start: { line: 6, character: 4 }, end: { line: 6, character: 44 } },
};
const nameAt = {
  uri: 'file:///box.json',
  range: { start: { line: 1, character: 2 }, end: { line: 1, character: 8 } },
};

function machine(vmm: string | null, commandLine: Machine['commandLine']): Machine {
  return {
    name: 'box',
    vmm,
    version: null,
    memory: null,
    vcpus: { value: 1, origin: { kind: 'text', ...nameAt } },
    regions: [],
    images: [],
    ...(commandLine ? { commandLine } : {}),
    at: nameAt,
    nameAt,
  };
}

const configured = machine('libkrun', { value: SILENT, origin: { kind: 'text', ...commandLineAt } });
test('the write is proven and the guest’s; why it did so is not recorded, so there is no root cause', () => {
  for (const text of [libkrun, trace]) {
    const crash = crashOf(text);
    assert.equal(crash.format, 'port-write');
    assert.equal(crash.rootCause, null);
    assert.equal(crash.mode, null);
    const finding = crash.findings.find(({ code }) => code === 'guest-requested-reset')!;
    assert.deepEqual([finding.cause, finding.confidence, finding.evidence], ['guest', 'certain', 'proven']);
    assert.match(finding.message, /0xfe to port 0x64.*did not power off.*Why it did so is not recorded/);
    assert.match(crash.verdict, /The reason is not recorded/);
  }
});

test('libkrun named in the log: the known issue is likely, and the report’s inference is quoted as one', () => {
  const finding = crashOf(libkrun).findings.find(({ code }) => code === 'libkrun-i8042-reset')!;
  assert.deepEqual([finding.confidence, finding.evidence, finding.cause], ['likely', 'inferred', 'guest']);
  assert.match(finding.message, /"incompatible CPU under nested KVM", is an inference of its author/);
  assert.match(
    messageOf(crashOf(libkrun), 'guest-requested-reset'),
    /exit status 0 is the VMM’s and says nothing/,
  );
});

test('a trace that names no VMM is no known issue; with exit status 0 it is a possible one', () => {
  assert.ok(!codes(crashOf(trace)).includes('libkrun-i8042-reset'));
  const withExit = crashOf(`${trace}exit code 0\n`).findings.find(
    ({ code }) => code === 'libkrun-i8042-reset',
  );
  assert.equal(withExit?.confidence, 'possible');
  assert.match(withExit.message, /does not name the VMM/);
});

test('another VMM is not libkrun', () => {
  const text = 'firecracker: OUT 0x64, 0xFE\nfirecracker exited with code 0\n';
  assert.ok(!codes(crashOf(text)).includes('libkrun-i8042-reset'));
  assert.ok(codes(crashOf(text)).includes('guest-requested-reset'));
  const other = machine('firecracker', undefined);
  assert.ok(!codes(crashOf(`${trace}exit code 0\n`, { machines: [other] })).includes('libkrun-i8042-reset'));
});

test('the command line of a config: findings stand at its line, cause config for what it decides', () => {
  const crash = crashOf(trace, { machines: [configured] });
  const issue = crash.findings.find(({ code }) => code === 'libkrun-i8042-reset')!;
  assert.deepEqual(issue.at, commandLineAt);
  const silent = crash.findings.find(({ code }) => code === 'silent-panic-command-line')!;
  assert.deepEqual([silent.at, silent.cause, silent.evidence], [commandLineAt, 'config', 'inferred']);
  assert.match(silent.message, /reboot=k panic=-1 console=hvc0 .* does not say that it was one/);
});

test('where the config gives none, libkrun’s own command line counts, and the machine’s line is linked', () => {
  const crash = crashOf(trace, { machines: [machine('libkrun', undefined)] });
  const silent = crash.findings.find(({ code }) => code === 'silent-panic-command-line')!;
  assert.deepEqual([silent.at, silent.cause], [nameAt, 'vmm']);
  assert.match(silent.message, /command line of libkrun.* for box has reboot=k panic=-1 console=hvc0/);
});

test('a config whose command line keeps the guest or shows the panic is not linked for it', () => {
  for (const value of ['reboot=k panic=0 console=hvc0', `${SILENT} earlyprintk=serial`]) {
    const spoken = machine('libkrun', { value, origin: { kind: 'text', ...commandLineAt } });
    assert.ok(!codes(crashOf(trace, { machines: [spoken] })).includes('silent-panic-command-line'));
  }
});

test('BoxLite’s options and a C source that calls libkrun: the line of the box', () => {
  const files = { files: new Map<string, string>() };
  const options = boxlite.parse(
    new SourceText(
      'file:///box.json',
      '{\n  "cpus": 1,\n  "memory_mib": 512,\n  "rootfs": {"Image": "alpine"}\n}\n',
    ),
    files,
  );
  const source = libkrunC.parse(
    new SourceText(
      'file:///run.c',
      'int main(void) {\n  int ctx = krun_create_ctx();\n  krun_set_vm_config(ctx, 1, 512);\n  return krun_start_enter(ctx);\n}\n',
    ),
    files,
  );
  for (const document of [options, source]) {
    assert.equal(document.machines.length, 1);
    const crash = crashOf(trace, { machines: document.machines, documents: [document] });
    const issue = crash.findings.find(({ code }) => code === 'libkrun-i8042-reset')!;
    assert.equal(issue.at?.uri, document.source.uri);
  }
});

test('a Linux panic in the same text comes first, and the reset is said to follow from it', () => {
  const { crashes } = report(`${golden}\n${trace}`);
  assert.deepEqual(
    crashes.map(({ format }) => format),
    ['linux-oops', 'port-write'],
  );
  assert.match(messageOf(crashes[1]!, 'guest-requested-reset'), /read that first/);
  assert.ok(!codes(crashes[1]!).includes('libkrun-i8042-reset'));
});

test('a guest in a loop of restarts is one reset, counted', () => {
  const crash = crashOf(trace.repeat(3));
  assert.match(messageOf(crash, 'guest-requested-reset'), /The text has it 3 times/);
});

const WRITES: readonly (readonly [string, number, number])[] = [
  ['kvm_pio: pio_write at 0x64 size 1 count 1 val 0xfe', 0x64, 0xfe],
  ['OUT 0x64, 0xFE', 0x64, 0xfe],
  ['vcpu0: out 0x64 <- 0xfe', 0x64, 0xfe],
  ['outb 0x64, 0xfe', 0x64, 0xfe],
  ['outb(0xfe, 0x64)', 0x64, 0xfe],
  ['pio write port 0x64 data fe', 0x64, 0xfe],
  ['PIO write: port=0x64, size=1, data=[0xfe]', 0x64, 0xfe],
  ['io_write addr 0x64 value 0xFE', 0x64, 0xfe],
  ['KVM_EXIT_IO: out port 0x64 size 1 data 0xfe', 0x64, 0xfe],
  ['VcpuExit::IoOut(100, [254])', 0x64, 0xfe],
  ['guest writes CMD_RESET_CPU (0xFE) to i8042 port 0x64', 0x64, 0xfe],
  ['i8042: CMD_RESET_CPU', 0x64, 0xfe],
  ['i8042: 0x64 <- 0xFE', 0x64, 0xfe],
  ['exit io direction=out port=0x64 size=1 value=0xfe', 0x64, 0xfe],
  ['port 0x64: write 0xfe', 0x64, 0xfe],
  ['OUT 0xcf9, 0x6', 0xcf9, 6],
  ['port 0x92 ← 0x1', 0x92, 1],
];

for (const [line, port, value] of WRITES) {
  test(`a reset is read: ${line}`, () => {
    const write = readPortWrite(line);
    assert.deepEqual(write, { port, value });
    assert.ok(resetPortOf(write));
    assert.ok(codes(crashOf(`before\n${line}\nafter`)).includes('guest-requested-reset'));
  });
}

for (const line of [
  'kvm_pio: pio_read at 0x64 size 1 count 1 val 0xfe',
  'kvm_pio: pio_write at 0x64 size 1 count 1 val 0xd1',
  'kvm_pio: pio_write at 0x60 size 1 count 1 val 0xfe',
  'kvm_pio: pio_write at 0x640 size 1 count 1 val 0xfe',
  'pio_write at 0xcf9 size 1 count 1 val 0x2',
  'pio_write at 0x92 size 1 count 1 val 0x2',
  'OUT 0x64, 0xAA',
  'exit io direction=in port=0x64 size=1 value=0xfe',
  'port 0x64: read 0xfe',
  'value 0xfe written to 0x640',
  'IoOut(1016, [254])',
  'IN 0x64, 0xFE',
  'i8042 at 0x60,0x64 irq 1,12',
  'the port 0x64 is the keyboard controller’s; 0xfe resets',
]) {
  test(`no reset: ${line}`, () => assert.deepEqual(report(`before\n${line}\nafter`).crashes, []));
}

test('a healthy trace, an exit status alone and a command line alone are no crash', () => {
  for (const text of [
    fixture('healthy-kvm-trace.txt'),
    'libkrun: process ended with exit code 0',
    `Command line: ${SILENT}`,
  ])
    assert.deepEqual(report(text).crashes, []);
});

test('the issue’s hypotheses and experiments come with the match', () => {
  const { hypotheses } = crashOf(libkrun);
  assert.ok(hypotheses.length >= 2);
  for (const { experiment, against } of hypotheses) assert.ok(experiment !== '' && against.length > 0);
  assert.deepEqual(crashOf(trace).hypotheses, []);
});
