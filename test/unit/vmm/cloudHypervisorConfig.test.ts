/** What is read of a VM's JSON: memory, vCPUs, images, every option with its place; and how it is recognised. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseCloudHypervisor } from '../../../server/src/vmm/cloud-hypervisor/document';
import { recogniseCloudHypervisor } from '../../../server/src/vmm/cloud-hypervisor/recognise';
import { placed } from './cloudHypervisorGuest';

const parse = (text: string, version?: string) =>
  parseCloudHypervisor(new SourceText('file:///vms/web.json', text), {
    files: new Map(),
    ...(version ? { choice: { vmm: 'cloud-hypervisor', version } } : {}),
  });

const CONFIG = `{
  "cpus": { "boot_vcpus": 4, "max_vcpus": 8 },
  "memory": { "size": 1073741824, "hotplug_method": "VirtioMem", "hotplug_size": 268435456 },
  "payload": {
    "kernel": "/boot/vmlinux",
    "cmdline": "console=hvc0 root=/dev/vda1",
    "initramfs": "/boot/initrd"
  },
  "disks": [{ "path": "/images/root.raw", "readonly": true }, { "path": null }],
  "serial": { "mode": "Tty" },
  "tpm": { "socket": "/run/tpm" }
}
`;

test('a machine has its name from the file, its facts from their lines', () => {
  const [machine] = parse(CONFIG).machines;
  assert.equal(machine!.name, 'web');
  assert.equal(machine!.memory!.value, 1n << 30n);
  assert.deepEqual(machine!.memory!.origin, {
    kind: 'text',
    uri: 'file:///vms/web.json',
    range: { start: { line: 2, character: 22 }, end: { line: 2, character: 32 } },
  });
  assert.equal(machine!.vcpus.value, 4);
  assert.equal(machine!.commandLine!.value, 'console=hvc0 root=/dev/vda1');
  assert.deepEqual(
    machine!.images.map(({ role, path }) => [role, path]),
    [
      ['kernel', '/boot/vmlinux'],
      ['initrd', '/boot/initrd'],
      ['disk', '/images/root.raw'],
    ],
  );
  assert.equal(machine!.settings!.get('memory.hotplug_size')!.value, 268435456n);
  assert.equal(machine!.settings!.get('disks.0.readonly')!.value, true);
  assert.equal(machine!.settings!.has('disks.1.path'), false, 'null is as good as absent');
  assert.ok(machine!.regions.some(({ name }) => name === 'TPM'));
});

test('what a config leaves out is the VMM’s: 512 MiB, one vCPU, a serial port that nobody reads', () => {
  const [machine] = parse('{ "payload": { "firmware": "/fw" } }').machines;
  assert.equal(machine!.memory!.value, 512n << 20n);
  assert.equal(machine!.memory!.origin.kind, 'vmm');
  assert.equal(machine!.vcpus.value, 1);
  assert.equal(machine!.settings!.get('serial.mode')!.value, 'Null');
  assert.equal(machine!.settings!.get('serial.mode')!.origin.kind, 'vmm');
});

test('a size of 0 leaves the memory to its zones', () => {
  const [machine] = parse(
    '{ "memory": { "size": 0, "zones": [{ "id": "a", "size": 1073741824 }, { "id": "b", "size": 3221225472 }] } }',
  ).machines;
  assert.equal(machine!.memory!.value, 4n << 30n);
});

for (const size of ['"512M"', '1.5', '-1', '18446744073709551616', 'true']) {
  test(`a size of ${size} is none`, () => {
    const [machine] = parse(`{ "memory": { "size": ${size} }, "cpus": {} }`).machines;
    assert.equal(machine!.memory, null);
  });
}

test('the kernels of before v26.0, and the wrapper of vm.info', () => {
  const [old] = parse(
    '{ "cpus": {"boot_vcpus": 2}, "kernel": {"path": "/k"}, "initramfs": {"path": "/i"}, "cmdline": {"args": "quiet"} }',
  ).machines;
  assert.deepEqual(
    old!.images.map(({ role, path }) => [role, path]),
    [
      ['kernel', '/k'],
      ['initrd', '/i'],
    ],
  );
  assert.equal(old!.commandLine!.value, 'quiet');
  const [inner] = parse(
    '{ "config": { "cpus": {"boot_vcpus": 3}, "payload": {} }, "state": "Running" }',
  ).machines;
  assert.equal(inner!.vcpus.value, 3);
});

test('a text that is half typed has problems with their places, and what is there is read', () => {
  const document = parse('{ "memory": { "size": 1073741824, }, // more\n  "cpus": { "boot_vcpus": 2');
  assert.equal(document.machines[0]!.memory!.value, 1n << 30n);
  assert.equal(document.machines[0]!.vcpus.value, 2);
  assert.ok(document.problems.length >= 3);
  for (const { code, at } of document.problems) {
    assert.equal(code, 'json-syntax');
    assert.ok(at);
  }
});

for (const text of [
  '',
  '[]',
  'null',
  '"x"',
  '{',
  '{"cpus":',
  '\0',
  '{"memory":[{"size":1}]}',
  `${'['.repeat(5000)}`,
]) {
  test(`nothing is thrown for ${JSON.stringify(text.slice(0, 24))}`, () => {
    const document = parse(text);
    void document.outline;
    void document.links;
    assert.ok(document.machines.length <= 1);
  });
}

test('links are the paths without their quotes; the outline goes by keys', () => {
  const document = parse(CONFIG);
  assert.deepEqual(
    document.links.map(({ path, range }) => [
      path,
      range.start.line,
      range.end.character - range.start.character,
    ]),
    [
      ['/boot/vmlinux', 4, 13],
      ['/boot/initrd', 6, 12],
      ['/images/root.raw', 8, 16],
    ],
  );
  assert.deepEqual(
    document.outline.map(({ name }) => name),
    ['cpus', 'memory', 'payload', 'disks', 'serial', 'tpm'],
  );
  assert.equal(document.outline[3]!.detail, '2 items');
});

for (const [text, mine] of [
  [CONFIG, true],
  ['{"payload": {"firmware": "/fw"}}', true],
  ['// bootpath: cloud-hypervisor@v16.0\n{"cpus": {"boot_vcpus": 1}}', true],
  ['{"boot-source": {"kernel_image_path": "/k"}, "machine-config": {"vcpu_count": 1}}', false],
  ['{"cpus": 2, "memory": {"size": 1}}', false],
  ['"boot_vcpus": 1', false],
  ['{"payload": "x", "kernel": 1}', false],
] as const) {
  test(`${JSON.stringify(text.slice(0, 50))} is ${mine ? '' : 'not '}a config of Cloud Hypervisor`, () => {
    assert.equal(recogniseCloudHypervisor(text), mine);
    assert.equal(bootpathService.claim('json', text, '')?.kind === 'cloud-hypervisor', mine);
  });
}

test('the version that is asked for lays the machine out', () => {
  const tss = (version: string) =>
    parse(CONFIG, version).machines[0]!.regions.find(({ name }) => name === 'KVM TSS')!.range.start;
  assert.equal(tss('v16.0'), 0xfffbd000n);
  assert.equal(tss('v53.0'), 0xf8000000n);
});

const HUGE = ['0', '-1', '255', '4294967295', '18446744073709551615', '1e999', '"x"', '[]', 'null'];
for (const key of [
  ['cpus', 'boot_vcpus'],
  ['cpus', 'max_vcpus'],
  ['cpus', 'max_phys_bits'],
  ['memory', 'size'],
  ['memory', 'hotplug_size'],
  ['platform', 'num_pci_segments'],
  ['debug_console', 'iobase'],
] as const) {
  test(`${key.join('.')} may say anything: the machine is laid out, or refused, and powered on without a throw`, () => {
    for (const value of HUGE) {
      const others = key[0] === 'cpus' ? '' : '"cpus": {"boot_vcpus": 1},';
      const mode = key[0] === 'debug_console' ? '"mode": "Tty", ' : '';
      const [machine] = parse(`{ ${others} "${key[0]}": { ${mode}"${key[1]}": ${value} } }`).machines;
      assert.ok(machine);
      assert.ok(
        placed({ ...machine, vcpus: { ...machine.vcpus, value: Math.min(machine.vcpus.value, 32) } }),
      );
    }
  });
}
