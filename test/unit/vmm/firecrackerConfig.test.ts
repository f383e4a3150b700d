/** What is read from `firecracker --config-file`. The first config has the shape of upstream's tests/framework/vm_config.json. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootpathService } from '../../../server/src/service';
import { firecracker } from '../../../server/src/vmm/firecracker/language';
import { firecrackerCommandLine } from '../../../server/src/vmm/firecracker/commandLine';
import { firecrackerVersion } from '../../../server/src/vmm/firecracker/versions';
import { firecrackerDocument } from './firecrackerMachine';

const CONFIG = `{
  "boot-source": {
    "kernel_image_path": "/images/vmlinux",
    "boot_args": "console=ttyS0 reboot=k panic=1",
    "initrd_path": "/images/initrd.cpio"
  },
  "drives": [
    {"drive_id": "data", "is_root_device": false, "path_on_host": "data.ext4"},
    {"drive_id": "rootfs", "is_root_device": true, "is_read_only": true, "path_on_host": "root.ext4", "partuuid": null}
  ],
  "machine-config": {"vcpu_count": 2, "mem_size_mib": 1024, "smt": false},
  "balloon": null,
  "network-interfaces": [{"iface_id": "eth0", "host_dev_name": "tap0"}],
  "vsock": {"guest_cid": 3, "uds_path": "./v.sock"}
}
`;

/** The text that a source range covers. */
function textAt(
  text: string,
  { start, end }: { start: { line: number; character: number }; end: { character: number } },
) {
  return text.split('\n')[start.line]!.slice(start.character, end.character);
}

test('memory, vCPUs, images and command line come with the place that says so', () => {
  const document = firecrackerDocument(CONFIG);
  assert.deepEqual(document.problems, []);
  const [machine] = document.machines;
  assert.ok(machine);
  assert.deepEqual(
    [machine.name, machine.memory?.value, machine.vcpus.value, machine.commandLine?.value],
    ['guest', 1024n << 20n, 2, 'console=ttyS0 reboot=k panic=1'],
  );
  const places = [machine.memory, machine.vcpus, machine.commandLine].map((fact) =>
    fact?.origin.kind === 'text' ? textAt(CONFIG, fact.origin.range) : null,
  );
  assert.deepEqual(places, ['1024', '2', '"console=ttyS0 reboot=k panic=1"']);
  assert.deepEqual(
    machine.images.map(({ role, path }) => `${role} ${path}`),
    ['kernel /images/vmlinux', 'initrd /images/initrd.cpio', 'disk root.ext4', 'disk data.ext4'],
  );
  assert.equal(machine.settings?.get('machine-config.smt')?.value, false);
  assert.equal(machine.settings?.get('vsock.guest_cid')?.value, 3n);
  assert.equal(textAt(CONFIG, machine.nameAt!.range), '"boot-source"');
});

test('links and outline name what the config names', () => {
  const document = firecrackerDocument(CONFIG);
  assert.deepEqual(
    document.links.map(({ path, range }) => `${path} ${textAt(CONFIG, range)}`),
    ['/images/vmlinux', '/images/initrd.cpio', 'data.ext4', 'root.ext4'].map((path) => `${path} ${path}`),
  );
  assert.deepEqual(
    document.outline.map(({ name, children }) => `${name}: ${children.map((child) => child.name).join(' ')}`),
    [
      'boot-source: kernel_image_path boot_args initrd_path',
      'drives: data rootfs',
      'machine-config: vcpu_count mem_size_mib smt',
      'balloon: ',
      'network-interfaces: eth0',
      'vsock: guest_cid uds_path',
    ],
  );
});

for (const [version, given, expected] of [
  // The root drive comes first whatever its place in the list; GSIs from 5, 4 KiB from the first device's address.
  [
    '1.16',
    'console=ttyS0',
    'console=ttyS0 pci=off root=/dev/vda ro virtio_mmio.device=4K@0xc0001000:5 virtio_mmio.device=4K@0xc0002000:6 ' +
      'virtio_mmio.device=4K@0xc0003000:7 virtio_mmio.device=4K@0xc0004000:8',
  ],
  [
    '1.12',
    'quiet -- single',
    'quiet root=/dev/vda ro virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6 ' +
      'virtio_mmio.device=4K@0xd0002000:7 virtio_mmio.device=4K@0xd0003000:8 -- single',
  ],
] as const) {
  test(`firecracker@${version} adds its devices to "${given}"`, () => {
    const [machine] = firecrackerDocument(CONFIG).machines;
    assert.equal(firecrackerCommandLine(given, machine!, firecrackerVersion(version).facts), expected);
  });
}

