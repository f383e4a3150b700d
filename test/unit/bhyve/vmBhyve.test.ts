/** vm-bhyve's guest configurations. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { GIB } from '../../../server/src/address/range';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseVmBhyve } from '../../../server/src/vmm/bhyve/vmBhyve/document';
import { readGuest } from '../../../server/src/vmm/bhyve/vmBhyve/reader';
import { recogniseVmBhyve } from '../../../server/src/vmm/bhyve/vmBhyve/recognise';

const read = (text: string) =>
  parseVmBhyve(new SourceText('file:///vm/web/web.conf', text), { files: new Map() });

const GUEST = `# A guest
loader="uefi-csm"
cpu=4
cpu_sockets="2"
cpu_cores=2
memory="5G"
disk0_type="virtio-blk"
disk0_name="disk0.img"   # the first
disk1_type="ahci-cd"
disk1_name="/iso/install.iso"
disk1_dev="custom"
network0_type="virtio-net"
network0_switch="public"
`;

test('a guest is a machine with its layout, named as its file', () => {
  const { machines, problems } = read(GUEST);
  assert.deepEqual(problems, []);
  const [machine] = machines;
  assert.equal(machine?.name, 'web');
  assert.equal(machine.memory?.value, 5n * GIB);
  assert.equal(machine.vcpus.value, 4);
  assert.deepEqual(
    machine.images.map(({ role, path }) => `${role} ${path}`),
    ['firmware /usr/local/share/uefi-firmware/BHYVE_UEFI_CSM.fd', 'disk disk0.img', 'cdrom /iso/install.iso'],
  );
  assert.equal(machine.settings?.get('pci.0.5.0.device')?.value, 'ahci');
  assert.equal(machine.settings?.get('x86.strictmsr')?.value, 'false');
  assert.equal(machine.regions[0]?.range.end, 3n * GIB);
  assert.equal(machine.memory.origin.kind === 'text' && machine.memory.origin.range.start.line, 5);
  assert.deepEqual(runChecks(read(GUEST)), []);
});

/** The line as vm-bhyve has it. */
const LINES: readonly (readonly [line: string, values: Readonly<Record<string, string>>])[] = [
  ['a="b c"', { a: 'b c' }],
  ['a=b"c"d', { a: 'bcd' }],
  ['a=b=c', { a: 'b=c' }],
  ["a='b'", { a: "'b'" }],
  ['a="b#c"', { a: 'b' }],
  ['a=b   ', { a: 'b' }],
  ['a=b\t', { a: 'b\t' }],
  ['a =b', { 'a ': 'b' }],
  ['a= b', { a: ' b' }],
  [' a=b', {}],
  ['A=b', {}],
  ['#a=b', {}],
  ['a', { a: 'a' }],
  ['a=', { a: '' }],
  ['a=b\r', { a: 'b\r' }],
  ['a=1\na=2', { a: '1' }],
];

for (const [line, expected] of LINES) {
  test(`${JSON.stringify(line)} is read as ${JSON.stringify(expected)}`, () => {
    const { values } = readGuest(line);
    assert.deepEqual(Object.fromEntries([...values].map(([key, { value }]) => [key, value])), expected);
  });
}

const BASE = 'loader="uefi"\ncpu=2\nmemory=1G\n';

