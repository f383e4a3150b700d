/** The rules on layouts, on what they must report and on what is near it: boot plans, configs of VMMs, memory maps. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { contains } from '../../../server/src/address/range';
import { runChecks } from '../../../server/src/checks/catalogue';
import { holesInRam } from '../../../server/src/checks/layout/ramHole';
import type { LanguageKind } from '../../../server/src/machine/language';
import { memmap } from '../../../server/src/memory-map/language';
import { bootpathService } from '../../../server/src/service';
import type { Finding } from '../../../server/src/text/finding';
import { SourceText } from '../../../server/src/text/sourceText';
import { codes, documentOf, findings, line, RAM, type RegionRow } from '../boot-state/bootDocument';

const MIB = 1n << 20n;
const GIB = 1n << 30n;

const plan = (...more: readonly RegionRow[]) => codes({ regions: [...RAM, ...more] });
const map = (text: string): Finding[] =>
  runChecks(memmap.parse(new SourceText('file:///map', text), { files: new Map() }));
const mapCodes = (text: string): string[] => map(text).map(({ code }) => code);
const e820 = (...rows: readonly (readonly [string, string, string])[]) =>
  rows.map(([start, last, type]) => `BIOS-e820: [mem 0x${start}-0x${last}] ${type}`).join('\n');
const bhyvectl = (...rows: readonly string[]) =>
  ['Address     Length      Segment     Offset      Prot  Flags', ...rows].join('\n');

/** The findings of a whole file, as the command line would read it. */
function ofFile(uri: string, text: string): Finding[] {
  const language = bootpathService.claim('', text, uri);
  assert.ok(language, uri);
  return runChecks(language.parse(new SourceText(uri, text), { files: new Map() }));
}

test('sound layouts have no finding, under every VMM', () => {
  assert.deepEqual(plan(), []);
  for (const vmm of ['firecracker', 'vmd', 'bhyve', 'propolis', 'cloud-hypervisor', 'libkrun', 'pc'])
    assert.deepEqual(codes({ vmm, version: null }), [], vmm);
});

test('mmio-over-ram: in plans and configs, with both sides, and not beside region-overlap', () => {
  const regions = [...RAM, [0x7fff000n, 0x8001000n, 'mmio', 'devices']] as const;
  for (const language of ['boot-plan', 'firecracker', 'vmconf', 'propolis'] as LanguageKind[]) {
    const found = findings({ language, regions });
    assert.deepEqual(
      found.map(({ code, severity }) => [code, severity]),
      [['mmio-over-ram', 'error']],
      language,
    );
    assert.deepEqual([found[0]!.at, found[0]!.related![0]!.at], [line(12), line(11)]);
  }
  assert.deepEqual(plan([0x8000000n, 0x8001000n, 'mmio']), [], 'touching');
  assert.deepEqual(plan([0x7fff000n, 0x8001000n, 'hole']), [], 'a hole claims nothing');
});

test('region-overlap: two pieces of memory, and a word on what one byte or one page betrays', () => {
  const of = (start: bigint) =>
    findings({ regions: [...RAM, [start, 0x9000000n, 'reserved']] }).find(
      ({ code }) => code === 'region-overlap',
    )?.message;
  assert.match(of(0x7ffffffn)!, /One byte is what an exclusive end makes/);
  assert.match(of(0x7fff000n)!, /One page is what an exclusive end makes/);
  assert.ok(!/exclusive end/.test(of(0x7ffe000n)!));
  assert.equal(of(0x8000000n), undefined);
});

test('libkrun’s RAM over its devices is a known issue, and told once', () => {
  const text =
    '#include <libkrun.h>\nint main(void)\n{\n\tint ctx = krun_create_ctx();\n\tkrun_set_vm_config(ctx, 1, 3320);\n\tkrun_set_root(ctx, "/r");\n\treturn krun_start_enter(ctx);\n}\n';
  const found = ofFile('file:///run.c', text).map(({ code }) => code);
  assert.deepEqual(
    found.filter((code) => /overlap|over/.test(code)),
    ['libkrun-ram-over-mmio'],
  );
});

