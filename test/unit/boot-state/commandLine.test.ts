/** Command lines that hide a guest's words, under the VMMs that take one. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { firecrackerDocument } from '../vmm/firecrackerMachine';
import { runChecks } from '../../../server/src/checks/catalogue';
import { codes, findings } from './bootDocument';

const under = (
  vmm: string,
  commandLine: string,
  settings: Record<string, string | bigint> = {},
  version = '1.15',
) =>
  codes({ language: 'cloud-hypervisor', vmm, version, commandLine, settings }).filter((code) =>
    code.startsWith('command-line'),
  );

test('command-line-silent-panic: a panic that restarts, virtio consoles only, no boot console', () => {
  const chv = (line: string) => under('cloud-hypervisor', line, { 'console.mode': 'Tty' }, 'v39.0');
  assert.deepEqual(chv('console=hvc0 panic=-1'), ['command-line-silent-panic']);
  assert.deepEqual(chv('console=hvc0 panic=5 root=/dev/vda'), ['command-line-silent-panic']);
  for (const line of [
    'console=hvc0',
    'console=hvc0 panic=0',
    'console=hvc0 panic=-1 panic=0',
    'console=hvc0 earlyprintk=ttyS0 panic=-1',
    'console=hvc0 earlycon=uart8250,io,0x3f8 panic=1',
    'console=hvc0 -- panic=-1',
    'console=$TTY panic=-1',
    'panic=-1',
  ])
    assert.deepEqual(chv(line), [], line);
});

test('command-line-silent-panic says when the guest restarts, and is libkrun’s own known issue there', () => {
  const message = (line: string) =>
    findings({ vmm: 'cloud-hypervisor', version: 'v39.0', commandLine: line }).find(
      ({ code }) => code === 'command-line-silent-panic',
    )!.message;
  assert.match(message('console=hvc0 panic=-1'), /restarts at once/);
  assert.match(message('console=hvc0 panic=10'), /restarts after 10 s/);
  assert.deepEqual(under('libkrun', 'console=hvc0 panic=-1', {}, '1.19.0'), []);
});

test('command-line-console: Firecracker has ttyS0 and no virtio console; one console that is seen is enough', () => {
  const firecracker = (line: string, version = '1.15') => under('firecracker', line, {}, version);
  assert.deepEqual(firecracker('console=hvc0 panic=1'), ['command-line-console']);
  assert.deepEqual(firecracker('console=ttyS1'), ['command-line-console']);
  for (const line of [
    'console=ttyS0',
    'console=ttyS0,115200n8',
    'console=hvc0 console=ttyS0',
    'quiet',
    'console=tty0',
    'console=${C}',
  ])
    assert.deepEqual(firecracker(line), [], line);
  const words = (version: string) =>
    findings({ vmm: 'firecracker', version, commandLine: 'console=ttyS1' }).find(
      ({ code }) => code === 'command-line-console',
    )!.message;
  assert.match(words('1.15'), /throws away/);
  assert.match(words('1.16'), /one serial port/);
});

test('command-line-console: Cloud Hypervisor by the modes of its two consoles', () => {
  const chv = (line: string, settings: Record<string, string>) =>
    under('cloud-hypervisor', line, settings, 'v39.0');
  assert.deepEqual(chv('console=ttyS0', { 'serial.mode': 'Null' }), ['command-line-console']);
  assert.deepEqual(chv('console=ttyS0', { 'serial.mode': 'Tty' }), []);
  assert.deepEqual(chv('console=hvc0', {}), []);
  assert.deepEqual(chv('console=hvc0', { 'console.mode': 'Off' }), ['command-line-console']);
  assert.deepEqual(chv('console=ttyS0', { serial: 'socket=/tmp/serial', 'serial.mode': 'Null' }), []);
});

test('command-line-console: libkrun as far as serial consoles were asked for', () => {
  const krun = (line: string, settings: Record<string, string | bigint>) =>
    under('libkrun', line, settings, '1.19.0');
  assert.deepEqual(krun('console=ttyS0', {}), ['command-line-console']);
  assert.deepEqual(krun('console=ttyS0', { krun_add_serial_console_default: 1n }), []);
  assert.deepEqual(krun('console=hvc0', {}), []);
});

test('a Firecracker config: the finding stands on boot_args; the default line has none', () => {
  const of = (more: string) =>
    runChecks(
      firecrackerDocument(
        `{\n  "boot-source": {"kernel_image_path": "vmlinux"${more}},\n  "drives": [],\n  "machine-config": {"vcpu_count": 1, "mem_size_mib": 128}\n}\n`,
      ),
    ).filter(({ code }) => code.startsWith('command-line'));
  assert.deepEqual(
    of(',\n  "boot_args": "console=hvc0"').map(({ at }) => at!.range.start.line),
    [2],
  );
  assert.deepEqual(of(''), []);
});
