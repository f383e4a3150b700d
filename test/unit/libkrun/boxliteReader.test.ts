/** BoxLite's options: recognised, and read as the guest that BoxLite makes of them. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { boxlite } from '../../../server/src/vmm/libkrun/boxlite/language';

const read = (options: unknown) => readText(JSON.stringify(options, null, 2));
const readText = (text: string) =>
  boxlite.parse(new SourceText('file:///box.json', text), { files: new Map() });

test('options give a machine with the image’s name', () => {
  const document = read({
    cpus: 2,
    memory_mib: 512,
    rootfs: { Image: 'alpine:latest' },
    volumes: [{ host_path: '/srv/data', guest_path: '/data', read_only: true }],
  });
  const [machine] = document.machines;
  assert.ok(machine);
  assert.equal(machine.name, 'alpine:latest');
  assert.equal(machine.vmm, 'libkrun');
  assert.equal(machine.memory?.value, 512n << 20n);
  assert.equal(machine.vcpus.value, 2);
  assert.equal(machine.commandLine, undefined);
  assert.deepEqual(machine.images, []);
  assert.equal(machine.settings?.get('volumes.0.guest_path')?.value, '/data');
  assert.deepEqual(
    document.links.map(({ path }) => path),
    ['/srv/data'],
  );
  assert.ok(
    machine.regions.some(({ name }) => name === 'virtio-fs window'),
    'the root is a virtio-fs device',
  );
});

test('what is left out is BoxLite’s own: 4 vCPUs and 4096 MiB', () => {
  const [machine] = read({ rootfs: { RootfsPath: '/srv/root' }, cpus: null }).machines;
  assert.equal(machine?.name, '/srv/root');
  assert.equal(machine?.memory?.value, 4096n << 20n);
  assert.equal(machine?.vcpus.value, 4);
  assert.equal(machine?.memory?.origin.kind, 'vmm');
});

test('a kernel of one’s own is an external kernel with its command line', () => {
  const [machine] = read({
    memory_mib: 1024,
    rootfs: { Image: 'debian' },
    advanced: {
      kernel: { path: '/boot/vmlinux', format: 'elf', initramfs: '/boot/initrd', command_line: 'panic=1' },
    },
  }).machines;
  assert.equal(machine?.commandLine?.value, 'panic=1');
  assert.deepEqual(
    machine?.images.map(({ role, path }) => [role, path]),
    [
      ['kernel', '/boot/vmlinux'],
      ['initrd', '/boot/initrd'],
    ],
  );
  assert.ok(!machine?.regions.some(({ name }) => name.startsWith('kernel')), 'no hole for a mapped kernel');
});

test('a saved box has its options inside', () => {
  const [machine] = read({ id: 'b1', options: { memory_mib: 256, rootfs: { Image: 'x' } } }).machines;
  assert.equal(machine?.memory?.value, 256n << 20n);
});

for (const [title, memory] of [
  ['a fraction', 0.5],
  ['below zero', -1],
  ['beyond 32 bits', 4294967296],
  ['text', '512'],
] as const) {
  test(`memory_mib as ${title} is no size`, () => {
    const [machine] = read({ memory_mib: memory, rootfs: { Image: 'x' } }).machines;
    assert.equal(machine?.memory, null);
    assert.deepEqual(machine?.regions, []);
  });
}

for (const [title, text, kind] of [
  ['rootfs as BoxLite writes it', '{"rootfs":{"Image":"alpine"}}', 'boxlite'],
  ['memory and cpus', '{"cpus": 1, "memory_mib": 512}', 'boxlite'],
  ['memory alone', '{"memory_mib": 512}', null],
  ['another JSON', '{"name":"package","version":"1.0.0"}', null],
] as const) {
  test(`${title}: ${kind ?? 'not ours'}`, () => {
    assert.equal(bootpathService.claim('json', text, 'file:///x.json')?.kind ?? null, kind);
  });
}

test('half-typed options give what is understood and a problem with its place', () => {
  const whole = '{\n  "cpus": 2,\n  "memory_mib": 512,\n  "rootfs": {"Image": "alpine"}\n}';
  for (let end = 0; end <= whole.length; end++) readText(whole.slice(0, end));
  const document = readText('{"memory_mib": 512, "rootfs": {"Image": "alpine"},}');
  assert.equal(document.machines[0]?.memory?.value, 512n << 20n);
  assert.deepEqual(
    document.problems.map(({ code }) => code),
    ['json-syntax'],
  );
});
