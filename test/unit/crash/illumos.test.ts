/** illumos panics: what of them is proven, what is inferred, and where in a map or config they lead. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Machine, Region, RegionKind } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { codes, crashOf, fixture, messageOf, report } from './dumps';

const vacate = fixture('illumos-vacate-destroy.txt');
const map = fixture('illumos-vacate-map.txt');
const pending = fixture('illumos-pending-mmio.txt');

/** A line of the config of the machine below; each region has one of its own. */
const configAt = (line: number) => ({
  uri: 'file:///guest.config',
  range: { start: { line, character: 0 }, end: { line, character: 10 } },
});

function region(start: bigint, end: bigint, kind: RegionKind, name: string, line: number): Region {
  const at = configAt(line);
  return {
    range: { start, end },
    kind,
    name,
    permissions: null,
    reason: '',
    origin: { kind: 'text', ...at },
    at,
  };
}

const MEMORY_LINE = 2;
const ROM_LINE = 5;
const CPUS_LINE = 1;

function bhyveMachine(regions: readonly Region[], vcpus = 4, vmm: string | null = 'bhyve'): Machine {
  return {
    name: 'guest',
    vmm,
    version: null,
    memory: null,
    vcpus: { value: vcpus, origin: { kind: 'text', ...configAt(CPUS_LINE) } },
    regions,
    images: [],
    at: configAt(0),
    nameAt: configAt(0),
  };
}

const GIB = 1n << 30n;
const withHighRam = bhyveMachine([
  region(0n, 3n * GIB, 'ram', 'low memory', MEMORY_LINE),
  region(0xffe00000n, 4n * GIB, 'rom', 'boot ROM', ROM_LINE),
  region(4n * GIB, 9n * GIB, 'ram', 'high memory', MEMORY_LINE),
]);
const withoutHighRam = bhyveMachine([
  region(0n, 2n * GIB, 'ram', 'low memory', MEMORY_LINE),
  region(0xffe00000n, 4n * GIB, 'rom', 'boot ROM', ROM_LINE),
]);

const finding = (text: string, code: string, machines: readonly Machine[] = []) =>
  crashOf(text, { machines }).findings.find((candidate) => candidate.code === code);

test('the assertion of 14042 is the root cause, the VMM’s version its cause, likely and inferred', () => {
  const crash = crashOf(vacate);
  assert.equal(crash.format, 'illumos-panic');
  assert.equal(crash.rootCause?.code, 'illumos-14042');
  assert.deepEqual(
    [crash.rootCause.cause, crash.rootCause.confidence, crash.rootCause.evidence],
    ['vmm', 'likely', 'inferred'],
  );
  assert.match(crash.rootCause.message, /vmm_gpt_vacate_entry during the destruction of the VM/);
  assert.equal(crash.mode, null);
});

test('with the map in the same paste both lines of the seam are linked', () => {
  const text = vacate + map;
  const lines = text.split('\n');
  const { related, at } = finding(text, 'illumos-14042')!;
  assert.deepEqual(
    related?.map((place) => /bootrom|sysmem/.exec(lines[place.at.range.start.line]!)![0]),
    ['bootrom', 'sysmem'],
  );
  assert.ok(lines[related[1]!.at.range.start.line]!.startsWith('100000000'));
  assert.deepEqual(at, related[0]!.at);
  assert.match(
    messageOf(crashOf(text), 'illumos-14042'),
    /bootrom \[0xffe00000, 0x100000000\) ends where sysmem \[0x100000000, 0x240000000\) begins/,
  );
});

test('a map that was given and stands in the paste, too, is linked once', () => {
  const given = memmap.parse(new SourceText('file:///map.txt', map), { files: new Map() });
  const { related } = finding(vacate + map, 'illumos-14042', given.machines)!;
  assert.deepEqual(
    related?.map(({ at }) => at.uri),
    ['file:///map.txt', 'file:///map.txt'],
  );
});

test('a config’s machine gives the same: the line of the boot ROM and that of the memory', () => {
  const found = finding(vacate, 'illumos-14042', [withHighRam])!;
  assert.deepEqual(
    found.related?.map(({ at }) => [at.uri, at.range.start.line]),
    [
      ['file:///guest.config', ROM_LINE],
      ['file:///guest.config', MEMORY_LINE],
    ],
  );
  const seam = finding(vacate, 'range-end-taken-as-inclusive', [withHighRam])!;
  assert.deepEqual([seam.confidence, seam.evidence, seam.cause], ['possible', 'inferred', 'vmm']);
});

test('the mappings are the two sides of the seam, never a host address', () => {
  const { mappings } = crashOf(vacate, { machines: [withHighRam] });
  assert.deepEqual(
    mappings.map(({ address, region: name, at }) => [address, name, at?.range.start.line]),
    [
      [4n * GIB, 'boot ROM', ROM_LINE],
      [4n * GIB, 'high memory', MEMORY_LINE],
    ],
  );
  for (const { role } of mappings) assert.match(role, /^inferred: the dump prints no guest address/);
});

