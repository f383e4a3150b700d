/** The maps of examples/memory-maps say what their README says. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Document } from '../../../server/src/machine/language';
import { memmap } from '../../../server/src/memory-map/language';
import { layoutDifferences, layoutJson } from '../../../server/src/output/layout';
import { mappingsText } from '../../../server/src/output/mappings';
import { SourceText } from '../../../server/src/text/sourceText';

const FOLDER = join(process.env.BOOTPATH_ROOT!, 'examples/memory-maps');
const open = (name: string): Document => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  assert.ok(memmap.recognise(text, name));
  return memmap.parse(new SourceText(`file:///${name}`, text), { files: new Map() });
};

for (const [file, maps, codes] of [
  ['monitor.txt', ['QEMU memory', 'QEMU info tlb'], []],
  ['firmware.log', ['QEMU fw_cfg', 'SeaBIOS'], []],
  ['xen.log', ['Xen-e820 RAM map', 'Xen Dom0', 'hvmloader'], ['region-overlap']],
  ['bsd.txt', ['OpenBSD boot', 'FreeBSD SMAP'], []],
] as const)
  test(`${file} has the maps ${maps.join(', ')}`, () => {
    const document = open(file);
    assert.deepEqual(
      document.machines.map(({ name }) => name),
      maps,
    );
    assert.deepEqual(
      runChecks(document).map(({ code }) => code),
      codes,
    );
  });

test('OpenBSD and FreeBSD mean the same memory', () => {
  const [openbsd, freebsd] = open('bsd.txt').machines;
  assert.deepEqual(layoutDifferences(openbsd!, freebsd!), []);
});

test('SeaBIOS keeps RAM of QEMU’s from the guest', () => {
  const kept = layoutDifferences(open('monitor.txt').machines[0]!, open('firmware.log').machines[1]!).filter(
    ({ left, right }) => left === 'ram' && right === 'reserved',
  );
  assert.deepEqual(
    kept.map(({ start, end }) => [start, end]),
    [
      [0x9fc00n, 0xa0000n],
      [0x1ffe0000n, 0x20000000n],
    ],
  );
});

test('mappings are printed with rights, pages and places, as text and as JSON', () => {
  const { machines } = open('monitor.txt');
  const pathOf = (uri: string): string => uri.replace('file:///', '');
  assert.deepEqual(mappingsText(machines[1]!.mappings!, pathOf).split('\n'), [
    'linear addresses (u user, w writable, x executable)',
    '  -wx  [0x0, 0x400000) to 0x0, 4 MiB by pages of 2 MiB  monitor.txt:35',
    '  -wx  [0x400000, 0x402000) to 0x1000000, 8 KiB by pages of 4 KiB  monitor.txt:37',
    '  -w-  [0x402000, 0x403000) to 0x1002000, 4 KiB by pages of 4 KiB  monitor.txt:39',
  ]);
  const json = layoutJson(machines, pathOf) as { machines: { mappings?: object[] }[] };
  assert.deepEqual(json.machines[0]!.mappings, undefined);
  assert.deepEqual(json.machines[1]!.mappings![2], {
    start: '0x402000',
    end: '0x403000',
    physical: '0x1002000',
    pageSize: '0x1000',
    user: false,
    writable: true,
    executable: false,
    file: 'monitor.txt',
    line: 39,
    column: 1,
  });
});
