import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { LAYOUT_CHECKS } from '../../../server/src/checks/layout/rows';
import type { AddressRange } from '../../../server/src/address/range';
import type { Document, VmmChoice } from '../../../server/src/machine/language';
import type { Machine, RegionKind } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import type { Finding } from '../../../server/src/text/finding';
import { SourceText } from '../../../server/src/text/sourceText';

const ROOT = process.env.BOOTPATH_ROOT!;
const fixture = (name: string): string => readFileSync(join(ROOT, 'test/fixtures/memory-map', name), 'utf8');

function findings(text: string, choice?: VmmChoice): Finding[] {
  return runChecks(
    memmap.parse(new SourceText('file:///map', text), { files: new Map(), ...(choice ? { choice } : {}) }),
  );
}
const codes = (found: readonly Finding[]): string[] => found.map(({ code }) => code);

/** A machine of a VMM, as its model would lay it out. */
function vmmDocument(regions: readonly (readonly [bigint, bigint, RegionKind, string])[]): Document {
  const source = new SourceText('file:///vm.conf', 'vm "a" {\n}\n');
  const at = source.at(0, 6);
  const origin = { kind: 'vmm', vmm: 'vmd', version: '7.8', citation: 'x86_vm.c' } as const;
  const machine: Machine = {
    name: 'a',
    vmm: 'vmd',
    version: '7.8',
    memory: null,
    vcpus: { value: 1, origin },
    regions: regions.map(([start, end, kind, name]) => ({
      range: { start, end },
      kind,
      name,
      permissions: null,
      reason: '',
      origin,
      at,
    })),
    images: [],
    at,
    nameAt: at,
  };
  return {
    source,
    language: 'vmconf',
    choice: { vmm: 'vmd', version: '7.8' },
    choiceReason: 'newest',
    machines: [machine],
    problems: [],
    outline: [],
    symbols: [],
    links: [],
    wanted: [],
    read: [source.uri],
  };
}

/** vmd of 2025 with 8 GiB: every region touches the next, nothing overlaps. */
const VMD_8G: readonly (readonly [bigint, bigint, RegionKind, string])[] = [
  [0x0n, 0xa0000n, 'ram', 'low memory'],
  [0xa0000n, 0x100000n, 'reserved', 'VGA and BIOS'],
  [0x100000n, 0xf0000000n, 'ram', 'memory'],
  [0xf0000000n, 0xffc00000n, 'mmio', 'PCI MMIO'],
  [0xffc00000n, 0x100000000n, 'reserved', 'firmware'],
  [0x100000000n, 0x210000000n, 'ram', 'high memory'],
];

test('healthy inputs have no finding: a vmd layout, boot logs, bhyve on FreeBSD', () => {
  assert.deepEqual(runChecks(vmmDocument(VMD_8G)), []);
  for (const name of ['linux-boot.log', 'linux-2026.log', 'linux-2.6.log', 'bhyve-freebsd.txt'])
    assert.deepEqual(codes(findings(fixture(name))), [], name);
});

test('overlaps of a VMM’s layout are errors with both sides', () => {
  const broken = VMD_8G.map((row) =>
    row[3] === 'low memory' ? ([0n, 0xa1000n, 'ram', 'low memory'] as const) : row,
  );
  const [finding, ...rest] = runChecks(vmmDocument(broken)).filter(({ code }) => code === 'region-overlap');
  assert.deepEqual(rest, []);
  assert.equal(finding!.severity, 'error');
  assert.match(finding!.message, /share 4 KiB, \[0xa0000, 0xa1000\)/);
  assert.equal(finding!.related!.length, 1);
});

test('overlaps of an e820 map are warnings where the types differ, and say which type wins', () => {
  const found = findings(fixture('overlapping.log')).filter(({ code }) => code === 'region-overlap');
  assert.deepEqual(
    found.map(({ severity, at }) => [severity, at!.range.start.line]),
    [['warning', 1]],
  );
  assert.match(found[0]!.message, /higher type win, here reserved/);
  const same = findings(
    'BIOS-e820: [mem 0x200000-0x2fffff] usable\nBIOS-e820: [mem 0x280000-0x3fffff] usable\n',
  );
  assert.deepEqual(
    same.map(({ code, severity }) => [code, severity]),
    [['region-overlap', 'information']],
  );
});

test('the number of an unnamed type counts, not its words', () => {
  const [found] = findings(
    'BIOS-e820: [mem 0x200000-0x2fffff] ACPI NVS\nBIOS-e820: [mem 0x200000-0x2fffff] type 20\n',
  );
  assert.match(found!.message, /here type 20/);
});

test('overlapping rows of bhyvectl are errors', () => {
  const rows = '0 1024KB sysmem 0 RWX\nFF000 1024KB framebuffer 0 RW-\n';
  assert.deepEqual(
    findings(`Address     Length      Segment     Offset      Prot  Flags\n${rows}`).map(
      ({ code, severity }) => [code, severity],
    ),
    [['region-overlap', 'error']],
  );
});

