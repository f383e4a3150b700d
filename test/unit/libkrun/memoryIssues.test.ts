/** The two known issues of libkrun that the size of memory decides: where they are reported, and where not. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';

function codesOf(lines: readonly string[], version = '1.19.0'): string[] {
  const text = ['#include <libkrun.h>', ...lines].join('\n');
  const language = bootpathService.claim('c', text, 'file:///vm.c');
  assert.ok(language);
  const choice = { vmm: 'libkrun', version };
  const document = bootpathService.parse(language, new SourceText('file:///vm.c', text), {
    files: new Map(),
    choice,
  });
  return bootpathService
    .findings(document)
    .filter(({ code }) => code === 'libkrun-initrd-above-4g' || code === 'libkrun-ram-over-mmio')
    .map(({ code, severity }) => `${severity} ${code}`);
}

const size = (mib: number) => `krun_set_vm_config(ctx, 1, ${mib});`;
const kernel = (format: string, initrd: string) => `krun_set_kernel(ctx, "/k", ${format}, ${initrd}, NULL);`;
const INITRD = ['warning libkrun-initrd-above-4g'];
const RAM = ['warning libkrun-ram-over-mmio'];

for (const [title, lines, codes, version] of [
  ['an initrd and 3329 MiB', [size(3329), kernel('1', '"/i"')], INITRD],
  [
    'an initrd and 3329 MiB, with an address that the program works out',
    [size(3329), kernel('1', 'path')],
    INITRD,
  ],
  ['an initrd and 3328 MiB: all below the gap', [size(3328), kernel('1', '"/i"')], []],
  ['4096 MiB without an initrd', [size(4096), kernel('1', 'NULL')], []],
  ['a raw kernel with an initrd, which libkrun drops', [size(4096), kernel('0', '"/i"')], []],
  ['a version that takes no initrd', [size(4096), kernel('1', '"/i"')], [], '1.9.5'],
  ['libkrunfw’s kernel and 3328 MiB', [size(3328)], RAM],
  ['libkrunfw’s kernel and 3294 MiB: beyond the gap by some KiB', [size(3294)], RAM],
  ['libkrunfw’s kernel and 3293 MiB', [size(3293)], []],
  ['libkrunfw’s kernel and 3329 MiB: split at the gap', [size(3329)], []],
  ['an external kernel of 3328 MiB: no hole', [size(3328), kernel('1', 'NULL')], []],
  ['a raw kernel at 2 GiB and 3000 MiB', [size(3000), kernel('0', 'NULL')], RAM],
  ['no size', ['krun_set_vm_config(ctx, 1, ram);'], []],
] as const) {
  test(`${title}: ${codes.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(codesOf(lines, version), codes);
  });
}