test('range-off-by-one: in what Linux prints of a libkrun guest; a plan is asked where the end is written', () => {
  const [found, ...rest] = map(e820(['0', '9fbff', 'usable'], ['100000', '20000000', 'usable']));
  assert.deepEqual([found!.code, found!.severity, rest], ['range-off-by-one', 'warning', []]);
  assert.match(found!.message, /ends at 0x20000001, one byte beyond a page/);
  assert.match(map(e820(['100000', '1ffffffe', 'usable']))[0]!.message, /one byte short of a page/);
  assert.deepEqual(plan([0x8000000n, 0x8000fffn, 'reserved']), []);
});

test('range-off-by-one: not of EBDAs and odd ACPI tables, devices, rounded lengths and nested lines', () => {
  for (const text of [
    e820(['0', '9fbff', 'usable'], ['9fc00', '9ffff', 'reserved'], ['7fee0000', '7fee33ff', 'ACPI data']),
    bhyvectl('0 2049MB sysmem 0 RWX'),
    '00001000-0009fbff : System RAM\n00100000-7fffffff : System RAM\n  01000000-01e02000 : Kernel code\n  01e02001-0263b3fe : Kernel data\n',
  ])
    assert.ok(!mapCodes(text).includes('range-off-by-one'), text);
  assert.deepEqual(plan([0x8000000n, 0x8000401n, 'mmio']), []);
});

test('ram-hole: one page is a warning in a plan, more is information, usual holes are none', () => {
  const of = (start: bigint, end: bigint) =>
    findings({ regions: [RAM[0]!, [MIB, start, 'ram', 'a'], [end, 2n * GIB, 'ram', 'b']] }).map(
      ({ code, severity }) => [code, severity],
    );
  assert.deepEqual(of(0x4000000n, 0x4001000n), [['ram-hole', 'warning']]);
  assert.deepEqual(of(0x4000000n, 0x5000000n), [['ram-hole', 'information']]);
  assert.deepEqual(of(0x4000000n, 0x4000000n), []);
  assert.deepEqual(plan([4n * GIB, 5n * GIB, 'ram']), [], 'below 4 GiB');
  assert.deepEqual(plan([0x8001000n, 0x9000000n, 'ram'], [0x8000000n, 0x8001000n, 'mmio']), [], 'a device');
});

test('ram-hole: a line of bhyvectl is missing; firmware may cut its map as it likes', () => {
  const of = (start: string) => map(bhyvectl('0 1024MB sysmem 0 RWX', `${start} 1024MB sysmem 0 RWX`));
  assert.deepEqual(
    of('50000000').map(({ code, severity }) => [code, severity]),
    [['ram-hole', 'information']],
  );
  assert.deepEqual(of('40080000'), [], 'as much as a rounded length may leave out');
  assert.deepEqual(mapCodes(e820(['100000', '3fffffff', 'usable'], ['40001000', '7fffffff', 'usable'])), []);
});

test('rom-no-reset-vector: bhyve’s ROM and a plan that starts after RESET', () => {
  const rom = (start: string) => bhyvectl('0 1024MB sysmem 0 RWX', `${start} 2048KB bootrom 0 R-X`);
  assert.ok(mapCodes(rom('FFD00000')).includes('rom-no-reset-vector'));
  assert.ok(!mapCodes(rom('FFE00000')).includes('rom-no-reset-vector'));
  assert.ok(plan([0xffe00000n, 0xfff00000n, 'rom']).includes('rom-no-reset-vector'));
  assert.deepEqual(plan([0xffe00000n, 4n * GIB, 'rom']), []);
  assert.deepEqual(codes({ language: 'vmconf', regions: [[0xf0000000n, 0xf1000000n, 'rom']] }), []);
});

test('beyond-physical-width: 52 bits at most, fewer where the text says so, and no word on devices', () => {
  const wide: RegionRow = [1n << 51n, 1n << 52n, 'ram'];
  assert.deepEqual(plan(wide), []);
  assert.deepEqual(plan([1n << 52n, (1n << 52n) + MIB, 'ram']), ['beyond-physical-width']);
  assert.deepEqual(plan([1n << 52n, 1n << 63n, 'mmio']), []);
  const said = (bits: bigint) => codes({ regions: [...RAM, wide], settings: { 'cpu.physical-width': bits } });
  assert.deepEqual([said(51n), said(52n)], [['beyond-physical-width'], []]);
  assert.equal(map(e820(['10000000000000', '100000000fffff', 'usable']))[0]!.severity, 'warning');
});

