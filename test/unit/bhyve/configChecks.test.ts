/** What the rules on bhyve's config files report, and what they leave alone. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseBhyveConfig } from '../../../server/src/vmm/bhyve/config/document';
import { DEVICES } from '../../../server/src/vmm/bhyve/keys/devices';
import { GLOBAL_KEYS } from '../../../server/src/vmm/bhyve/keys/globalKeys';
import { firstVersions } from '../../../server/src/vmm/bhyve/keys/keyRow';
import { lookUp } from '../../../server/src/vmm/bhyve/keys/lookup';
import { bhyveVersion, NEWEST_BHYVE } from '../../../server/src/vmm/bhyve/versions';

const findings = (text: string, version?: string) =>
  runChecks(
    parseBhyveConfig(new SourceText('file:///guest.conf', text), {
      files: new Map(),
      ...(version === undefined ? {} : { choice: { vmm: 'bhyve', version } }),
    }),
  ).filter(({ code }) => code !== 'bhyve-no-bootrom');

/** Code, line and what the first fix makes of the text. */
interface Row {
  readonly title: string;
  readonly text: string;
  readonly version?: string;
  readonly found: readonly string[];
  readonly fixed?: string;
}

const LPC = 'pci.0.31.0.device=lpc';

const ROWS: readonly Row[] = [
  {
    title: 'a misspelt key',
    text: 'acpi_table=true',
    found: ['bhyve-unknown-key 0'],
    fixed: 'acpi_tables=true',
  },
  {
    title: 'a misspelt key below a node',
    text: 'x86.strictmsrs=true',
    found: ['bhyve-unknown-key 0'],
    fixed: 'x86.strictmsr=true',
  },
  { title: 'a key far from all others', text: 'x86.vmexit_on_true=true', found: ['bhyve-unknown-key 0'] },
  {
    title: 'the only key of a node',
    text: `lpc.com1.device=stdio\n${LPC}`,
    found: ['bhyve-unknown-key 0'],
    fixed: `lpc.com1.path=stdio\n${LPC}`,
  },
  { title: 'a variable of the user', text: 'vmctl.vlan=7\niso=/x.iso', found: [] },
  { title: 'a misspelt key that is a variable', text: 'cpu=2\ncpus=%(cpu)', found: [] },
  {
    title: 'a key of other devices',
    text: 'pci.0.3.0.device=ahci\npci.0.3.0.path=/x',
    found: ['bhyve-unknown-key 1'],
    fixed: 'pci.0.3.0.device=ahci\npci.0.3.0.port.0.path=/x',
  },
  {
    title: 'a key of a device that nobody knows',
    text: 'pci.0.3.0.device=$(dev)\npci.0.3.0.pth=/x',
    found: [],
  },
  {
    title: 'a port that is not looked for',
    text: 'pci.0.3.0.device=ahci\npci.0.3.0.port.32.nmrr=1',
    found: ['bhyve-unknown-key 1'],
  },
  { title: 'a node as a value', text: 'memory=4G', found: ['bhyve-unknown-key 0'], fixed: 'memory.size=4G' },
  {
    title: 'a key of illumos',
    text: 'memory.use_reservoir=true',
    version: 'freebsd-15',
    found: ['bhyve-key-version 0'],
  },
  { title: 'the same there', text: 'memory.use_reservoir=true', version: 'illumos-2025', found: [] },
  {
    title: 'pinning, which illumos leaves out',
    text: 'vcpu.0.cpuset=1',
    version: 'illumos-2025',
    found: ['bhyve-key-version 0'],
  },
  {
    title: 'the newer key of the boot ROM',
    text: 'bootrom=/x',
    version: 'freebsd-14',
    found: ['bhyve-bootrom-key 0'],
    fixed: 'lpc.bootrom=/x',
  },
  { title: 'the older key', text: 'lpc.bootrom=/x', found: ['bhyve-bootrom-key 0'], fixed: 'bootrom=/x' },
  { title: 'both keys', text: 'bootrom=/x\nlpc.bootrom=/y', found: ['bhyve-bootrom-key 1'] },
  {
    title: 'a word that is no boolean',
    text: 'memory.wired=enabled',
    found: ['bhyve-boolean 0'],
    fixed: 'memory.wired=true',
  },
  {
    title: 'a boolean in quotes',
    text: 'memory.wired="no"',
    found: ['bhyve-boolean 0'],
    fixed: 'memory.wired=no',
  },
  { title: 'booleans of any case', text: 'memory.wired=YES\nx86.x2apic=0\nvirtio_msix=Off', found: [] },
  { title: 'a boolean of a template', text: 'memory.wired=${WIRED}\nx86.x2apic=%(x)\nx=on', found: [] },
  { title: 'an octal count', text: 'cpus=010', found: ['bhyve-octal 0'], fixed: 'cpus=10' },
  {
    title: 'hexadecimal and a zero that changes nothing',
    text: 'cpus=0x4\nmemory.size=0512M',
    found: ['bhyve-octal 1'],
  },
  { title: 'zeros of a single digit', text: 'cpus=04', found: [] },
  {
    title: 'hexadecimal for atoi',
    text: 'pci.0.4.0.device=nvme\npci.0.4.0.ram=64\npci.0.4.0.qsz=0x10',
    found: ['bhyve-decimal 2', 'bhyve-value 2'],
    fixed: 'pci.0.4.0.device=nvme\npci.0.4.0.ram=64\npci.0.4.0.qsz=16',
  },
  { title: 'blanks around the sign', text: 'cpus = 2', found: ['bhyve-whitespace 0'], fixed: 'cpus=2' },
  { title: 'a blank at the end', text: 'name=web ', found: ['bhyve-whitespace 0'], fixed: 'name=web' },
  {
    title: 'a comment behind a value',
    text: 'name=web # it',
    found: ['bhyve-whitespace 0'],
    fixed: 'name=web',
  },
  { title: 'a number sign in a value', text: 'name=web#1\nsystem.sku=a b', found: [] },
  {
    title: 'carriage returns',
    text: 'cpus=2\r\nname=x\r\n',
    found: ['bhyve-config-number 0', 'bhyve-whitespace 0'],
  },
  {
    title: 'a key that is set again',
    text: 'cpus=2\ncpus=4',
    found: ['bhyve-duplicate-key 0'],
    fixed: 'cpus=4',
  },
  {
    title: 'half a page of memory',
    text: 'memory.size=1000000001',
    found: ['bhyve-memory-pages 0'],
    fixed: 'memory.size=953M',
  },
  {
    title: 'memory in KiB without a unit',
    text: 'memory.size=2097152',
    found: ['bhyve-memory-unit 0'],
    fixed: 'memory.size=2097152K',
  },
  { title: 'memory in MiB and in bytes', text: 'memory.size=8192\nname=%(memory.size)', found: [] },
  {
    title: 'a padded slot',
    text: 'pci.0.03.0.device=virtio-rnd',
    found: ['bhyve-pci-address 0'],
    fixed: 'pci.0.3.0.device=virtio-rnd',
  },
  { title: 'a slot that is too large', text: 'pci.0.32.0.device=virtio-rnd', found: ['bhyve-pci-address 0'] },
  { title: 'too few parts', text: 'pci.0.3=virtio-rnd', found: ['bhyve-pci-address 0'] },
  { title: 'no device', text: 'pci.0.3.0.path=/x', found: ['bhyve-pci-device 0'] },
  {
    title: 'a misspelt device',
    text: 'pci.0.3.0.device=virtio-rng',
    found: ['bhyve-pci-device 0'],
    fixed: 'pci.0.3.0.device=virtio-rnd',
  },
  {
    title: 'a device of illumos',
    text: 'pci.0.4.0.device=virtio-net-viona\npci.0.4.0.vnic=v0',
    version: 'freebsd-15',
    found: ['bhyve-pci-device 0'],
  },
  {
    title: 'a device in the middle of a word',
    text: 'pci.0.3.0.device=virtio-net\npci.0.3.0.backend=tap0',
    found: [],
  },
  {
    title: 'a name of -s',
    text: 'pci.0.3.0.device=ahci-hd\npci.0.3.0.path=/x',
    found: ['bhyve-pci-device 0'],
    fixed: 'pci.0.3.0.device=ahci\npci.0.3.0.port.0.type=hd\npci.0.3.0.port.0.path=/x',
  },
  { title: 'function 1 alone', text: 'pci.0.3.1.device=virtio-rnd', found: ['bhyve-function-hole 0'] },
  { title: 'functions 0 and 2', text: 'pci.0.3.2.device=virtio-rnd\npci.0.3.0.device=virtio-rnd', found: [] },
  { title: 'two LPC bridges', text: `${LPC}\npci.0.30.0.device=lpc`, found: ['bhyve-single-device 1'] },
  { title: 'an LPC bridge on bus 1', text: 'pci.1.0.0.device=lpc', found: ['bhyve-single-device 0'] },
  {
    title: 'a serial port without LPC',
    text: 'lpc.com1.path=stdio',
    found: ['bhyve-lpc-missing 0'],
    fixed: `${LPC}\nlpc.com1.path=stdio`,
  },
  { title: 'the boot ROM without LPC, which newer ones load anyway', text: 'bootrom=/x', found: [] },
  {
    title: 'the boot ROM without LPC before',
    text: 'lpc.bootrom=/x\nacpi_tables=on',
    version: 'freebsd-13',
    found: ['bhyve-lpc-missing 0'],
  },
  { title: 'a disk without a path', text: 'pci.0.3.0.device=virtio-blk', found: ['bhyve-missing-key 0'] },
  { title: 'an nvme disk in memory', text: 'pci.0.3.0.device=nvme\npci.0.3.0.ram=64', found: [] },
  {
    title: 'netgraph without a hook',
    text: 'pci.0.3.0.device=e1000\npci.0.3.0.backend=netgraph\npci.0.3.0.path=a:',
    found: ['bhyve-missing-key 0'],
  },
  {
    title: 'a TPM without a version',
    text: 'tpm.type=passthru\ntpm.path=/dev/tpm0',
    found: ['bhyve-missing-key 0'],
  },
  {
    title: 'a port without a type',
    text: 'pci.0.3.0.device=ahci\npci.0.3.0.port.0.path=/x',
    found: ['bhyve-ahci-port 1'],
  },
  {
    title: 'a port of another type',
    text: 'pci.0.3.0.device=ahci\npci.0.3.0.port.0.path=/x\npci.0.3.0.port.0.type=disk',
    found: ['bhyve-ahci-port 2'],
  },
  {
    title: 'a network backend by type',
    text: 'pci.0.3.0.device=e1000\npci.0.3.0.backend=public\npci.0.3.0.type=tap',
    found: [],
  },
  {
    title: 'a network backend that is none',
    text: 'pci.0.3.0.device=e1000\npci.0.3.0.backend=bridge0',
    found: ['bhyve-net-backend 1'],
  },
  { title: 'a network card that is not connected', text: 'pci.0.3.0.device=virtio-net', found: [] },
  {
    title: 'passthru without wired memory',
    text: 'pci.0.3.0.device=passthru\npci.0.3.0.pptdev=ppt0',
    found: ['bhyve-passthru-memory 0'],
    fixed: 'memory.wired=true\npci.0.3.0.device=passthru\npci.0.3.0.pptdev=ppt0',
  },
  {
    title: 'sector sizes',
    text: 'pci.0.3.0.device=virtio-blk\npci.0.3.0.path=/x\npci.0.3.0.sectorsize=512/4096',
    found: [],
  },
  {
    title: 'sector sizes upside down',
    text: 'pci.0.3.0.device=virtio-blk\npci.0.3.0.path=/x\npci.0.3.0.sectorsize=4096/512',
    found: ['bhyve-value 2'],
  },
  {
    title: 'a frame buffer without a port',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.rfb=0.0.0.0:',
    found: ['bhyve-value 1'],
  },
  {
    title: 'frame buffers that are fine',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.rfb=[::]:5900\npci.0.3.0.w=1920\npci.0.3.0.h=1080\npci.0.3.0.vga=off',
    found: [],
  },
  {
    title: 'a frame buffer larger than that of its version',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.w=2560\npci.0.3.0.h=1440',
    version: 'illumos-2021-08',
    found: ['bhyve-value 1', 'bhyve-value 2'],
  },
  {
    title: 'a frame buffer of that size later',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.w=2560\npci.0.3.0.h=1440',
    version: 'freebsd-15',
    found: [],
  },
  {
    title: 'a frame buffer without a least size',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.w=320\npci.0.3.0.h=0',
    version: 'illumos-2021-08',
    found: [],
  },
  {
    title: 'a VGA that starts nothing',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.vga=on',
    found: ['bhyve-value-ignored 1'],
  },
  {
    title: 'a VGA that ends a later bhyve of illumos',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.vga=on',
    version: 'illumos-2025',
    found: ['bhyve-value 1'],
  },
  {
    title: 'a VGA that starts nothing, in the first versions of illumos too',
    text: 'pci.0.3.0.device=fbuf\npci.0.3.0.vga=on',
    version: 'illumos-2021-08',
    found: ['bhyve-value-ignored 1'],
  },
  { title: 'a cpuset that goes down', text: 'vcpu.0.cpuset=3-1', found: ['bhyve-value 0'] },
  { title: 'a vCPU that there is not', text: 'cpus=2\nvcpu.2.cpuset=1', found: ['bhyve-vcpu-pin 1'] },
  { title: 'a NUMA domain behind a hole', text: 'domains.1.cpus=0', found: ['bhyve-numa-domain 0'] },
  { title: 'a UUID that is none', text: 'uuid=none', found: ['bhyve-value 0'] },
  {
    title: 'a name that the command line gives',
    text: 'pci.0.3.0.device=virtio-blk\npci.0.3.0.path=/vm/%(name)',
    found: [],
  },
  {
    title: 'a suppression comment',
    text: '# bootpath-disable-next-line bhyve-unknown-key\nacpi_table=true',
    found: [],
  },
];

