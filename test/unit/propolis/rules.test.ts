/** The rules on Propolis configs, each with texts that it must report and near misses that it must not. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHECKS, runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parsePropolis } from '../../../server/src/vmm/propolis/document';

const MAIN = '[main]\nname = "web"\ncpus = 2\nbootrom = "/opt/ROM.fd"\nmemory = 1024\n';
const FILE = '[block_dev.image]\ntype = "file"\npath = "/var/web.raw"\n';
const DISK = `${FILE}[dev.disk0]\ndriver = "pci-nvme"\nblock_dev = "image"\npci-path = "0.4.0"\n`;
const nic = (path: string, more = '', name = 'net0') =>
  `[dev.${name}]\ndriver = "pci-virtio-viona"\nvnic = "v0"\n${path === '' ? '' : `pci-path = ${path}\n`}${more}`;
const crucible = (more: string) =>
  `[block_dev.image]\ntype = "crucible"\n${more}[dev.disk0]\ndriver = "pci-nvme"\nblock_dev = "image"\npci-path = "0.4.0"\n`;
const REGION = 'block_size = 512\nblocks_per_extent = 100\nextent_count = 3\ngeneration = 1\n';
const TARGETS = 'targets = ["127.0.0.1:3810", "127.0.0.1:3820", "[::1]:3830"]\n';
const profile = (leaves: string) => `cpuid_profile = "p"\n[cpuid.p]\nvendor = "amd"\n${leaves}`;
const LEAF = '[0, 1, 2, 0xffffffff]';

const parse = (text: string, version?: string) =>
  parsePropolis(new SourceText('file:///vm.toml', text), {
    files: new Map(),
    ...(version ? { choice: { vmm: 'propolis', version } } : {}),
  });
const codesOf = (text: string, version?: string) => runChecks(parse(text, version)).map(({ code }) => code);

const REPORTED: readonly (readonly [code: string, what: string, text: string, version?: string])[] = [
  ['propolis-unknown-key', 'a snake-case pci_path', MAIN + nic('"0.5.0"', 'rx_queue_size = 256\n')],
  ['propolis-unknown-key', 'a kebab-case table', `${MAIN}[block-dev.x]\ntype = "file"\npath = "/x"\n`],
  ['propolis-unknown-key', 'a key of another driver', MAIN + nic('"0.5.0"', 'block_dev = "x"\n')],
  ['propolis-version', 'boot_order before it was there', `${MAIN}boot_order = []\n`, '2023-10'],
  ['propolis-version', 'qemu_debug_file after its time', `${MAIN}qemu_debug_file = "/x"\n`],
  ['propolis-missing-key', 'no bootrom', MAIN.replace('bootrom = "/opt/ROM.fd"\n', '')],
  ['propolis-missing-key', 'a viona without a vnic', MAIN + nic('"0.5.0"').replace('vnic = "v0"\n', '')],
  ['propolis-missing-key', 'a Crucible without block size', MAIN + crucible(REGION.slice(17) + TARGETS)],
  ['propolis-wrong-type', 'a number as text', MAIN.replace('cpus = 2', 'cpus = "2"')],
  ['propolis-value', 'an exit code of 256', `${MAIN}exit_on_reboot = 256\n`],
  ['propolis-value', 'a negative exit code', `${MAIN}exit_on_halt = -1\n`],
  ['propolis-value', 'an unknown binding', `${MAIN}cpu_binding = "upper_half"\n`],
  ['propolis-value', 'two targets', MAIN + crucible(`${REGION}targets = ["127.0.0.1:1", "127.0.0.1:2"]\n`)],
  [
    'propolis-value',
    'a target by host name',
    MAIN + crucible(`${REGION}${TARGETS.replace('127.0.0.1:3810', 'sled:3810')}`),
  ],
  ['propolis-value', 'no memory', MAIN.replace('memory = 1024', 'memory = 0')],
  ['propolis-value', 'no workers', MAIN + DISK.replace('path', 'workers = 0\npath')],
  ['propolis-driver', 'a driver without pci-', MAIN + nic('"0.5.0"').replace('pci-virtio', 'virtio')],
  ['propolis-pci-path', 'none', MAIN + nic('')],
  ['propolis-pci-path', 'a number', MAIN + nic('5')],
  ['propolis-pci-path', 'two parts', MAIN + nic('"0.5"')],
  ['propolis-pci-path', 'colons', MAIN + nic('"0:5.0"')],
  ['propolis-pci-path', 'device 32', MAIN + nic('"0.32.0"')],
  ['propolis-pci-path', 'function 8', MAIN + nic('"0.5.8"')],
  ['propolis-pci-path', 'bus 1', MAIN + nic('"1.5.0"')],
  ['propolis-pci-path', 'the LPC bridge', MAIN + nic('"0.1.0"')],
  ['propolis-pci-path', 'a place twice', MAIN + nic('"0.5.0"') + nic('"0.05.0"', '', 'net1')],
  ['propolis-pci-function', 'function 1 alone', MAIN + nic('"0.5.1"')],
  ['propolis-block-device', 'none', MAIN + DISK.replace('block_dev = "image"\n', '')],
  ['propolis-block-device', 'misspelt', MAIN + DISK.replace('block_dev = "image"', 'block_dev = "imgae"')],
  [
    'propolis-block-device-shared',
    'two disks',
    MAIN + DISK + DISK.slice(FILE.length).replace('disk0', 'd1').replace('0.4', '0.6'),
  ],
  ['propolis-block-device-unused', 'nobody names it', MAIN + FILE],
  ['propolis-block-type', 'no type', MAIN + DISK.replace('type = "file"\n', '')],
  ['propolis-block-type', 'another type', MAIN + DISK.replace('"file"', '"raw"')],
  ['propolis-block-size', '0', MAIN + DISK.replace('path =', 'block_size = 0\npath =')],
  [
    'propolis-block-size',
    'no power of two for NVMe',
    MAIN + DISK.replace('path =', 'block_size = 520\npath ='),
  ],
  [
    'propolis-block-size',
    'mem-async of a part of a block',
    MAIN + DISK.replace('"file"\npath = "/var/web.raw"', '"mem-async"\nsize = 1000'),
  ],
  ['propolis-workers', '33', MAIN + DISK.replace('path =', 'workers = 33\npath =')],
  ['propolis-boot-order', 'a block device', `${MAIN}boot_order = ["image"]\n${DISK}`],
  ['propolis-boot-order', 'no PCI device', `${MAIN}boot_order = ["p"]\n[dev.p]\ndriver = "qemu-pvpanic"\n`],
  ['propolis-cpuid-profile', 'another name', `${MAIN}cpuid_profile = "q"\n[cpuid.p]\nvendor = "amd"\n`],
  ['propolis-cpuid-unused', 'no name', `${MAIN}[cpuid.p]\nvendor = "amd"\n`],
  ['propolis-cpuid-leaf', '0x', MAIN + profile(`"0x1" = ${LEAF}\n`)],
  ['propolis-cpuid-leaf', 'two dashes', MAIN + profile(`"1-2-3" = ${LEAF}\n`)],
  ['propolis-cpuid-leaf', '33 bits', MAIN + profile(`"100000000" = ${LEAF}\n`)],
  ['propolis-cpuid-leaf', 'three values', MAIN + profile('"1" = [1, 2, 3]\n')],
  ['propolis-cpuid-leaf', 'a value of 33 bits', MAIN + profile('"1" = [1, 2, 3, 0x100000000]\n')],
  ['propolis-cpuid-leaf', 'one leaf in two spellings', MAIN + profile(`"d" = ${LEAF}\n"D" = ${LEAF}\n`)],
  ['propolis-cpuid-leaf', 'with and without subleaf', MAIN + profile(`"7" = ${LEAF}\n"7-0" = ${LEAF}\n`)],
  ['propolis-queue-size', '1000', MAIN + nic('"0.5.0"', 'rx-queue-size = 1000\n')],
  ['propolis-queue-size', '65536', MAIN + nic('"0.5.0"', 'tx-queue-size = 65536\n')],
  ['propolis-queue-size', 'a text', MAIN + nic('"0.5.0"', 'tx-queue-size = "256"\n')],
  ['propolis-pvpanic', 'nothing said', `${MAIN}[dev.p]\ndriver = "qemu-pvpanic"\n`],
  ['propolis-pvpanic', 'a text', `${MAIN}[dev.p]\ndriver = "qemu-pvpanic"\nenable_isa = "true"\n`],
  ['propolis-cloudinit', 'no table', MAIN + DISK.replace('"file"\npath = "/var/web.raw"', '"cloudinit"')],
  [
    'propolis-cloudinit',
    'text and path',
    `${MAIN}${DISK.replace('"file"\npath = "/var/web.raw"', '"cloudinit"')}[cloudinit]\nuser-data = "x"\nuser-data-path = "/y"\n`,
  ],
  ['propolis-cloudinit', 'no disk', `${MAIN}[cloudinit]\nuser-data = "x"\n`],
  ['propolis-vcpus', '0', MAIN.replace('cpus = 2', 'cpus = 0')],
  ['propolis-vcpus', '33', MAIN.replace('cpus = 2', 'cpus = 33')],
  ['propolis-memory-unit', '2G', MAIN.replace('memory = 1024', 'memory = "2G"')],
];

for (const [code, what, text, version] of REPORTED) {
  test(`${code}: ${what}`, () => {
    const codes = codesOf(text, version);
    assert.ok(codes.includes(code), `found: ${codes.join(', ')}`);
  });
}

const SILENT: readonly (readonly [what: string, text: string, version?: string])[] = [
  ['the smallest config', MAIN],
  ['a disk in the boot order', `${MAIN}boot_order = ["disk0"]\n${DISK}`],
  ['a function 1 beside a function 0', MAIN + nic('"0.5.0"') + nic('"0.5.1"', '', 'net1')],
  ['a function beside the chipset’s', MAIN + nic('"0.1.1"')],
  ['a Crucible disk', MAIN + crucible(REGION + TARGETS)],
  ['32 workers and 32 vCPUs', MAIN.replace('2', '32') + DISK.replace('path =', 'workers = 32\npath =')],
  ['both forms of a leaf in an older version', MAIN + profile(`"7" = ${LEAF}\n"7-0" = ${LEAF}\n`), '2023-10'],
  ['leaves with subleaves', MAIN + profile(`"D-0" = ${LEAF}\n"d-1" = ${LEAF}\n"80000000" = ${LEAF}\n`)],
  ['queues of powers of two', MAIN + nic('"0.5.0"', 'rx-queue-size = 1\ntx-queue-size = 32768\n')],
  ['a pvpanic that is off', `${MAIN}[dev.p]\ndriver = "qemu-pvpanic"\nenable_isa = false\n`],
  [
    'a config of propolis-cli, which has no [main]',
    `bootrom = "/x"\n${DISK}[dev.p]\ndriver = "pci-virtio-9p"\n`,
  ],
  ['qemu_debug_file in its time', `${MAIN}qemu_debug_file = "/x"\n`, '2023-10'],
  ['a driver of a fork', `${MAIN}[dev.t]\ndriver = "tpm-crb"\nanything = 1\n`],
  [
    'templates in values',
    MAIN.replace('"web"', '"{{ name }}"').replace('memory = 1024', 'memory = "${MEM}"'),
  ],
  [
    'a template as place and as block device',
    `${MAIN}${DISK.replace('"image"', '"{{ disk }}"').replace('"0.4.0"', '"{{ path }}"').slice(FILE.length)}`,
  ],
];

for (const [what, text, version] of SILENT) {
  test(`nothing is said about ${what}`, () => {
    assert.deepEqual(runChecks(parse(text, version)), []);
  });
}

test('options of a block device that nobody uses are never looked at', () => {
  assert.deepEqual(codesOf(`${MAIN}[block_dev.x]\ntype = "crucible"\ntargets = 5\nworkesr = 3\n`), [
    'propolis-block-device-unused',
  ]);
  // serde reads these of each.
  assert.ok(codesOf(`${MAIN}[block_dev.x]\ntype = "file"\nread_only = 1\n`).includes('propolis-wrong-type'));
});

test('a misspelt key has the nearest one as its fix, and the fix makes it silent', () => {
  const text = MAIN + nic('"0.5.0"', 'rx_queue_size = 256\n');
  const [finding] = runChecks(parse(text));
  const edit = finding!.fixes![0]!.edits[0]!;
  const lines = text.split('\n');
  const { start, end } = edit.range;
  lines[start.line] =
    lines[start.line]!.slice(0, start.character) + edit.newText + lines[start.line]!.slice(end.character);
  assert.deepEqual(codesOf(lines.join('\n')), []);
});

test('no config makes a rule throw, and every place lies inside the text', () => {
  const pieces = fc.constantFrom(
    ...[MAIN, DISK, nic('"0.5.0"'), crucible(REGION + TARGETS), profile(`"7" = ${LEAF}\n`), '[cloudinit]\n'],
    ...[
      '[dev.x]\n',
      'driver = "pci-nvme"\n',
      'pci-path = ',
      '"0.1',
      '[[dev]]\n',
      'memory = "9"\n',
      '\0',
      '99999999999999999999',
    ],
    ...[
      'boot_order = [[], {}, "disk0"]\n',
      'cpuid_profile = "p"\n',
      '[block_dev]\nimage = 5\n',
      'dev = 1\n',
      '\n',
    ],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const document = parse(text);
      const lines = text.split('\n').length;
      for (const check of CHECKS) {
        if (!check.on.includes('propolis')) continue;
        for (const { at } of check.run?.(document) ?? []) {
          assert.ok(at && at.range.start.line < lines && at.range.end.line < lines);
        }
      }
    }),
  );
});
