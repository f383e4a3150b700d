/** bhyve's flat config file, as config.c and bhyverun.c read it. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { GIB, KIB, MIB } from '../../../server/src/address/range';
import { SourceText } from '../../../server/src/text/sourceText';
import {
  isBhyveConfigDocument,
  parseBhyveConfig,
  type BhyveConfigDocument,
} from '../../../server/src/vmm/bhyve/config/document';
import { memorySize, smallCount } from '../../../server/src/vmm/bhyve/config/numbers';
import { recogniseBhyveConfig } from '../../../server/src/vmm/bhyve/config/recognise';

const read = (text: string, version?: string): BhyveConfigDocument =>
  parseBhyveConfig(new SourceText('file:///guest.conf', text), {
    files: new Map(),
    ...(version === undefined ? {} : { choice: { vmm: 'bhyve', version } }),
  });

const valueOf = (document: BhyveConfigDocument, key: string) => document.values.get(key)?.value;

const CONFIG = `# A guest with UEFI
name=web
cpus=2
memory.size=4G
acpi_tables=true
x86.strictmsr=false
lpc.bootrom=/usr/local/share/uefi-firmware/BHYVE_UEFI.fd
lpc.com1.path=stdio
pci.0.0.0.device=hostbridge
pci.0.3.0.device=virtio-blk
pci.0.3.0.path=/dev/zvol/zroot/%(name)
pci.0.4.0.device=ahci
pci.0.4.0.port.0.type=cd
pci.0.4.0.port.0.path=/iso/install.iso
pci.0.31.0.device=lpc
`;

test('a config gives one machine with name, memory, vCPUs, images and every key, each with its place', () => {
  const document = read(CONFIG);
  assert.ok(isBhyveConfigDocument(document));
  assert.deepEqual(document.problems, []);
  const [machine] = document.machines;
  assert.ok(machine);
  assert.equal(machine.name, 'web');
  assert.equal(machine.memory?.value, 4n * GIB);
  assert.equal(machine.vcpus.value, 2);
  assert.deepEqual(
    machine.images.map(({ role, path }) => [role, path]),
    [
      ['firmware', '/usr/local/share/uefi-firmware/BHYVE_UEFI.fd'],
      ['disk', '/dev/zvol/zroot/web'],
      ['cdrom', '/iso/install.iso'],
    ],
  );
  assert.deepEqual(machine.memory?.origin, {
    kind: 'text',
    uri: 'file:///guest.conf',
    range: { start: { line: 3, character: 0 }, end: { line: 3, character: 14 } },
  });
  assert.equal(machine.settings?.get('x86.strictmsr')?.value, 'false');
  assert.equal(machine.regions[0]?.range.end, 3n * GIB);
  assert.equal(machine.vmm, 'bhyve');
});

test('the outline has the guest, its devices and their keys; links are the files', () => {
  const { outline, links } = read(CONFIG);
  assert.deepEqual(
    outline[0]?.children.map(({ name, detail }) => `${name} ${detail}`),
    [
      'name web',
      'cpus 2',
      'memory.size 4G',
      'acpi_tables true',
      'x86.strictmsr false',
      'lpc ',
      'pci.0.0.0 hostbridge',
      'pci.0.3.0 virtio-blk',
      'pci.0.4.0 ahci',
      'pci.0.31.0 lpc',
    ],
  );
  // A path with a reference is not what is written.
  assert.deepEqual(
    links.map(({ path }) => path),
    ['/usr/local/share/uefi-firmware/BHYVE_UEFI.fd', '/iso/install.iso'],
  );
});

test('what a config does not say is as bhyve has it', () => {
  const [machine] = read('acpi_tables=yes\n').machines;
  assert.equal(machine?.memory?.value, 256n * MIB);
  assert.equal(machine?.vcpus.value, 1);
  assert.equal(read('# nothing but a comment\n').machines.length, 0);
});

/** Lines, and the code and line of each finding. */
const LINES: readonly { title: string; text: string; found: string[]; values?: Record<string, string> }[] = [
  { title: 'a key and a value', text: 'name=a', found: [], values: { name: 'a' } },
  {
    title: 'a later value replaces an earlier one',
    text: 'name=a\nname=b',
    found: [],
    values: { name: 'b' },
  },
  { title: 'the first = separates', text: 'a=b=c', found: [], values: { a: 'b=c' } },
  { title: 'nothing is trimmed', text: 'a = b ', found: [], values: { 'a ': ' b ' } },
  { title: 'a # that is not first', text: ' # x', found: ['bhyve-config-syntax 0'] },
  { title: 'a # in a value', text: 'a=b # c', found: [], values: { a: 'b # c' } },
  { title: 'a comment may have no =', text: '#a\n\nb=c', found: [], values: { b: 'c' } },
  { title: 'a line of blanks is no blank line', text: 'a=b\n  \n', found: ['bhyve-config-syntax 1'] },
  { title: 'nor is a carriage return', text: 'a=b\n\r\nc=d', found: ['bhyve-config-syntax 1'] },
  { title: 'a carriage return is of the value', text: 'a=b\r\n', found: [], values: { a: 'b\r' } },
  { title: 'no =', text: 'abc', found: ['bhyve-config-syntax 0'] },
  { title: 'no value', text: 'abc=\nd=e', found: ['bhyve-config-syntax 0'], values: { d: 'e' } },
  { title: 'a NUL ends the line', text: 'a=b\0c\nd=e', found: [], values: { a: 'b', d: 'e' } },
  { title: 'a node below a value', text: 'a=1\na.b=2', found: ['bhyve-config-key 1'], values: { a: '1' } },
  { title: 'a value for a node', text: 'a.b=1\na=2', found: ['bhyve-config-key 1'], values: { 'a.b': '1' } },
  { title: 'an empty part', text: 'a..b=1', found: ['bhyve-config-key 0'] },
  { title: 'a reference', text: 'a=1\nb=x%(a)y', found: [], values: { b: 'x1y' } },
  { title: 'a reference to a later key', text: 'b=%(a)\na=1', found: [], values: { b: '1' } },
  {
    title: 'a reference to nothing',
    text: 'b=x%(a)',
    found: ['bhyve-config-reference 0'],
    values: { b: 'x' },
  },
  { title: 'an empty reference', text: 'b=x%()y', found: ['bhyve-config-reference 0'], values: { b: 'xy' } },
  { title: 'a lone percent sign', text: 'b=5%', found: ['bhyve-config-reference 0'], values: { b: '5%' } },
  { title: 'a backslash before a percent sign', text: 'b=5\\%', found: [], values: { b: '5%' } },
  { title: 'a backslash without one', text: 'b=a\\b', found: [], values: { b: 'a\\b' } },
];

