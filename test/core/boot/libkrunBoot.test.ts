import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { LIBKRUN_VERSIONS } from '../../../server/src/vmm/libkrun/versions';
import { bootLibkrun } from './bootLibkrun';

const SERIAL = { krun_add_serial_console_default: true } as const;
const CELLS = [
  { cell: 0, outcome: 'vmm-exit', exitStatus: 0, reached: true, says: /^$/ },
  { cell: 1, outcome: 'vmm-exit', exitStatus: 0, reached: true, says: /^$/ },
  { cell: 2, outcome: 'vmm-exit', exitStatus: 0, reached: false, says: /Kernel panic - not syncing/ },
  { cell: 3, outcome: 'vmm-exit', exitStatus: 0, reached: false, says: /Kernel panic - not syncing/ },
  { cell: 4, outcome: 'guest-panic', exitStatus: null, reached: false, says: /status waits/ },
] as const;

for (const { cell, outcome, exitStatus, reached, says } of CELLS) {
  test(`libkrun-i8042-reset, run ${cell}: ${outcome}, ${reached ? 'silent' : 'heard'}`, () => {
    const report = bootLibkrun({}, { knownIssue: 'libkrun-i8042-reset', cell });
    assert.equal(report.outcome, outcome, report.reason);
    assert.equal(report.exitStatus, exitStatus);
    assert.match(report.console, says);
    assert.equal(report.shown?.reached !== null, reached, report.shown?.reached ?? '');
    const finding = report.findings.find(({ code }) => code === 'libkrun-i8042-reset');
    assert.equal(finding !== undefined, reached);
    assert.equal(report.evidence, reached ? 'mechanism' : null);
  });
}

test('libkrun-i8042-reset says of the restart only what the command line says', () => {
  const slow = bootLibkrun(
    { commandLine: 'reboot=k panic=1 console=hvc0' },
    { knownIssue: 'libkrun-i8042-reset' },
  );
  assert.match(slow.shown?.reached ?? '', /panic= on the command line made it restart/);
  assert.ok(!slow.findings.some(({ message }) => message.includes('panic=-1')));
});

test('the run without a serial port has none, whatever the config asks for', () => {
  const report = bootLibkrun({ settings: SERIAL }, { knownIssue: 'libkrun-i8042-reset', cell: 1 });
  assert.equal(report.console, '');
  assert.ok(report.shown?.reached);
});

test('a probe that is a kernel starts as one where the config names a firmware', () => {
  const report = bootLibkrun({ images: ['firmware'] }, { knownIssue: 'libkrun-i8042-reset' });
  assert.match(report.reason, /0xfe to port 0x64/);
});

for (const { id: version } of LIBKRUN_VERSIONS) {
  test(`libkrun ${version}: an early panic under its own command line costs two port accesses and ends with 0`, () => {
    const report = bootLibkrun({ version }, { probe: 'early-panic' });
    assert.equal(report.outcome, 'vmm-exit', report.reason);
    assert.match(report.reason, /0xfe to port 0x64/);
    assert.equal(report.console, '');
    const ports = report.exits.filter(({ kind }) => kind === 'in' || kind === 'out');
    assert.deepEqual(
      ports.map(({ kind, at, count, device }) => ({ kind, at, count, device })),
      [
        { kind: 'in', at: 0x64n, count: 1, device: 'i8042' },
        { kind: 'out', at: 0x64n, count: 1, device: 'i8042' },
      ],
    );
  });
}

/** What Linux makes of a command line; the console is the serial port where it is heard at all. */
for (const { title, commandLine, when = 0, outcome, says } of [
  {
    title: 'the port of earlyprintk=serial may be named by its address',
    commandLine: 'panic=-1 earlyprintk=serial,0x3f8,115200',
    outcome: 'vmm-exit',
    says: /Kernel panic/,
  },
  {
    title: 'earlyprintk=ttyS1 writes to the second port, where nobody listens',
    commandLine: 'panic=-1 earlyprintk=ttyS1',
    outcome: 'vmm-exit',
    says: /^$/,
  },
  {
    title: 'earlycon=uart8250,io,0x3f8 is a boot console too',
    commandLine: 'panic=-1 earlycon=uart8250,io,0x3f8',
    outcome: 'vmm-exit',
    says: /Kernel panic/,
  },
  {
    title: 'earlyprintk without a value is none',
    commandLine: 'panic=-1 earlyprintk',
    outcome: 'vmm-exit',
    says: /^$/,
  },
  {
    title: 'console=ttyS0 is not up before console_init',
    commandLine: 'panic=-1 console=ttyS0',
    outcome: 'vmm-exit',
    says: /^$/,
  },
  {
    title: 'console=ttyS0 is up behind console_init',
    commandLine: 'panic=-1 console=ttyS0',
    when: 1,
    outcome: 'vmm-exit',
    says: /Kernel panic/,
  },
  {
    title: 'the last panic= counts, as Linux takes it',
    commandLine: 'panic=-1 panic=0 earlyprintk=serial',
    outcome: 'guest-panic',
    says: /status waits/,
  },
  {
    title: 'parameters behind -- are init’s and not the kernel’s',
    commandLine: 'panic=-1 -- earlyprintk=serial panic=0',
    outcome: 'vmm-exit',
    says: /^$/,
  },
  {
    title: 'reboot=t is a triple fault, which libkrun takes for a clean end',
    commandLine: 'panic=-1 reboot=t',
    outcome: 'triple-fault',
    says: /^$/,
  },
  {
    title: 'a panic= above 0 waits, then reboots',
    commandLine: 'panic=5 reboot=k earlyprintk=serial',
    outcome: 'vmm-exit',
    says: /Rebooting/,
  },
  {
    title: 'reboot=warm,k still takes the keyboard controller',
    commandLine: 'panic=-1 reboot=w,k earlyprintk=serial,keep',
    outcome: 'vmm-exit',
    says: /Kernel panic/,
  },
] as const) {
  test(`early-panic: ${title}`, () => {
    const report = bootLibkrun(
      { settings: SERIAL, commandLine },
      { probe: 'early-panic', parameters: { when } },
    );
    assert.equal(report.outcome, outcome, report.reason);
    assert.match(report.console, says);
  });
}

test('an external ELF kernel with a PVH note is entered there from libkrun 1.19.0 on, and by the 64-bit protocol before', () => {
  for (const [version, mode] of [
    ['1.17.0', 'long'],
    ['1.19.0', 'protected-32'],
  ] as const) {
    const report = bootLibkrun({ version, images: ['kernel'] }, { probe: 'early-panic' });
    assert.equal(report.outcome, 'vmm-exit', report.reason);
    assert.equal(report.vcpus[0]?.mode, mode);
  }
});

test('a firmware boot starts at the reset vector with a silent COM1; the serial port of the caller is COM2', () => {
  const report = bootLibkrun({ images: ['firmware'], settings: SERIAL }, { probe: 'reset-i8042' });
  assert.equal(report.outcome, 'vmm-exit', report.reason);
  assert.equal(report.exitStatus, 0, report.reason);
  assert.equal(report.console, '', 'the probe writes to COM1');
});

test('a kernel that does not fit makes libkrun panic, told as a refusal', () => {
  const report = bootLibkrun({ memoryMib: 16 }, { probe: 'early-panic' });
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /Kernel doesn't fit in RAM/);
});