test('without RAM that begins where a segment ends no line is linked, and it is said', () => {
  const found = finding(vacate, 'illumos-14042', [withoutHighRam])!;
  assert.equal(found.related, undefined);
  assert.equal(found.at?.uri, 'file:///dump.txt');
  assert.match(found.message, /No map that was given has RAM that begins where another segment ends/);
  assert.equal(finding(vacate, 'range-end-taken-as-inclusive', [withoutHighRam]), undefined);
});

test('machines of a VMM that does not run on illumos are no candidates', () => {
  const other = bhyveMachine(withHighRam.regions, 4, 'firecracker');
  assert.equal(finding(vacate, 'illumos-14042', [other])!.related, undefined);
});

test('the left operand is decoded as AMD’s nested entry because the stack names rvi_, not by its value', () => {
  assert.match(
    messageOf(crashOf(vacate), 'live-nested-entry'),
    /0x7a31c5067 .*host-physical 0x7a31c5000\. The stack names rvi_ .* P RW US A D\. It is an address of the host/,
  );
  const intel = vacate.replace('rvi_ops_unmap', 'ept_ops_unmap');
  assert.match(messageOf(crashOf(intel), 'live-nested-entry'), /ept_ functions, Intel’s EPT/);
  const neither = vacate.replace(/^.*rvi_ops_unmap.*\n/m, '');
  assert.match(messageOf(crashOf(neither), 'live-nested-entry'), /does not name the host’s vendor/);
});

test('another assertion of the same file, a dead entry or another file is not 14042', () => {
  for (const [from, to] of [
    ['ptes[i] == 0', 'end <= vmm_gpt_node_end'],
    ['0x7a31c5067 ==', '0x7a31c5066 =='],
    ['vmm/vmm_gpt.c', 'vmm/vmm_vm.c'],
    ['vmm_gpt_vacate', 'vmm_gpt_walk'],
  ] as const) {
    const text = vacate.replaceAll(from, to);
    assert.notEqual(text, vacate);
    const crash = crashOf(text + map);
    assert.ok(!codes(crash).includes('illumos-14042'), to);
    assert.ok(!codes(crash).includes('range-end-taken-as-inclusive'), to);
    assert.equal(crash.rootCause, null);
    assert.match(crash.verdict, /^Unexplained/);
  }
});

test('the assertion alone, without its stack, is only a possibility', () => {
  const line = vacate.split('\n').find((candidate) => candidate.startsWith('panic['))!;
  const crash = crashOf(line);
  assert.equal(crash.rootCause, null);
  assert.equal(finding(line, 'illumos-14042')?.confidence, 'possible');
  assert.match(crash.verdict, /^Possibly: /);
});

test('13253: the message, the ICR that the text names, and the lines that give the guest its vCPUs', () => {
  const crash = crashOf(pending, { machines: [withHighRam] });
  assert.equal(crash.rootCause?.code, 'illumos-13253');
  assert.equal(crash.rootCause.cause, 'vmm');
  assert.match(crash.rootCause.message, /ICR 0xc4500 is INIT · assert · all but self/);
  assert.deepEqual(crash.rootCause.at, configAt(CPUS_LINE));
  assert.match(
    crash.rootCause.related![0]!.message,
    /gives guest 4 vCPUs: .* the other 3 .* no fault of the config/,
  );
  assert.match(
    messageOf(crash, 'interrupt-command-decoded'),
    /"all but self" takes the place of a destination/,
  );
});

test('13253 without an ICR in the text says that the write is not recorded', () => {
  const text = pending.slice(0, pending.indexOf('In the dump'));
  const crash = crashOf(text);
  assert.equal(crash.rootCause?.code, 'illumos-13253');
  assert.match(crash.rootCause.message, /Which write it was is not in the text/);
  assert.ok(!codes(crash).includes('interrupt-command-decoded'));
});

test('13253 with an ICR that is no INIT broadcast is only a possibility', () => {
  for (const [icr, why] of [
    ['0x4500', /INIT without a shorthand is refused alike only where the destination/],
    ['0xc4608', /what was refused is open/],
    ['0x40fd', /what was refused is open/],
  ] as const) {
    const crash = crashOf(pending.replace('0xc4500', icr));
    assert.equal(crash.rootCause, null, icr);
    assert.match(messageOf(crash, 'illumos-13253'), why);
  }
});

test('the words in a stack that does not emulate an instruction are another bug', () => {
  const crash = crashOf(pending.replace('vm_handle_mmio_emul', 'vm_something_else'));
  assert.ok(!codes(crash).includes('illumos-13253'));
});

for (const [how, text] of [
  ['the value first', 'the vCPU was writing 0xc4500 to the ICRLO register'],
  ['an equals sign', 'icrlo = c4500'],
  ['a colon', 'ICR: 0x00000000000c4500'],
  ['an underscore', 'icr_lo=0xc4500'],
] as const) {
  test(`the ICR is found with ${how}`, () => {
    const dump = `${text}\n${pending.slice(0, pending.indexOf('In the dump'))}`;
    assert.match(messageOf(crashOf(dump), 'interrupt-command-decoded'), /^ICR 0xc4500: INIT/);
  });
}