for (const { title, text, found, values = {} } of LINES) {
  test(`${title}: ${JSON.stringify(text)}`, () => {
    const document = read(text);
    assert.deepEqual(
      document.problems.map(({ code, at }) => `${code} ${at?.range.start.line}`),
      found,
    );
    for (const [key, value] of Object.entries(values)) assert.equal(valueOf(document, key), value);
  });
}

test('references that name each other end at 15 levels, and those that multiply at 64 KiB', () => {
  const loop = read('a=%(b)\nb=%(a)');
  assert.ok(loop.problems.every(({ code }) => code === 'bhyve-config-reference'));
  assert.equal(loop.problems.length, 2);
  const many = [
    'k0=0123456789',
    ...Array.from({ length: 14 }, (_, i) => `k${i + 1}=${`%(k${i})`.repeat(9)}`),
  ];
  const document = read(many.join('\n'));
  assert.ok((valueOf(document, 'k14') ?? '').length <= 64 * 1024);
  assert.ok(document.problems.length > 0);
});

test('a config of ten thousand values that refer to each other is read in a second, and says what it leaves out', () => {
  const lines = [
    'k0=0123456789',
    ...Array.from({ length: 9999 }, (_, i) => `k${i + 1}=${`%(k${i})`.repeat(8)}`),
  ];
  const before = process.cpuUsage();
  const document = read(lines.join('\n'));
  const { user } = process.cpuUsage(before);
  assert.ok(user < 1_000_000, `${user} µs`);
  const left = document.problems.filter(({ message }) => message.includes('4 MiB in all'));
  assert.equal(left.length, 1);
  const key = `k${left[0]!.at!.range.start.line}`;
  assert.equal(
    valueOf(document, key),
    lines[left[0]!.at!.range.start.line]!.slice(key.length + 1),
    'as written',
  );
});

test('a device named like a property that every object has is a device that nobody knows', () => {
  const document = read('pci.0.3.0.device=constructor\npci.0.3.0.path=/x\n');
  assert.deepEqual(document.machines[0]?.images, []);
});

/** vm_parse_memsize with strtoul and expand_number. */
const SIZES: readonly (readonly [text: string, bytes: bigint | null])[] = [
  ['1G', GIB],
  ['1g', GIB],
  ['512', 512n * MIB],
  ['1048575', 1048575n * MIB],
  ['1048576', MIB],
  ['0x100', 256n * MIB],
  ['010', 8n * MIB],
  ['4096K', 4096n * KIB],
  ['2T', 2048n * GIB],
  ['1GB', GIB],
  ['1G\r', GIB],
  ['100b', 100n],
  ['1.5G', null],
  ['', null],
  ['G', null],
  ['1X', null],
  ['16E', null],
  ['99999999999999999999', null],
];

