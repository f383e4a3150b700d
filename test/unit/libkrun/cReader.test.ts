/** C sources that call libkrun: recognised, and read call by call. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { libkrunC } from '../../../server/src/vmm/libkrun/c/language';
import { krunCalls } from '../../../server/src/vmm/libkrun/c/scan';
import { recogniseLibkrunC } from '../../../server/src/vmm/libkrun/c/recognise';

const read = (text: string, uri = 'file:///src/chroot_vm.c') =>
  libkrunC.parse(new SourceText(uri, text), { files: new Map() });

const WHOLE = `#include <libkrun.h>
#define RAM_MIB (2048)
int main(void)
{
    int err, ctx_id = krun_create_ctx();
    // krun_set_vm_config(ctx_id, 9, 9);
    if (err = krun_set_vm_config(ctx_id, 4, RAM_MIB)) {
        return -1;
    }
    krun_set_root(ctx_id, "/srv/root");
    krun_add_virtiofs2(ctx_id, "share", "/srv/share", 1 << 20);
    krun_add_virtiofs3(ctx_id, "other", "/srv/other", 0x200000, false);
    krun_set_kernel(ctx_id, "/boot/vmlinux", KRUN_KERNEL_FORMAT_ELF, NULL,
                    "reboot=k panic=-1 " /* at once */
                    "console=hvc0");
    krun_add_serial_console_default(ctx_id, 0, 1);
    return krun_start_enter(ctx_id);
}
`;

test('a source gives its machine: memory, vCPUs, images, command line and settings, each with its place', () => {
  const document = read(WHOLE);
  assert.deepEqual(document.problems, []);
  const [machine] = document.machines;
  assert.ok(machine);
  assert.equal(machine.name, 'chroot_vm');
  assert.equal(machine.memory?.value, 2048n << 20n);
  assert.equal(machine.vcpus.value, 4);
  assert.equal(machine.commandLine?.value, 'reboot=k panic=-1 console=hvc0');
  assert.deepEqual(
    machine.images.map(({ role, path }) => ({ role, path })),
    [{ role: 'kernel', path: '/boot/vmlinux' }],
  );
  const setting = (key: string) => machine.settings?.get(key)?.value;
  assert.equal(setting('krun_set_kernel.kernel_format'), 'elf');
  assert.equal(setting('krun_add_serial_console_default'), 1n);
  assert.equal(setting('krun_set_root'), true);
  assert.equal(setting('krun_add_virtiofs.shm_size'), 0x200000n, 'an expression is no literal');
  const { origin } = machine.memory ?? assert.fail();
  assert.ok(origin.kind === 'text');
  assert.deepEqual(origin.range.start, { line: 6, character: 44 });
  assert.deepEqual(
    document.links.map(({ path }) => path),
    ['/srv/root', '/srv/share', '/srv/other', '/boot/vmlinux'],
  );
});

test('two contexts are two machines; each has its own calls', () => {
  const document = read(`#include "libkrun.h"
    void both(void) {
      int a = krun_create_ctx();
      krun_set_vm_config(a, 1, 128);
      krun_set_kernel_console(a, "ttyS0");
      int b = krun_create_ctx();
      krun_set_vm_config(b, 2, 256);
    }`);
  assert.deepEqual(
    document.machines.map(({ name, memory, vcpus, settings }) => [
      name,
      Number(memory!.value >> 20n),
      vcpus.value,
      settings!.has('krun_set_kernel_console'),
    ]),
    [
      ['chroot_vm', 128, 1, true],
      ['chroot_vm 2', 256, 2, false],
    ],
  );
});

for (const [title, argument, value] of [
  ['hexadecimal', '0x400', 1024n],
  ['octal', '02000', 1024n],
  ['suffixes', '1024UL', 1024n],
  ['digit separators of C++', "1'024", 1024n],
  ['a cast', '(uint32_t)1024', null],
  ['a cast of two words', '(unsigned long)1024', null],
  ['a variable', 'opts.ram', null],
  ['a product', '2 * 512', null],
] as const) {
  test(`ram_mib as ${title}: ${argument}`, () => {
    const [machine] = read(`#include <libkrun.h>\nkrun_set_vm_config(ctx, 1, ${argument});`).machines;
    assert.equal(machine?.memory?.value ?? null, value === null ? null : value << 20n);
  });
}

