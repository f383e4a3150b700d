import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AddressRange } from '../../../server/src/address/range';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';

const parse = (text: string) => memmap.parse(new SourceText('file:///map', text), { files: new Map() });

/** A sorted map of pages without overlap, from sizes and gaps in pages. */
function layOut(parts: readonly (readonly [bigint, bigint])[]): AddressRange[] {
  let cursor = 0n;
  return parts.map(([gap, size]) => {
    const start = cursor + gap * 4096n;
    cursor = start + size * 4096n;
    return { start, end: cursor };
  });
}
const pages = (max: bigint) => fc.bigInt({ min: 1n, max });
const map = fc
  .array(fc.tuple(fc.oneof(fc.constant(0n), pages(1n << 24n)), pages(1n << 30n)), {
    minLength: 1,
    maxLength: 20,
  })
  .map(layOut);
const TYPES = ['usable', 'reserved', 'ACPI data', 'ACPI NVS', 'unusable', 'type 9'];
const hex16 = (value: bigint): string => value.toString(16).padStart(16, '0');

test('a map written as Linux prints it comes back byte for byte, in both forms', () => {
  fc.assert(
    fc.property(map, (ranges) => {
      const closed = ranges.map(
        ({ start, end }, index) =>
          `[    0.000000] BIOS-e820: [mem 0x${hex16(start)}-0x${hex16(end - 1n)}] ${TYPES[index % 6]}`,
      );
      const dash = ranges.map(
        ({ start, end }, index) => ` BIOS-e820: ${hex16(start)} - ${hex16(end)} (${TYPES[index % 6]})`,
      );
      for (const text of [closed.join('\n'), dash.join('\r\n')]) {
        const { machines, problems } = parse(text);
        assert.deepEqual(problems, []);
        assert.deepEqual(
          machines[0]!.regions.map(({ range }) => range),
          ranges,
        );
      }
    }),
  );
});

/** humanize_number(3) as bhyvectl calls it: up to five digits, binary units, rounded to the nearest. */
function humanise(bytes: bigint): { readonly text: string; readonly unit: bigint } {
  const names = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 1n;
  for (const name of names) {
    const rounded = (bytes + unit / 2n) / unit;
    if (rounded <= 99_999n || name === 'TB') return { text: `${rounded}${name}`, unit };
    unit *= 1024n;
  }
  throw new Error('unreachable');
}

test('the model of humanize_number gives the lengths that are known', () => {
  for (const [bytes, text] of [
    [4096n, '4096B'],
    [65536n, '65536B'],
    [1n << 20n, '1024KB'],
    [2n << 20n, '2048KB'],
    [1n << 28n, '256MB'],
    [3n << 30n, '3072MB'],
    [5n << 30n, '5120MB'],
    [97n << 30n, '99328MB'],
    [98n << 30n, '98GB'],
  ] as const)
    assert.equal(humanise(bytes).text, text);
});

test('a map written as bhyvectl prints it comes back within the rounding of its lengths', () => {
  fc.assert(
    fc.property(map, (ranges) => {
      const rows = ranges.map(({ start, end }) => {
        const { text } = humanise(end - start);
        return `${start.toString(16).toUpperCase().padEnd(12)} ${text.padEnd(12)}sysmem      0           RWX   \0wired`;
      });
      const { machines } = parse(
        ['Address     Length      Segment     Offset      Prot  Flags', ...rows].join('\n'),
      );
      const { regions } = machines[0]!;
      assert.equal(regions.length, ranges.length);
      regions.forEach((region, index) => {
        const { start, end } = ranges[index]!;
        const { unit } = humanise(end - start);
        assert.equal(region.range.start, start);
        const error = region.range.end > end ? region.range.end - end : end - region.range.end;
        assert.ok(error <= unit / 2n, `off by ${error}, the unit is ${unit}`);
        if (unit <= 1024n) assert.equal(region.range.end, end, 'pages in bytes or KiB are exact');
        const above = ranges[index + 1];
        if (above) assert.ok(region.range.end <= above.start, 'never into the next row');
      });
    }),
  );
});

test('an EFI map comes back byte for byte in every form that prints one', () => {
  const hex12 = (value: bigint): string => value.toString(16).padStart(12, '0');
  const attributes = '   |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC';
  fc.assert(
    fc.property(map, (ranges) => {
      const forms = [
        ranges.map(
          ({ start, end }, index) =>
            `efi: mem${String(index).padStart(2, '0')}: [Conventional|${attributes}] range=[0x${hex16(start)}-0x${hex16(end - 1n)}] (0MB)`,
        ),
        ranges.map(
          ({ start, end }, index) =>
            `efi: mem${String(index).padStart(2, '0')}: type=7, attr=0xf, range=[0x${hex16(start)}-0x${hex16(end)}) (0MB)`,
        ),
        ranges.map(
          ({ start, end }) => `efi:   0x${hex12(start)}-0x${hex12(end - 1n)} [Boot Data|${attributes}]`,
        ),
        ranges.map(
          ({ start, end }) =>
            `Available  ${hex16(start).toUpperCase()}-${hex16(end - 1n).toUpperCase()} ${hex16((end - start) / 4096n)} 000000000000000F`,
        ),
        ranges.map(
          ({ start, end }) =>
            `conv-mem  ${hex16(start)}-${hex16(end - 1n)} ${((end - start) / 4096n).toString(16).padStart(8, '0')}      4KiB UC WC WT WB`,
        ),
      ];
      for (const lines of forms) {
        const { machines, problems } = parse(lines.join('\r\n'));
        assert.deepEqual(problems, []);
        assert.deepEqual(
          machines[0]!.regions.map(({ range }) => range),
          ranges,
        );
      }
    }),
  );
});

test('a change of the map is half-open in both forms', () => {
  fc.assert(
    fc.property(map, (ranges) => {
      const [{ start, end }] = ranges as [AddressRange];
      const whole = `BIOS-e820: [mem 0x${hex16(0n)}-0x${hex16(end + 0xffffn)}] usable\n`;
      for (const line of [
        `e820: remove [mem 0x${hex16(start)}-0x${hex16(end - 1n)}] usable`,
        `e820 remove range: ${hex16(start)} - ${hex16(end)} (usable)`,
      ]) {
        const [amended] = parse(whole + line).amended!;
        assert.deepEqual(
          amended!.regions.map(({ range }) => range),
          [...(start === 0n ? [] : [{ start: 0n, end: start }]), { start: end, end: end + 0x10000n }],
        );
      }
    }),
  );
});