/** What is added to a guest that starts, and the findings with their lines from there. */
const FINDINGS: readonly (readonly [text: string, found: readonly string[]])[] = [
  ['graphic="yes"', ['vm-bhyve-unknown-key 0']],
  ['disk00_type="virtio-blk"', ['vm-bhyve-unknown-key 0']],
  ['my_own_note="yes"', ['vm-bhyve-unknown-key 0']],
  ['ignore_bad_msr="yes"', ['vm-bhyve-unknown-key 0']],
  ['ignore_msr="yes"', []],
  [' graphics="yes"', ['vm-bhyve-whitespace 0']],
  ['GRAPHICS="yes"', ['vm-bhyve-whitespace 0']],
  ['  # a note with x=y', []],
  ['graphics ="yes"', ['vm-bhyve-whitespace 0']],
  ['graphics= yes', ['vm-bhyve-whitespace 0']],
  ['graphics="yes"\t# on', ['vm-bhyve-whitespace 0']],
  ['graphics="yes"   # on', []],
  ['graphics="yes"\r', ['vm-bhyve-whitespace 0']],
  ['cpu=4', ['vm-bhyve-duplicate-key 0']],
  ['vnc_password="a#b"', ['vm-bhyve-comment 0']],
  ['vnc_password="ab" # "c', []],
  ["uuid='a'", ['vm-bhyve-quotes 0']],
  ['grub_run0="linux \'a b\'"', []],
  ['disk0_type="virtio"\ndisk0_name="a"', ['vm-bhyve-value 0']],
  ['cpu_cores=2', ['vm-bhyve-topology -2']],
  ['cpu_sockets=1\ncpu_cores=2', []],
  ['graphics="none"', ['vm-bhyve-yes-no 0']],
  ['graphics="Off"\nxhci_mouse=""', []],
  ['fwcfg="qemu"', ['vm-bhyve-fwcfg 0']],
  ['disk1_type="nvme"\ndisk1_name="a"', ['vm-bhyve-index-hole 0']],
  ['disk0_name="a"', ['vm-bhyve-index-hole 0']],
  ['network0_type="e1000"\nnetwork2_type="e1000"', ['vm-bhyve-index-hole 1']],
  ['network0_type="e1000"\nnetwork0_mac="58:9c:fc:00:00:01"\nnetwork1_type="e1000"', []],
  ['passthru0="2/0/0"\npassthru0_options="rom=/x"', []],
  ['# bootpath-disable-next-line vm-bhyve-unknown-key\ngraphic="yes"', []],
];

for (const [text, expected] of FINDINGS) {
  test(`${JSON.stringify(text)} gets ${expected.join(', ') || 'nothing'}`, () => {
    const found = runChecks(read(BASE + text)).map(({ code, at }) => `${code} ${at!.range.start.line - 3}`);
    assert.deepEqual(found, expected);
  });
}

test('a guest without what it needs, and one of another loader', () => {
  const codes = (text: string) => runChecks(read(text)).map(({ code, severity }) => `${code} ${severity}`);
  assert.deepEqual(codes('loader="uefi"\ncpu=\n'), ['vm-bhyve-missing error', 'vm-bhyve-missing error']);
  assert.deepEqual(codes('loader="kexec"\ncpu=1\nmemory=1G'), ['vm-bhyve-value error']);
  assert.deepEqual(codes('loader="uefi-new"\ncpu=1\nmemory=1G'), ['vm-bhyve-value warning']);
  assert.deepEqual(codes('loader="grub"\ncpu=1\nmemory=1G\ngraphics="yes"'), ['vm-bhyve-graphics warning']);
  assert.deepEqual(codes('loader="uefi"\ncpu=1\nmemory=1.5G'), ['vm-bhyve-value error']);
  assert.deepEqual(codes('loader="uefi"\ncpu=$CPUS\nmemory=${MEM}'), []);
});

test('guests are recognised by their keys, and others are not', () => {
  assert.equal(recogniseVmBhyve(GUEST), true);
  assert.equal(recogniseVmBhyve('disk0_type="nvme"\nnetwork0_type="e1000"'), true);
  for (const text of [
    'loader="grub"\n',
    'memory=1G\ncpu=2\n',
    'memory.size=1G\npci.0.3.0.device=nvme\n',
    'vm "a" {\n memory 512M\n}\n',
    '',
  ]) {
    assert.equal(recogniseVmBhyve(text), false, text);
  }
});

test('no text makes the reader throw, and places lie in the text', () => {
  const token = fc.constantFrom(
    'disk0_type',
    'loader',
    'cpu',
    '=',
    '"',
    "'",
    '#',
    ' ',
    '\t',
    '\r',
    '\n',
    'uefi',
    '1',
    '99999999999999999999',
    '\0',
    '\ud800',
    '%(x)',
    '$x',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
      const text = tokens.join('');
      const { lines } = new SourceText('file:///x', text);
      for (const { at, fixes = [] } of runChecks(read(text))) {
        for (const range of [at!.range, ...fixes.flatMap(({ edits }) => edits.map((each) => each.range))]) {
          assert.ok(lines.offsetAt(range.start) <= lines.offsetAt(range.end));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('ten thousand keys are checked in two seconds', () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `disk${i}_typ="x"\nnetwork${i}_type="e1000"`).join(
    '\n',
  );
  const before = process.cpuUsage();
  runChecks(read(text));
  assert.ok(process.cpuUsage(before).user < 2_000_000);
});