test('C cuts a number of vCPUs to eight bits', () => {
  const [machine] = read('#include <libkrun.h>\nkrun_set_vm_config(ctx, 257, 512);').machines;
  assert.equal(machine?.vcpus.value, 1);
});

test('a command line that the program works out is not libkrun’s own either', () => {
  const [machine] = read(`#include <libkrun.h>
    krun_set_vm_config(ctx, 1, 512);
    krun_set_kernel(ctx, path, 1, NULL, cmdline.text);`).machines;
  assert.equal(machine?.commandLine, undefined);
  assert.equal(machine?.settings?.get('krun_set_kernel.cmdline (computed)')?.value, true);
  assert.deepEqual(
    machine?.images.map(({ path }) => path),
    ['path'],
  );
});

test('of two sizes for one context the last one counts', () => {
  const text = '#include <libkrun.h>\nkrun_set_vm_config(c, 1, 128); krun_set_vm_config(c, 2, 256);';
  const { machines } = read(text);
  assert.deepEqual(
    machines.map(({ memory }) => memory?.value),
    [256n << 20n],
  );
});

test('a wrong number of arguments is an error at the name; a call that is still typed is none', () => {
  const wrong = read('#include <libkrun.h>\nkrun_set_vm_config(ctx, 512);');
  assert.deepEqual(
    wrong.problems.map(({ code, severity, message }) => [code, severity, message]),
    [
      [
        'libkrun-call',
        'error',
        'krun_set_vm_config takes 3 arguments (ctx_id, num_vcpus, ram_mib), and here are 2.',
      ],
    ],
  );
  assert.deepEqual(read('#include <libkrun.h>\nkrun_set_vm_config(ctx, 512').problems, []);
});

for (const [title, text, path, ours] of [
  ['a C source', WHOLE, 'file:///x.c', true],
  ['a C source without its ending', WHOLE, '-', true],
  [
    'the header, which only declares',
    '#include <a.h>\nint32_t krun_set_vm_config(uint32_t ctx_id, uint8_t num_vcpus, uint32_t ram_mib);',
    'libkrun.h',
    false,
  ],
  ['Rust', 'unsafe { krun_set_vm_config(ctx, 1, 512) };', 'src/main.rs', false],
  ['a call in a comment', '#include <a.h>\n/* krun_set_vm_config(ctx, 1, 512); */', 'x.c', false],
  ['a C source without the call', '#include <stdio.h>\nint main(void) { return 0; }', 'x.c', false],
] as const) {
  test(`${title} is ${ours ? '' : 'not '}recognised`, () => {
    assert.equal(recogniseLibkrunC(text, path), ours);
    if (ours) assert.equal(bootpathService.claim('', text, path)?.kind, 'libkrun-c');
    else assert.notEqual(bootpathService.claim('c', text, path)?.kind, 'libkrun-c');
  });
}

test('anything that is cut, mangled or huge gives machines or none, and never throws', () => {
  for (let end = 0; end <= WHOLE.length; end += 7) read(WHOLE.slice(0, end));
  for (const text of [
    '#include <a.h>\nkrun_set_vm_config(' + '('.repeat(100_000),
    '#include <a.h>\nkrun_set_vm_config(' + ','.repeat(100_000) + ')',
    '#include <a.h>\n' + 'krun_set_vm_config(a, 1, 18446744073709551616);'.repeat(5000),
    '#include <a.h>\nkrun_set_vm_config(ctx, "\\',
    '#include <a.h>\n"' + 'x'.repeat(1_000_000),
    '#include <a.h>\nkrun_set_vm_config(ctx, 1, \0 512);',
    '#include <a.h>\n' + 'krun_set_vm_config((((\n'.repeat(10_000),
    '#include <a.h>\n"' + 'x'.repeat(12_000_000),
    '#include <a.h>\n"' + '\\x'.repeat(1_000_000),
    '#include <a.h>\n' + "1'".repeat(1_000_000),
  ]) {
    const started = process.cpuUsage();
    read(text);
    const { user } = process.cpuUsage(started);
    assert.ok(user < 2_000_000, `${user} µs: ${text.slice(0, 50)}`);
  }
  assert.ok(krunCalls('krun_a();'.repeat(10_000)).length <= 2000);
});
