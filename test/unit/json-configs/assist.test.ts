/** Hover and completion in JSON configs. `|` is where the cursor stands. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { documentOf, LANGUAGES, type Vmm } from './read';

function at(vmm: Vmm, marked: string, version?: string) {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const document = documentOf(vmm, text, version);
  return { text, document, position: document.source.lines.positionAt(offset) };
}

function offered(vmm: Vmm, marked: string, version?: string) {
  const { document, position } = at(vmm, marked, version);
  return LANGUAGES[vmm].complete!(document, position);
}

/** The text after a suggestion is taken, its placeholder filled with its default. */
function taken(vmm: Vmm, marked: string, label: string): string {
  const { text, document, position } = at(vmm, marked);
  const found = LANGUAGES[vmm].complete!(document, position).find((each) => each.label === label);
  assert.ok(found, `${label} is not offered`);
  const { lines } = document.source;
  const insert = found.insert.replace(/\$\{1:((?:[^}\\]|\\.)*)\}/, '$1').replace(/\\(.)/g, '$1');
  return (
    text.slice(0, lines.offsetAt(found.range.start)) + insert + text.slice(lines.offsetAt(found.range.end))
  );
}

test('a key says what it does, its type, whether it must be there, and since when it is', () => {
  const { document, position } = at(
    'firecracker',
    '{"boot-source": {"kernel_image_path": "a"}, "drives": [{"driv|e_id": "a", "socket": "b"}]}',
  );
  const hover = LANGUAGES.firecracker.describe!(document, position)!;
  assert.match(hover.markdown, /^\*\*drive_id\*\* · a string · required\n\n/);
  assert.equal(
    document.source.text.split('\n')[0]!.slice(hover.range.start.character, hover.range.end.character),
    '"drive_id"',
  );
  const socket = at('firecracker', '{"boot-source": {}, "drives": [{"drive_id": "a", "so|cket": "b"}]}');
  assert.match(LANGUAGES.firecracker.describe!(socket.document, socket.position)!.markdown, /1\.6 and later/);
});

test('a word of a list says what it means', () => {
  const { document, position } = at(
    'cloud-hypervisor',
    '{"cpus": {"boot_vcpus": 1}, "serial": {"mode": "P|ty"}}',
  );
  assert.match(
    LANGUAGES['cloud-hypervisor'].describe!(document, position)!.markdown,
    /^\*\*mode\*\* `Pty`\n\n.*pseudo terminal/,
  );
});

for (const [what, vmm, marked, labels] of [
  [
    'an object, those that must be there first',
    'firecracker',
    '{"boot-source": {|}}',
    ['kernel_image_path', 'initrd_path', 'boot_args'],
  ],
  [
    'a key without those that are there',
    'firecracker',
    '{"boot-source": {"initrd_path": "x", "|"}}',
    ['kernel_image_path', 'boot_args'],
  ],
  [
    'an item of a list',
    'firecracker',
    '{"boot-source": {}, "mmds-config": {"network_interfaces": [], |}}',
    ['version', 'ipv4_address', 'imds_compat'],
  ],
  ['a value', 'firecracker', '{"boot-source": {}, "drives": [{"cache_type": "|"}]}', ['Unsafe', 'Writeback']],
  ['a truth value', 'firecracker', '{"boot-source": {}, "drives": [{"is_read_only": |}]}', ['true', 'false']],
  [
    'a wrapped config',
    'cloud-hypervisor',
    '{"vm_config": {"cpus": {"boot_vcpus": 1}, "vsock": {"|"}}}',
    ['cid', 'socket', 'id', 'iommu', 'pci_segment', 'pci_device_id'],
  ],
  ['beside a wrapped config', 'cloud-hypervisor', '{"vm_config": {"cpus": {"boot_vcpus": 1}}, "|"}', []],
  ['a text of a free value', 'firecracker', '{"boot-source": {"kernel_image_path": "|"}}', []],
] as const) {
  test(`offered in ${what}`, () => {
    assert.deepEqual(
      offered(vmm, marked).map(({ label }) => label),
      labels,
    );
  });
}

test('what the release does not have is not offered', () => {
  const labels = (version: string) =>
    offered('firecracker', '{"boot-source": {}, |}', version).map(({ label }) => label);
  assert.ok(labels('1.14').includes('pmem') && !labels('1.13').includes('pmem'));
});

for (const [marked, label, text] of [
  ['{"boot-source": {|}}', 'boot_args', '{"boot-source": {"boot_args": "console=ttyS0 reboot=k panic=1"}}'],
  [
    '{"boot-source": {"bo|"}}',
    'boot_args',
    '{"boot-source": {"boot_args": "console=ttyS0 reboot=k panic=1"}}',
  ],
  ['{"boot-source": {"bo|": "x"}}', 'boot_args', '{"boot-source": {"boot_args": "x"}}'],
  [
    '{"boot-source": {"|" "boot_args": "x"}}',
    'kernel_image_path',
    '{"boot-source": {"kernel_image_path": "vmlinux", "boot_args": "x"}}',
  ],
  [
    '{"boot-source": {}, "drives": [{"io_engine": |}]}',
    'Async',
    '{"boot-source": {}, "drives": [{"io_engine": "Async"}]}',
  ],
  [
    '{"boot-source": {}, "drives": [{"io_engine": "S|ync"}]}',
    'Async',
    '{"boot-source": {}, "drives": [{"io_engine": "Async"}]}',
  ],
] as const) {
  test(`${label} taken in ${marked}`, () => {
    assert.equal(taken('firecracker', marked, label), text);
  });
}