test('a number of devices that no command line has room for ends where the line is too long', () => {
  const { facts } = firecrackerVersion('1.16');
  const origin = { kind: 'vmm', vmm: 'cloud-hypervisor', version: '', citation: 'another config' } as const;
  const settings = new Map([['virtio-devices', { value: (1n << 64n) - 1n, origin }]]);
  const { length } = firecrackerCommandLine('', { settings }, facts);
  assert.ok(length > facts.commandLineMax && length < facts.commandLineMax + 100, `${length}`);
});

for (const [version, expected] of [
  [
    '1.0',
    'reboot=k panic=1 pci=off nomodules 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd',
  ],
  [
    '1.5',
    'reboot=k panic=1 pci=off nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd',
  ],
  ['1.12', 'reboot=k panic=1 pci=off nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.dumbkbd'],
  [
    '1.13',
    'reboot=k panic=1 nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.dumbkbd swiotlb=noforce pci=off',
  ],
] as const) {
  test(`without boot_args firecracker@${version} has a command line of its own, which switches the serial console off`, () => {
    assert.equal(firecrackerCommandLine(null, {}, firecrackerVersion(version).facts), expected);
  });
}

for (const [what, text, memory, vcpus] of [
  ['no machine-config: 128 MiB and one vCPU', '{"boot-source": {}}', 128n << 20n, 1],
  ['a machine-config of null', '{"boot-source": {}, "machine-config": null}', 128n << 20n, 1],
  ['no mem_size_mib, which Firecracker refuses', '{"machine-config": {"vcpu_count": 4}}', null, 4],
  ['a size as a string', '{"machine-config": {"vcpu_count": 1, "mem_size_mib": "512"}}', null, 1],
  ['a size of 2^64', '{"machine-config": {"mem_size_mib": 18446744073709551616}}', null, 1],
  [
    'a template that was not filled in',
    '{"machine-config": {"vcpu_count": $CPUS, "mem_size_mib": 512}}',
    512n << 20n,
    1,
  ],
] as const) {
  test(`a config with ${what}`, () => {
    const [machine] = firecrackerDocument(text).machines;
    assert.deepEqual([machine?.memory?.value ?? null, machine?.vcpus.value], [memory, vcpus]);
    if (memory === null) assert.deepEqual(machine?.regions, []);
  });
}

test('what is no JSON is said once, at its place', () => {
  const [problem] = firecrackerDocument('{"boot-source": {"boot_args": "a",}}').problems;
  assert.deepEqual([problem?.code, problem?.at?.range.start.character], ['json-syntax', 33]);
});

test('a member that Firecracker ignores can pin the version', () => {
  const text = '{\n  "_": "// bootpath: firecracker@1.4",\n  "boot-source": {}\n}';
  const document = firecrackerDocument(text);
  assert.deepEqual(
    [document.choice?.version, document.choiceReason, document.problems],
    ['1.4', 'pragma', []],
  );
});

test('an unknown version of a pragma is said, with those that are known', () => {
  const [problem] = firecrackerDocument(
    '{ "_": "// bootpath: firecracker@0.25",\n "boot-source": {} }',
  ).problems;
  assert.equal(problem?.code, 'config-pragma');
  assert.match(problem.message, /1\.16, main-2026-08/);
});

for (const [what, text, ours] of [
  ['its config', CONFIG, true],
  ['a config that is half typed', '{\n  "boot-source": {\n    "kernel', true],
  ['machine-config alone', '{"machine-config": {"vcpu_count": 1}}', true],
  ['a pragma', '{ "_": "// bootpath: firecracker@1.4" }', true],
  ['a Cloud Hypervisor VM', '{"cpus": {"boot_vcpus": 1}, "payload": {"kernel": "x"}}', false],
  ['package.json', '{"name": "x", "version": "1.0.0"}', false],
  ['a log that quotes a config', 'loading {"boot-source": {}}', false],
  ['a binary', `{"boot-source": ${'\0'.repeat(9)}}`, false],
] as const) {
  test(`${what} is ${ours ? '' : 'not '}recognised`, () => {
    assert.equal(firecracker.recognise(text, 'x.json'), ours);
    assert.equal(bootpathService.claim('json', text, 'x.json')?.kind === 'firecracker', ours);
  });
}

test('no text makes the reader throw', () => {
  const word = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"boot-source"',
    '"drives"',
    '"machine-config"',
    '"mem_size_mib"',
  );
  const value = fc.constantFrom(
    'null',
    '18446744073709551616',
    '-1',
    '1e9',
    'true',
    '"x',
    '$X',
    '\0',
    '"is_root_device"',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, value), { maxLength: 40 }), (words) => {
      const document = firecrackerDocument(words.join(' '));
      assert.ok(document.outline && document.links);
    }),
    { numRuns: 500 },
  );
});