for (const [text, bytes] of SIZES) {
  test(`memory.size=${JSON.stringify(text)} is ${bytes === null ? 'refused' : `${bytes} bytes`}`, () => {
    assert.equal(memorySize(text), bytes);
  });
}

test('counts are numbers from 1 to 65535', () => {
  const counts = ['1', '65535', '0x10', '0', '65536', '-1', '2x', '', '2 '].map(smallCount);
  assert.deepEqual(counts, [1, 65535, 16, null, null, null, null, null, null]);
});

/** calc_topology. */
const TOPOLOGIES: readonly (readonly [text: string, vcpus: number, refused: boolean])[] = [
  ['cpus=4', 4, false],
  ['sockets=2\ncores=2\nthreads=2', 8, false],
  ['cpus=4\nsockets=2\ncores=2', 4, false],
  ['cpus=4\ncores=2', 4, true],
  ['cpus=0', 1, true],
];

for (const [text, vcpus, refused] of TOPOLOGIES) {
  test(`${text.replaceAll('\n', ', ')} ${refused ? 'is refused' : `makes ${vcpus} vCPUs`}`, () => {
    const document = read(text);
    assert.equal(document.machines[0]?.vcpus.value, vcpus);
    assert.deepEqual(
      document.problems.map(({ code }) => code),
      refused ? ['bhyve-config-number'] : [],
    );
  });
}

test('bootrom is the key of newer versions, for which lpc.bootrom may stand', () => {
  const text = 'bootrom=new.fd\nlpc.bootrom=old.fd\n';
  const rom = (version: string) => read(text, version).machines[0]?.images[0]?.path;
  assert.deepEqual(['freebsd-14', 'illumos-2025', 'freebsd-15'].map(rom), ['old.fd', 'new.fd', 'new.fd']);
  assert.equal(read('lpc.bootrom=old.fd', 'freebsd-15').machines[0]?.images[0]?.path, 'old.fd');
});

test('a pragma pins the version; one that names none is told with the versions there are', () => {
  assert.equal(read('# bootpath: bhyve@illumos-2021-08\nname=a').choice?.version, 'illumos-2021-08');
  const unknown = read('# bootpath: bhyve@12.0\nname=a');
  assert.equal(unknown.choice?.version, 'freebsd-15');
  assert.deepEqual(
    unknown.problems.map(({ code }) => code),
    ['bhyve-pragma'],
  );
});

test('a flat config is recognised by its keys, and configs of others are not', () => {
  const yes = [
    CONFIG,
    'memory.size=1G',
    'x86.vmexit_on_hlt=true',
    '# bootpath: bhyve@freebsd-14\nname=a',
    '# bootpath: bhyve@freebsd-14\n',
    '# bootpath: bhyve@freebsd-14\nmemor',
    '# bootpath: bhyve@freebsd-14\nname=a guest of two words',
    'lpc.com1.path=/dev/nmdm0A',
  ];
  const no = [
    'loader="uefi"\ncpu=1\nmemory=512M\ndisk0_type="virtio-blk"\n',
    '[main]\nname = "a"\ncpus = 4\n',
    'vm "a" {\n memory 512M\n}\n',
    'name=a\ncpus=2\n',
    '# bootpath: bhyve@illumos-2021-08\nAddress     Length      Segment     Offset      Prot  Flags\n',
    '# bootpath: bhyve@illumos-2021-08\n\n[    0.000000] BIOS-e820: [mem 0x0-0x9fbff] usable root=/dev/vda\n',
    '',
  ];
  assert.deepEqual(
    yes.map(recogniseBhyveConfig),
    yes.map(() => true),
  );
  assert.deepEqual(
    no.map(recogniseBhyveConfig),
    no.map(() => false),
  );
});

test('no text makes the reader throw or hang', () => {
  const texts = [
    '\0'.repeat(1000),
    '='.repeat(10_000),
    `${'a.'.repeat(20_000)}b=1`,
    `a=${'%('.repeat(20_000)}`,
    `${'a=%(a)%(a)\n'.repeat(100)}`,
    'a.b=1\n'.repeat(10_000),
    `memory.size=${'9'.repeat(100_000)}`,
    '\ud800=\udfff\nmemory.size=1G',
  ];
  for (const text of texts) {
    const document = read(text);
    assert.ok(document.outline.length <= 1);
    assert.ok(document.problems.length >= 0);
  }
});