test('a symbol more than 1 MiB away is unreliable, a near one is not, and the title does not use it', () => {
  const crash = crashOf(pending);
  assert.match(messageOf(crash, 'unreliable-symbol'), /^vmm:vmm_zsd_key\+2fd41c60 is 0x2fd41c60 bytes past/);
  assert.match(crash.title, /in vmm:vm_handle_mmio_emul\+14c, CPU 6$/);
  assert.ok(!codes(crashOf(pending.replace('+2fd41c60', '+100000'))).includes('unreliable-symbol'));
  assert.ok(codes(crashOf(pending.replace('+2fd41c60', '+100001'))).includes('unreliable-symbol'));
});

test('a frame without a symbol is said to be none of the guest’s', () => {
  assert.match(messageOf(crashOf(vacate), 'frame-without-symbol'), /0xfffffffffbd1c2a8.*not looked up/);
  assert.ok(!codes(crashOf(pending)).includes('frame-without-symbol'));
});

/** The same panic as other programs print it. */
const SHAPES: readonly (readonly [string, string])[] = [
  ['flattened', vacate.replaceAll('\n', ' ')],
  ['flattened, line breaks gone altogether', vacate.replaceAll('\n', '')],
  ['CRLF', vacate.replaceAll('\n', '\r\n')],
  ['mail quote', vacate.replace(/^/gm, '> ')],
  ['/var/adm/messages', vacate.replace(/^(?=.)/gm, 'Jun  7 12:00:01 host genunix: [ID 655072 kern.notice] ')],
  [
    'ISO syslog',
    vacate.replace(/^(?=.)/gm, '2021-08-24T17:03:11.123Z host genunix: [ID 655072 kern.notice] '),
  ],
  ['the message on a line of its own', vacate.replace(/(thread=[0-9a-f]+: )/, '$1\n')],
  [
    'mdb ::status and $C',
    'panic message: \n' +
      vacate
        .slice(vacate.indexOf('assertion failed'))
        .replace(/^([0-9a-f]{16}) \w+:(\w+)\+([0-9a-f]+) \(\)/gm, '$1 $2+0x$3(fffffe0c00112200, ffe00000)'),
  ],
  [
    'fmdump -V',
    `\tpanicstr = ${/assertion failed.*/.exec(vacate)![0]}\n\tpanicstack = ${vacate
      .split('\n')
      .filter((line) => /\(\)$/.test(line))
      .map((line) => line.slice(17))
      .join(' | ')} | \n\tcrashtime = 1629824000\n`,
  ],
];

for (const [name, text] of SHAPES) {
  test(`14042 is read alike: ${name}`, () => {
    const { crashes } = report(text);
    assert.equal(crashes.length, 1);
    assert.equal(crashes[0]!.rootCause?.code, 'illumos-14042');
    assert.match(crashes[0]!.rootCause.message, /during the destruction of the VM/);
    assert.match(messageOf(crashes[0]!, 'live-nested-entry'), /0x7a31c5067 .* P RW US A D/);
  });
}

test('13253 as the report has it first: the message and its stack without the first line', () => {
  const crash = crashOf(pending.replace(/^panic\[cpu6\]\S+ /, ''));
  assert.equal(crash.rootCause?.code, 'illumos-13253');
});

test('13253 by mdb’s ::status alone is likely all the same', () => {
  assert.equal(crashOf('panic message: bad pending MMIO state').rootCause?.code, 'illumos-13253');
});

test('13253, flattened with a map behind it', () => {
  const crash = crashOf((pending + map).replaceAll('\n', ' '));
  assert.equal(crash.rootCause?.code, 'illumos-13253');
  assert.match(messageOf(crash, 'unreliable-symbol'), /vmm_zsd_key\+2fd41c60/);
});

test('every truncation is survived', () => {
  for (const text of [vacate + map, pending]) {
    for (let length = 0; length <= text.length; length += 3) report(text.slice(0, length));
  }
});

for (const [name, text] of [
  ['a memory map alone', map],
  [
    'a stack of a living thread',
    'fffffe007ad8b670 tsc_read+3()\nfffffe007ad8b680 gethrtime+0x10()\n'.repeat(4),
  ],
  [
    'a failed assertion of a program',
    'Assertion failed: ptes[i] == 0, file vmm_gpt.c, line 441, function main',
  ],
  ['the panic message of another program', 'thread main panicked\npanic message: index out of bounds'],
  ['a sentence that begins with the message', 'bad pending MMIO state is what the kernel says then'],
  ['prose', 'The kernel has a check for bad pending MMIO states, and panics if it fails.'],
] as const) {
  test(`no panic is recognised in ${name}`, () => assert.deepEqual(report(text).crashes, []));
}