for (const { title, text, version, found, fixed } of ROWS) {
  test(`${title}${version === undefined ? '' : ` (${version})`}: ${JSON.stringify(text)}`, () => {
    const got = findings(text, version);
    const relevant = found.some((each) => each.startsWith('bhyve-acpi'))
      ? got
      : got.filter(({ code }) => code !== 'bhyve-acpi-tables');
    assert.deepEqual(
      relevant.map(({ code, at }) => `${code} ${at?.range.start.line}`),
      found,
    );
    if (fixed === undefined) return;
    const fix = relevant.flatMap(({ fixes }) => fixes ?? [])[0]!;
    assert.equal(applied(text, fix.edits), fixed);
  });
}

function applied(
  text: string,
  edits: readonly { range: { start: Position; end: Position }; newText: string }[],
): string {
  const { lines } = new SourceText('file:///x', text);
  return [...edits]
    .sort((a, b) => lines.offsetAt(b.range.start) - lines.offsetAt(a.range.start))
    .reduce(
      (done, { range, newText }) =>
        done.slice(0, lines.offsetAt(range.start)) + newText + done.slice(lines.offsetAt(range.end)),
      text,
    );
}

interface Position {
  readonly line: number;
  readonly character: number;
}

test('every key of the table is known to itself, in the versions that it names', () => {
  const rows = [
    ...GLOBAL_KEYS.map((row) => ({ row, key: row.key, device: null })),
    ...DEVICES.flatMap(({ name, keys }) =>
      keys.map((row) => ({ row, key: `pci.0.3.0.${row.key}`, device: name })),
    ),
  ];
  assert.ok(rows.length > 150);
  for (const { row, key, device } of rows) {
    const versions = row.since ? firstVersions(row) : [NEWEST_BHYVE.id];
    for (const id of versions) {
      const version = bhyveVersion(id);
      assert.ok(version, id);
      const match = lookUp(key.replaceAll('*', '0'), version, () => device);
      assert.equal(match.kind, 'known', `${key} ${id}`);
    }
  }
});

