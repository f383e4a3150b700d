/** What nobody meant to be a dump. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanText } from '../../../server/src/crash/cleanText';
import { crashDump } from '../../../server/src/crash/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { crashOf, fixture, golden, report, vmdMachine } from './dumps';

const MACHINES = [vmdMachine('7.8', 640)];

test('random mutations of dumps are survived', () => {
  const dump = fc.constantFrom(
    golden,
    fixture('null-call-with-user-frame.txt'),
    fixture('paging-request-4.4.txt'),
    fixture('i386.txt'),
    fixture('illumos-vacate-destroy.txt') + fixture('illumos-vacate-map.txt'),
    fixture('illumos-pending-mmio.txt'),
    fixture('registers-vmd-flat64-qemu.txt'),
    fixture('registers-vmd-flat32.txt'),
    fixture('reset-libkrun.txt'),
  );
  const edit = fc.record({
    at: fc.nat(),
    cut: fc.nat(40),
    put: fc.string({ unit: 'binary', maxLength: 12 }),
  });
  fc.assert(
    fc.property(dump, fc.array(edit, { maxLength: 12 }), (start, edits) => {
      let text = start;
      for (const { at, cut, put } of edits) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + put + text.slice(place + cut);
      }
      for (const crash of report(text, { machines: MACHINES, includeLow: true }).crashes) {
        for (const { range } of crash.findings.flatMap(({ dumpLines }) => dumpLines)) {
          assert.ok(range.end.line >= range.start.line);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('lines of a dump in random order are survived', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(golden.split('\n')), (lines) => {
      report(lines.join('\n'), { machines: MACHINES });
    }),
    { numRuns: 200 },
  );
});

test('a cleaned text leads back to the original', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\0', '\x1b[1;31m', 'a', 'bc', '=3D', '=\n', '\n')), (parts) => {
      const original = parts.join('');
      const clean = cleanText(original);
      for (let i = 0; i < clean.text.length; i++) {
        const found = original[clean.originalOffset(i)];
        assert.ok(found === clean.text[i] || (found === '=' && clean.text[i] === '='), `${i}`);
      }
      assert.equal(clean.originalOffset(clean.text.length), original.length);
    }),
  );
});

const LONG = 20 * 1024 * 1024;
/** Each would take for ever in a scanner that goes back. */
const ADVERSARIES: readonly (readonly [string, string, number])[] = [
  ['one letter', 'a', LONG],
  ['open brackets', '[', LONG / 4],
  ['spaces', ' ', LONG],
  ['quote marks', '> ', LONG / 8],
  ['time stamps', '[    1.000000] ', LONG / 60],
  ['unfinished time stamps', '[            1234567890.', LONG / 60],
  ['RIP lines', 'RIP: 0010:', LONG / 40],
  ['headers', 'Oops: ', LONG / 40],
  ['dies', 'Oops: 0000 [#1] ', LONG / 160],
  ['panics', 'Kernel panic - not syncing: ', LONG / 160],
  ['code bytes', 'Code: 00 <00> ', LONG / 80],
  ['frames', 'Call Trace: a+0x1/0x2 ', LONG / 120],
  ['letters of a trace', 'Call Trace:\n' + 'a'.repeat(4000) + '\n', LONG / 4000],
  ['escapes', '\x1b[', LONG / 8],
  ['NUL', '\0', LONG],
  ['quoted-printable', '=3D', LONG / 12],
  ['line breaks', '\n', LONG / 8],
  ['syslog', 'Jan  5 21:23:20 h k: ', LONG / 80],
  ['hex digits', '0123456789abcdef', LONG / 16],
  ['illumos panics', 'panic[cpu1]/thread=f: ', LONG / 60],
  ['illumos frames', '0123456789abcdef vmm:a+1 () ', LONG / 80],
  ['unfinished illumos frames', '+1 () 0123456789abcdef a:', LONG / 60],
  ['assertions', 'assertion failed: a (0x1 == 0x0), file: ', LONG / 80],
  ['interrupt commands', 'panicstr = icr icr icr lo ', LONG / 60],
  ['registers', 'CR0=80000011 ', LONG / 40],
  ['register lines', 'cr0 0x80000011 efer 0x500 cr4 0x30\n', LONG / 160],
  ['registers in JSON', '{"cr0": "0x1", "cs": {"selector": "0x8"', LONG / 160],
  ['port writes', 'pio_write at 0x64 size 1 count 1 val 0xfe ', LONG / 160],
  ['port writes, a line each', 'pio write port 0x64 data fe exit code 0 reboot=k\n', LONG / 240],
  ['half a port write', 'write port at 0x64 ', LONG / 80],
];

for (const [name, part, count] of ADVERSARIES) {
  test(`${Math.floor(count)} times ${name} in one line comes to an end`, () => {
    const { crashes, misses } = report(part.repeat(count));
    assert.ok(crashes.length > 0 || misses.length > 0);
  });
}