test('ram-in-hypertransport-hole: only where the text says that the CPU is AMD’s', () => {
  const regions: readonly RegionRow[] = [...RAM, [0xfc00000000n, 0xfd00001000n, 'ram']];
  const of = (vendor: string, rows = regions) => codes({ regions: rows, settings: { 'cpu.vendor': vendor } });
  assert.deepEqual(of('amd'), ['ram-in-hypertransport-hole']);
  assert.deepEqual(of('intel'), []);
  assert.deepEqual(codes({ regions }), []);
  assert.deepEqual(of('amd', [...RAM, [0xfc00000000n, 0xfd00000000n, 'ram']]), []);
});

test('region-misaligned: only at the outer borders of memory, and not beside range-off-by-one', () => {
  assert.deepEqual(plan([0x8000000n, 0x8000400n, 'ram']), ['region-misaligned']);
  const split = [
    [0n, 0x9fc00n, 'ram'],
    [0x9fc00n, MIB, 'reserved'],
  ] as const;
  assert.deepEqual(codes({ regions: [...split, [MIB, 0x8000000n, 'ram']] }), []);
  const found = findings({ vmm: 'vmd', version: '7.8', regions: [...RAM, [0x8000400n, 0x8002000n, 'ram']] });
  assert.match(found.find(({ code }) => code === 'region-misaligned')!.message, /vmm\(4\)/);
});

test('ram-over-firmware: a hint for the first MiB of a plan, a warning at the local APIC, nothing at the reset vector', () => {
  const of = (...regions: readonly RegionRow[]) =>
    findings({ regions }).map(({ code, severity }) => [code, severity]);
  assert.deepEqual(of([0n, 0x8000000n, 'ram']), [['ram-over-firmware', 'hint']]);
  assert.deepEqual(of([0xfee00000n, 0xfee10000n, 'ram']), [['ram-over-firmware', 'warning']]);
  assert.deepEqual(of([0xfed00000n, 0xfed01000n, 'ram']), [['ram-over-firmware', 'warning']]);
  assert.deepEqual(of([0xffff0000n, 4n * GIB, 'ram']), []);
});

test('holes in RAM are those of a search byte by byte', () => {
  const row = fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }), fc.boolean())
    .map(([start, size, ram]): RegionRow => [BigInt(start), BigInt(start + size), ram ? 'ram' : 'reserved']);
  fc.assert(
    fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
      const { regions } = documentOf({ regions: rows }).machines[0]!;
      const ram = regions.filter(({ kind }) => kind === 'ram');
      const bytes = Array.from({ length: 80 }, (_, index) => BigInt(index));
      const covered = bytes.map((byte) => ram.some(({ range }) => contains(range, byte)));
      const other = bytes.map((byte) =>
        regions.some(({ kind, range }) => kind !== 'ram' && contains(range, byte)),
      );
      const runs: string[] = [];
      for (let at = covered.indexOf(true); at >= 0 && at < covered.lastIndexOf(true); at++) {
        if (covered[at] || !covered[at - 1]) continue;
        const end = covered.indexOf(true, at);
        if (!other.slice(at, end).includes(true)) runs.push(`${at}-${end}`);
      }
      assert.deepEqual(
        holesInRam({ regions }).map(({ hole }) => `${hole.start}-${hole.end}`),
        runs,
      );
    }),
  );
});

test('twenty thousand regions: findings stay few, and time is that of sorting', () => {
  const many = Array.from({ length: 20_000 }, (_, index): RegionRow => {
    const start = BigInt(index) * 0x3000n;
    return [start, start + 0x1000n, index % 3 === 0 ? 'reserved' : 'ram'];
  });
  const crossing = many.map(([start, end, kind]): RegionRow => [start, end + 0x100_0000n, kind]);
  for (const regions of [many, crossing, [...many].reverse()]) {
    const started = process.cpuUsage().user;
    const found = findings({ regions });
    assert.ok(found.length < 30_000);
    assert.ok(process.cpuUsage().user - started < 20_000_000, 'a pairwise search would take minutes');
  }
});