test('keys and values of any kind get findings whose places lie in the text', () => {
  const part = fc.constantFrom(
    'pci',
    '0',
    '3',
    '03',
    '99',
    'device',
    'port',
    'path',
    'lpc',
    'com1',
    'memory',
    'size',
    'x86',
    '*',
    '',
  );
  const key = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join('.'));
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('ahci', 'fbuf', 'nvme', 'passthru', '%(name)', '0x', '1G ', '\r', '-1'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (pairs) => {
      const text = pairs.map(([k, v]) => `${k}=${v}`).join('\n');
      const { lines } = new SourceText('file:///x', text);
      for (const { at, fixes = [] } of findings(text)) {
        for (const range of [at!.range, ...fixes.flatMap(({ edits }) => edits.map((each) => each.range))]) {
          assert.ok(lines.offsetAt(range.start) <= lines.offsetAt(range.end));
          assert.deepEqual(lines.positionAt(lines.offsetAt(range.end)), range.end);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a config of ten thousand devices and keys is checked in two seconds', () => {
  const text = Array.from(
    { length: 10_000 },
    (_, i) => `pci.${i % 256}.${i % 40}.${i % 9}.device=ahci${i % 3}\nlpc.com${i}.pth=x`,
  ).join('\n');
  const before = process.cpuUsage();
  findings(text);
  assert.ok(process.cpuUsage(before).user < 2_000_000);
});

test('ACPI tables are off by default on illumos and before FreeBSD 15', () => {
  const told = (version: string, text: string) =>
    findings(text, version).some(({ code }) => code === 'bhyve-acpi-tables');
  const rom = 'lpc.bootrom=/x\npci.0.31.0.device=lpc\n';
  assert.deepEqual(
    ['freebsd-13', 'freebsd-14', 'illumos-2025', 'freebsd-15'].map((version) => told(version, rom)),
    [true, true, true, false],
  );
  assert.equal(told('freebsd-14', `${rom}acpi_tables=off`), false);
});

const VERSION_ROWS: readonly [title: string, text: string, version: string][] = [
  [
    'nothing that only one system reads',
    'cpus=2\npci.0.3.0.device=virtio-blk\npci.0.3.0.path=/x',
    NEWEST_BHYVE.id,
  ],
  ['a device of illumos', 'pci.0.5.0.device=virtio-net-viona\npci.0.5.0.vnic=net0', 'illumos-2025'],
  ['a key of illumos', 'pci.0.6.0.device=passthru\npci.0.6.0.path=/dev/ppt0', 'illumos-2025'],
  [
    'keys of both',
    'pci.0.5.0.device=virtio-net-viona\npci.0.6.0.device=passthru\npci.0.6.0.bus=1\npci.0.6.0.slot=0\npci.0.6.0.func=0',
    NEWEST_BHYVE.id,
  ],
  [
    'what a comment says is stronger',
    '# bootpath: bhyve@freebsd-14\npci.0.5.0.device=virtio-net-viona',
    'freebsd-14',
  ],
];

for (const [title, text, version] of VERSION_ROWS) {
  test(`the version that a config is read for: ${title}`, () => {
    const document = parseBhyveConfig(new SourceText('file:///guest.conf', text), { files: new Map() });
    assert.equal(document.choice?.version, version);
  });
}
