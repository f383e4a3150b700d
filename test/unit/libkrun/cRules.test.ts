/** The rules on calls of libkrun: what is certain in C is told, and nothing else. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { callOrder } from '../../../server/src/vmm/libkrun/c/flow';
import { parseDocument } from '../../../server/src/vmm/libkrun/c/document';
import { krunCalls } from '../../../server/src/vmm/libkrun/c/scan';

const program = (...calls: string[]) =>
  `#include <libkrun.h>\nint main(void)\n{\n  int err, ctx = krun_create_ctx();\n${calls.map((call) => `  ${call}\n`).join('')}  return 0;\n}\n`;
const CONFIG = 'krun_set_vm_config(ctx, 1, 512);';
const codesOf = (text: string, version?: string) =>
  runChecks(
    parseDocument(new SourceText('file:///vm.c', text), {
      files: new Map(),
      ...(version ? { choice: { vmm: 'libkrun', version } } : {}),
    }),
  )
    .map(({ code }) => code)
    .filter((code) => code !== 'libkrun-deprecated' && code !== 'libkrun-i8042-reset');

const REPORTED: readonly (readonly [code: string, what: string, ...calls: string[]])[] = [
  ['libkrun-argument', 'no vCPU', 'krun_set_vm_config(ctx, 0, 512);'],
  ['libkrun-argument', '256 vCPUs, which are none', 'krun_set_vm_config(ctx, 256, 512);'],
  ['libkrun-argument', '257 vCPUs, which are one', 'krun_set_vm_config(ctx, 257, 512);'],
  ['libkrun-argument', 'no memory', 'krun_set_vm_config(ctx, 1, 0);'],
  ['libkrun-argument', 'a kernel format', CONFIG, 'krun_set_kernel(ctx, "/k", 6, NULL, NULL);'],
  ['libkrun-argument', 'a disk format', CONFIG, 'krun_add_disk2(ctx, "d", "/d", 3, false);'],
  ['libkrun-argument', 'a null pointer', CONFIG, 'krun_set_root(ctx, NULL);'],
  ['libkrun-overridden', 'the config twice', CONFIG, 'krun_set_vm_config(ctx, 2, 1024);'],
  [
    'libkrun-overridden',
    'in conditions',
    'if ((err = krun_set_vm_config(ctx, 1, 512))) return 1;',
    'if (krun_set_vm_config(ctx, 2, 512) < 0) { return 1; }',
  ],
  [
    'libkrun-overridden',
    'the environment, by exec',
    CONFIG,
    'krun_set_env(ctx, env);',
    'krun_set_exec(ctx, "/x", argv, NULL);',
  ],
  [
    'libkrun-refused-call',
    'two console files',
    CONFIG,
    'krun_set_console_output(ctx, "a");',
    'krun_set_console_output(ctx, "b");',
  ],
  [
    'libkrun-refused-call',
    'ports without TSI',
    CONFIG,
    'krun_add_net_unixstream(ctx, path, -1, mac, 0, 0);',
    'krun_set_port_map(ctx, map);',
  ],
  [
    'libkrun-refused-call',
    'a vsock port without vsock',
    CONFIG,
    'krun_disable_implicit_vsock(ctx);',
    'krun_add_vsock_port(ctx, 80, "/s");',
  ],
  [
    'libkrun-refused-call',
    'a vsock device beside the implicit one',
    'if (ctx < 0) return 1;',
    CONFIG,
    'krun_add_vsock(ctx, 0);',
  ],
  [
    'libkrun-refused-call',
    'a root twice',
    CONFIG,
    'krun_set_root(ctx, "/r");',
    'krun_set_root_disk_remount(ctx, "/dev/vda", NULL, NULL);',
  ],
  [
    'libkrun-ignored-call',
    'a root disk beside a disk',
    CONFIG,
    'krun_set_root_disk(ctx, "/r");',
    'krun_add_disk(ctx, "d", "/d", false);',
  ],
  [
    'libkrun-ignored-call',
    'ports beside passt',
    CONFIG,
    'krun_set_passt_fd(ctx, fd);',
    'krun_set_port_map(ctx, map);',
  ],
  [
    'libkrun-raw-kernel',
    'a command line',
    CONFIG,
    'krun_set_kernel(ctx, "/k", KRUN_KERNEL_FORMAT_RAW, NULL, "quiet");',
  ],
  ['libkrun-after-start', 'a root', CONFIG, 'krun_start_enter(ctx);', 'krun_set_root(ctx, "/r");'],
  ['libkrun-removed', 'mapped volumes', CONFIG, 'krun_set_mapped_volumes(ctx, volumes);'],
];
for (const [code, what, ...calls] of REPORTED) {
  test(`${code}: ${what}`, () => assert.deepEqual(codesOf(program(...calls)), [code]));
}

for (const [what, ...calls] of [
  [
    'a working program',
    CONFIG,
    'krun_set_root(ctx, root);',
    'krun_set_exec(ctx, "/x", argv, env);',
    'krun_start_enter(ctx);',
  ],
  [
    'branches with braces',
    'if (small) { krun_set_vm_config(ctx, 1, 128); }',
    'else { krun_set_vm_config(ctx, 8, 8192); }',
  ],
  [
    'branches without braces',
    'if (small) krun_set_vm_config(ctx, 1, 128);',
    'else krun_set_vm_config(ctx, 8, 8192);',
  ],
  [
    'a call behind &&',
    'if (small && krun_set_vm_config(ctx, 1, 128)) return 1;',
    'krun_set_vm_config(ctx, 8, 8192);',
  ],
  [
    'cases of a switch',
    'switch (n) { case 1: krun_set_vm_config(ctx, 1, 1); break; default: krun_set_vm_config(ctx, 2, 2); }',
  ],
  [
    'branches of the preprocessor',
    '\n#ifdef SMALL\n  krun_set_vm_config(ctx, 1, 128);\n#else\n  krun_set_vm_config(ctx, 2, 256);\n#endif\n',
  ],
  [
    'a label in between',
    'goto skip;',
    'krun_set_vm_config(ctx, 1, 128);',
    'skip:',
    'krun_set_vm_config(ctx, 2, 256);',
  ],
  ['another context', CONFIG, 'other = krun_create_ctx();', 'krun_set_vm_config(other, 2, 256);'],
  [
    'two contexts in one variable',
    CONFIG,
    'krun_start_enter(ctx);',
    'ctx = krun_create_ctx();',
    'krun_set_vm_config(ctx, 2, 256);',
  ],
  [
    'arguments that the program works out',
    'krun_set_vm_config(ctx, cpus, 2 * ram);',
    'krun_set_root(ctx, path);',
  ],
  [
    'a vsock device of one’s own',
    CONFIG,
    'krun_disable_implicit_vsock(ctx);',
    'krun_add_vsock(ctx, 0);',
    'krun_add_vsock_port(ctx, 80, "/s");',
  ],
  [
    'a vsock device, where another function has the context',
    CONFIG,
    'prepare(ctx);',
    'krun_add_vsock(ctx, 0);',
  ],
  [
    'a vsock device, where the implicit one may be gone',
    CONFIG,
    'if (own) krun_disable_implicit_vsock(ctx);',
    'krun_add_vsock(ctx, 0);',
  ],
  [
    'ports beside passt in a branch',
    CONFIG,
    'if (passt) { krun_set_passt_fd(ctx, fd); }',
    'krun_set_port_map(ctx, map);',
  ],
  ['a raw kernel alone', CONFIG, 'krun_set_kernel(ctx, "/k", 0, NULL, NULL);'],
  ['an ELF kernel with a command line', CONFIG, 'krun_set_kernel(ctx, "/k", 1, "/i", "quiet");'],
  ['freeing the context after a start that failed', CONFIG, 'krun_start_enter(ctx);', 'krun_free_ctx(ctx);'],
] as const) {
  test(`nothing is said about ${what}`, () => assert.deepEqual(codesOf(program(...calls)), []));
}

test('two functions with a context of one name are two', () => {
  const body = (name: string, memory: number) =>
    `static void ${name}(int ctx)\n{\n  krun_set_vm_config(ctx, 1, ${memory});\n}\n`;
  assert.deepEqual(codesOf(`#include <libkrun.h>\n${body('small', 128)}${body('big', 1024)}`), []);
});

test('a file whose calls make no machine has no finding', () => {
  assert.deepEqual(
    codesOf(program('krun_set_console_output(ctx, "a");', 'krun_set_console_output(ctx, "b");')),
    [],
  );
});

test('deprecated functions are told from the version on that says so', () => {
  const codes = (version: string) =>
    runChecks(
      parseDocument(new SourceText('file:///vm.c', program(CONFIG, 'krun_set_passt_fd(ctx, fd);')), {
        files: new Map(),
        choice: { vmm: 'libkrun', version },
      }),
    )
      .map(({ code }) => code)
      .filter((code) => code !== 'libkrun-i8042-reset');
  assert.deepEqual(codes('1.11.0'), []);
  assert.deepEqual(codes('1.16.0'), ['libkrun-deprecated']);
});

test('the order of calls is never wrong about straight lines, and reading never throws', () => {
  const piece = fc.constantFrom(
    ...[
      '{',
      '}',
      '(',
      ')',
      ';',
      '?',
      ':',
      '&&',
      '\n#if X\n',
      '\n#else\n',
      '\n#endif\n',
      'if (',
      'else ',
      'switch (',
      'case 1:',
    ],
    ...[
      'krun_set_vm_config(ctx, 1, 2);',
      'krun_start_enter(ctx)',
      'x = y;\n',
      '"',
      '//',
      '/*',
      '\\\n',
      'again:\n',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
      const text = program(...parts);
      const calls = krunCalls(text);
      const order = callOrder(text, calls);
      for (const [index, call] of calls.entries()) {
        assert.equal(order.precedes(call, call), false);
        const next = calls[index + 1];
        if (next) assert.equal(order.precedes(next, call), false);
      }
      codesOf(text);
    }),
  );
});