test('a dump behind 20 MB in one line is found', () => {
  const flat = golden.replaceAll('\n', ' ');
  assert.equal(crashOf('x'.repeat(LONG) + ' ' + flat).registers.values['rip'], 0x9a070n);
});

test('thousands of oopses: the first ones are decoded, the rest is counted', () => {
  const { crashes, misses } = report('Oops: 0000 [#1] SMP\n'.repeat(5000));
  assert.equal(crashes.length, 64);
  assert.match(misses.join(' '), /4936 more oopses/);
});

for (const [name, text, miss] of [
  ['nothing', '', /text is empty/],
  ['prose', 'the guest hangs at boot', /Looked for a Linux x86 oops/],
  [
    'arm64',
    '[    1.0] Internal error: Oops: 0000000096000004 [#1] SMP',
    /arm64 oops at line 1: not decoded here/,
  ],
  [
    'Arm',
    'Unable to handle kernel NULL pointer dereference at virtual address 00000000\nInternal error: Oops: 5 [#1] ARM',
    /Arm oops/,
  ],
  ['PowerPC', 'Oops: Kernel access of bad area, sig: 11 [#1]', /PowerPC oops/],
  [
    'QEMU',
    'RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000',
    /looks like a QEMU register block \(line 1\)/,
  ],
  ['KVM', 'KVM internal error. Suberror: 1', /KVM internal error/],
  ['a stack of mdb without its panic', 'thread_exit+1 ()', /looks like a stack of mdb \(line 1\)/],
  ['OpenBSD', 'trap type 6 code 0 rip 0 cs 8 rflags 10246 cr2 0', /OpenBSD or NetBSD trap/],
  [
    'a warning',
    '------------[ cut here ]------------\nWARNING: CPU: 0 PID: 1 at kernel/demo.c:1 f+0x1/0x2',
    /kernel warning or stall/,
  ],
] as const) {
  test(`no crash in ${name}: it is said why`, () => {
    const { crashes, misses } = report(text);
    assert.equal(crashes.length, 0);
    assert.match(misses.join('\n'), miss);
  });
}

test('a warning’s registers are no crash, an oops behind it is', () => {
  const registers = fixture('null-deref-6.12.txt').split('\n').slice(5, 20).join('\n');
  const warning = `WARNING: CPU: 2 PID: 211 at drivers/demo.c:8 demo_work+0x1c/0x90\n${registers}\n`;
  assert.equal(report(warning).crashes.length, 0);
  assert.equal(report(warning + golden).crashes.length, 1);
});

test('registers without a header are a crash of their own', () => {
  const crash = crashOf(golden.slice(golden.indexOf('[   83.412919]')));
  assert.match(crash.title, /Registers of a Linux kernel without a header at 0008:0x9a070/);
  assert.ok(crash.findings.some(({ code }) => code === 'exception-frame-not-pushed'));
});

test('a panic without an oops says its reason', () => {
  const crash = crashOf(
    'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\nCPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.0 #1\nCall Trace:\n panic+0x11/0x22\n',
  );
  assert.match(crash.title, /^Linux panic: VFS: Unable to mount root fs/);
  assert.equal(crash.rootCause, null);
});

for (const [name, text, expected] of [
  ['the golden case', golden, true],
  ['an oops of 4.4', fixture('paging-request-4.4.txt'), true],
  ['the golden case, flattened', golden.replaceAll('\n', ' '), true],
  ['a vm.conf', 'vm "alpine" {\n\tmemory 512M\n}\n', false],
  ['a boot log without a crash', '[    0.000000] BIOS-e820: [mem 0x0-0x9ffff] usable\n', false],
  ['nothing', '', false],
  ['an illumos panic', fixture('illumos-vacate-destroy.txt'), true],
  ['an illumos panic, flattened', fixture('illumos-pending-mmio.txt').replaceAll('\n', ' '), true],
  ['QEMU’s registers', fixture('registers-vmd-flat64-qemu.txt'), true],
  ['a list of registers', fixture('registers-vmd-flat32.txt'), true],
  ['a VMM’s log of a reset', fixture('reset-libkrun.txt'), true],
  ['a KVM trace of a reset', fixture('reset-kvm-trace.txt'), true],
  ['a healthy KVM trace', fixture('healthy-kvm-trace.txt'), false],
  ['a memory map of bhyvectl', fixture('illumos-vacate-map.txt'), false],
  ['prose', 'Ports: 0x64 takes 0xfe. The cr0 of a guest is 0x11, and its cr4 0x30.', false],
] as const) {
  test(`${name} is ${expected ? '' : 'not '}recognised as a crash dump`, () => {
    assert.equal(crashDump.recognise(text, 'x.txt'), expected);
  });
}

test('a dump as a document: no machines, no problems, one outline node a crash', () => {
  const document = crashDump.parse(new SourceText('file:///d.txt', golden), { files: new Map() });
  assert.deepEqual([document.machines.length, document.problems.length, document.outline.length], [0, 0, 1]);
  assert.equal(document.outline[0]!.range.start.line, 2);
});