test('a gap line overlaps nothing', () => {
  assert.deepEqual(
    codes(findings('BIOS-e820: [gap 0x0-0xfffff]\nBIOS-e820: [mem 0x1000-0x1fff] usable\n')),
    [],
  );
});

test('RAM in the VGA window, the BIOS or at the local APIC is a warning', () => {
  const [low] = findings('BIOS-e820: [mem 0x0-0xfffff] usable\n');
  assert.equal(low!.code, 'ram-over-firmware');
  assert.equal(low!.severity, 'warning');
  assert.match(low!.message, /holds the VGA window, option ROMs and the BIOS/);
  const [high] = findings('BIOS-e820: [mem 0x100000-0xffffffff] usable\n');
  assert.match(high!.message, /the I\/O APIC, the HPET, the local APIC and the reset vector/);
});

test('RAM up to these places and from 4 GiB on is fine, and bhyve may back the first MiB', () => {
  for (const text of [
    'BIOS-e820: [mem 0x0-0x9ffff] usable',
    'BIOS-e820: [mem 0x100000-0xfebfffff] usable',
    'BIOS-e820: [mem 0x100000000-0x1ffffffff] usable',
    '0 3072MB sysmem 0 RWX',
  ])
    assert.deepEqual(codes(findings(text)), [], text);
});

const ILLUMOS = { vmm: 'bhyve', version: 'illumos-2021-08' };

test('a ROM that touches RAM is a warning on the affected bhyve, with both sides', () => {
  const found = findings(fixture('bhyve-illumos.txt'), ILLUMOS);
  assert.deepEqual(
    found.map(({ code, severity, at }) => [code, severity, at!.range.start.line]),
    [['closed-range-seam', 'warning', 2]],
  );
  assert.match(found[0]!.message, /bootrom ends at 0x100000000, where sysmem starts/);
  assert.equal(found[0]!.related![0]!.at.range.start.line, 3);
});

test('what a kernel or firmware calls reserved is no mapping of the VMM, so it has no seam', () => {
  assert.deepEqual(
    codes(
      findings(
        'BIOS-e820: [mem 0xf0000-0xfffff] reserved\nBIOS-e820: [mem 0x100000-0x1ffffff] usable\n',
        ILLUMOS,
      ),
    ),
    [],
  );
});

test('without a VMM the seam is information, and only for a ROM below 4 GiB of illumos', () => {
  assert.deepEqual(
    findings(fixture('bhyve-illumos.txt')).map(({ code, severity }) => [code, severity]),
    [['closed-range-seam', 'information']],
  );
  assert.deepEqual(codes(findings(fixture('bhyve-freebsd.txt'))), []);
  assert.deepEqual(
    codes(
      findings(
        'BIOS-e820: [mem 0xffc00000-0xffffffff] reserved\nBIOS-e820: [mem 0x100000000-0x1ffffffff] usable\n',
      ),
    ),
    [],
  );
});

test('a VMM or version that is not affected says nothing of the seam', () => {
  for (const choice of [
    { vmm: 'bhyve', version: 'freebsd-14' },
    { vmm: 'bhyve', version: 'illumos-2022-01' },
    { vmm: 'vmd', version: '7.8' },
  ])
    assert.deepEqual(codes(findings(fixture('bhyve-illumos.txt'), choice)), []);
});

test('a ROM that ends a page below RAM is no seam', () => {
  const text = fixture('bhyve-illumos.txt').replace('2048KB', '2044KB');
  assert.deepEqual(codes(findings(text, ILLUMOS)), ['rom-no-reset-vector']);
});

test('a pragma makes the warning without any setting', () => {
  const found = findings('# bootpath: bhyve@illumos-2021-08\n' + fixture('bhyve-illumos.txt'));
  assert.deepEqual(
    found.map(({ severity }) => severity),
    ['warning'],
  );
});

test('entries out of order are one finding a map', () => {
  const line = (start: string): string => `BIOS-e820: [mem 0x${start}000-0x${start}fff] reserved\n`;
  const found = findings([5, 4, 3, 6].map((digit) => line(`1${digit}0`)).join(''));
  assert.deepEqual(codes(found), ['map-unsorted']);
  assert.match(found[0]!.message, /first of 2 such places/);
  assert.equal(found[0]!.at!.range.start.line, 1);
});

test('a thousand identical lines do not give half a million findings', () => {
  const found = findings('BIOS-e820: [mem 0x200000-0x2fffff] reserved\n'.repeat(1000));
  assert.ok(found.length > 0 && found.length <= 50);
});

test('every code of the layout has a page, and every code is kebab-case', () => {
  for (const { code } of LAYOUT_CHECKS) {
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(existsSync(join(ROOT, 'docs/checks', `${code}.md`)), code);
  }
});

test('an empty machine has no finding', () => {
  const empty: readonly AddressRange[] = [];
  assert.deepEqual(runChecks(vmmDocument(empty.map(() => VMD_8G[0]!))), []);
});
