/** The same dump in all the shapes in which dumps are pasted. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { codes, crashOf, fixture, golden, report } from './dumps';

const lines = golden.trimEnd().split('\n');
const bare = lines.map((line) => line.replace(/^\[ +\d+\.\d+\] ?/, ''));
const wanted = crashOf(golden);

const SHAPES: readonly (readonly [string, string])[] = [
  ['flattened to one line', lines.join(' ')],
  ['flattened without time stamps', bare.map((line) => line.trim()).join(' ')],
  ['flattened with its line breaks gone altogether', lines.join('')],
  ['flattened, runs of blanks become one', golden.replace(/\s+/g, ' ')],
  ['CRLF', lines.join('\r\n')],
  ['lone CR', lines.join('\r')],
  ['doubled line breaks', lines.join('\n\n')],
  ['without time stamps', bare.join('\n')],
  ['mail quote', lines.map((line) => `> ${line}`).join('\n')],
  ['three mail quotes', lines.map((line) => `> > > ${line}`).join('\n')],
  ['flattened mail quote', lines.map((line) => `> ${line}`).join(' ')],
  ['journald', lines.map((line) => `Jan  5 21:23:20 guest kernel: ${line}`).join('\n')],
  ['journald without time stamps', bare.map((line) => `Jan 05 21:23:20 guest kernel: ${line}`).join('\n')],
  ['flattened journald', lines.map((line) => `Jan  5 21:23:20 guest kernel: ${line}`).join(' ')],
  ['wall clock', lines.map((line) => `[2026-01-05 21:23:20.123] ${line}`).join('\n')],
  [
    'CI time, journald and dmesg',
    lines.map((line) => `[2026-01-05T21:23:20Z] Jan  5 21:23:20 guest kernel: ${line}`).join('\n'),
  ],
  ['printk level', bare.map((line) => `<0>${line}`).join('\n')],
  ['printk caller', lines.map((line) => line.replace('] ', '][    T1] ')).join('\n')],
  ['unit and pid', lines.map((line) => `qemu-guest[412]: ${line}`).join('\n')],
  ['ISO syslog', bare.map((line) => `2026-01-05T21:23:20+01:00 guest kernel: ${line}`).join('\n')],
  ['Xen guest', lines.map((line) => `(d1) ${line}`).join('\n')],
  ['ANSI colours', lines.map((line) => `\u001b[0;31m${line}\u001b[0m`).join('\n')],
  ['ANSI inside the line', golden.replaceAll('RIP:', '\u001b[1mRIP\u001b[0m:')],
  ['NUL bytes', lines.map((line) => `${line}\0\0`).join('\n')],
  ['NUL between all characters of a register', golden.replace('00000000405ebb68', '00000000\x00405ebb68')],
  [
    'logfmt',
    lines
      .map((line) => `time="2026-01-05T21:23:20Z" level=info msg="${line}" name=containerd-shim-v2`)
      .join('\n'),
  ],
  [
    'quoted-printable',
    lines.map((line) => (line + ' =').replaceAll('=', '=3D').replace(/^(.{40})/, '$1=\n')).join('\n'),
  ],
  ['text before and after', `Hello,\n\nthis is what I see: = 5\n\n${golden}\n-- \nregards`],
  ['no newline at the end', golden.trimEnd()],
  ['a byte order mark', '\ufeff' + golden],
];

for (const [name, text] of SHAPES) {
  test(`read alike: ${name}`, () => {
    const found = report(text);
    assert.equal(found.crashes.length, 1);
    assert.deepEqual(found.crashes[0]!.registers, wanted.registers);
    assert.deepEqual(codes(found.crashes[0]!), codes(wanted));
  });
}

test('places lead into the text as it was pasted', () => {
  for (const [name, text] of SHAPES) {
    if (name.startsWith('NUL between') || name.startsWith('ANSI inside')) continue;
    const finding = crashOf(text).findings.find(({ code }) => code === 'exception-frame-not-pushed')!;
    const { start } = finding.dumpLines[0]!.range;
    const line = text.split(/\r\n|\r|\n/)[start.line]!;
    assert.ok(line.slice(start.character).startsWith('CR2:'), `${name}: ${line.slice(start.character, 60)}`);
  }
});

test('a truncated dump never throws and never invents a register', () => {
  for (let length = 0; length <= golden.length; length++) {
    for (const crash of report(golden.slice(0, length)).crashes) {
      for (const [name, value] of Object.entries(crash.registers.values)) {
        const whole = wanted.registers.values[name]!;
        // Only RIP is printed without leading zeros, so that a cut in it cannot be seen.
        const cut = name === 'rip' && whole.toString(16).startsWith(value!.toString(16));
        assert.ok(value === whole || cut, `${length}: ${name}=${value}`);
      }
    }
  }
});

for (const name of [
  'null-deref-6.12.txt',
  'null-call-with-user-frame.txt',
  'paging-request-4.4.txt',
  'gp-non-canonical.txt',
  'stack-overflow.txt',
  'i386.txt',
]) {
  test(`${name}: every truncation is survived, and flattening changes nothing`, () => {
    const text = fixture(name);
    for (let length = 0; length < text.length; length += 7) report(text.slice(0, length));
    const flat = crashOf(text.replaceAll('\n', ' '));
    assert.deepEqual(flat.registers, crashOf(text).registers);
    assert.deepEqual(codes(flat), codes(crashOf(text)));
  });
}
