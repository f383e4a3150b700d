import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { REGION_KINDS } from '../../../server/src/machine/machine';
import { addressSpaceSvg } from '../../../server/src/picture/addressSpacePicture';
import { PALETTE_NAMES, PALETTES } from '../../../server/src/picture/palettes';
import { patternDefinitions, swatchFill } from '../../../server/src/picture/patterns';
import { stripSvg } from '../../../server/src/picture/strip';
import { anyMachine, readXml, region, VMD } from './sample';

test('the reader of this test refuses what is no XML', () => {
  for (const text of ['<a><b></a>', '<a x="1>', '<a>&nbsp;</a>', '<a>\0</a>', '<a/>rest', '<a'])
    assert.throws(() => readXml(text), text);
  assert.deepEqual(readXml('<svg a="&lt;"><g/>x</svg>'), ['svg', 'g']);
});

test('any machine gives well-formed SVG in every palette, whatever its names hold', () => {
  fc.assert(
    fc.property(
      anyMachine,
      fc.constantFrom(...PALETTE_NAMES),
      fc.boolean(),
      fc.array(fc.nat(35), { maxLength: 4 }),
      (machine, palette, interactive, selected) => {
        readXml(addressSpaceSvg(machine, { palette, interactive, selected }));
        readXml(stripSvg(machine, { palette, selected }));
      },
    ),
  );
});

test('names are text, never markup', () => {
  const nasty = { ...VMD, name: '<script>', regions: [region(0n, 0x100000n, 'ram', '"><img onerror=x>')] };
  const svg = addressSpaceSvg(nasty, { palette: 'dark', interactive: true });
  assert.deepEqual(
    readXml(svg).filter((name) => name === 'script' || name === 'img'),
    [],
  );
  assert.ok(svg.includes('&lt;script&gt;'));
});

test('every region has its address, its kind as a word and its size', () => {
  const svg = addressSpaceSvg(VMD, { palette: 'light' });
  for (const text of [
    '0xffc00000',
    '0x210000000',
    '>PCI MMIO<',
    '>MMIO<',
    '>384 KiB<',
    '>reserved<',
    '>alpine<',
  ])
    assert.ok(svg.includes(text), text);
});

test('a picture has a title and a text equivalent that name every region', () => {
  const svg = addressSpaceSvg(VMD, { palette: 'light', idPrefix: 'one' });
  assert.match(svg, /role="img" aria-labelledby="one-title one-desc"/);
  assert.match(svg, /<title id="one-title">Guest physical address space of alpine \(vmd@7\.8\)<\/title>/);
  assert.match(svg, /firmware: reserved, 4 MiB, from 0xffc00000 to 0x100000000 exclusive/);
});

test('an interactive picture is a list whose items take the focus in order of address', () => {
  const svg = addressSpaceSvg(VMD, { palette: 'light', interactive: true });
  const items = [
    ...svg.matchAll(/<g data-region="(\d+)" role="listitem" tabindex="0" aria-label="([^"]*)"/g),
  ];
  assert.deepEqual(
    items.map(([, index]) => Number(index)),
    [0, 1, 2, 3, 4, 5],
  );
  assert.match(items[0]![2]!, /^low memory: RAM, 640 KiB/);
  assert.match(svg, /role="list"/);
  assert.doesNotMatch(addressSpaceSvg(VMD, { palette: 'light' }), /tabindex/);
});

test('the selected region is marked in the accent colour, others are not', () => {
  const { accent } = PALETTES.dark;
  assert.ok(!addressSpaceSvg(VMD, { palette: 'dark' }).includes(accent));
  assert.ok(addressSpaceSvg(VMD, { palette: 'dark', selected: [3] }).includes(accent));
  assert.ok(stripSvg(VMD, { palette: 'dark', selected: [3] }).includes(accent));
});

test('a hover of a hundred regions stays far below 60 KB as a data URI', () => {
  const many = {
    ...VMD,
    regions: Array.from({ length: 100 }, (_, index) =>
      region(
        BigInt(index) << 24n,
        BigInt(index + 1) << 24n,
        REGION_KINDS[index % 9]!,
        `region number ${index}`,
      ),
    ),
  };
  const svg = addressSpaceSvg(many, { palette: 'hc-dark', maxRegions: 16, selected: [70], width: 480 });
  assert.ok(encodeURIComponent(svg).length < 45_000, String(encodeURIComponent(svg).length));
  assert.ok(svg.includes('region number 70'));
});

test('every kind but RAM and holes has a pattern of its own', () => {
  const seen = new Set<string>();
  for (const kind of REGION_KINDS) {
    const definition = patternDefinitions([kind], PALETTES.light, 'x');
    if (kind === 'ram' || kind === 'hole') {
      assert.equal(definition, '');
      continue;
    }
    assert.equal(swatchFill(kind, PALETTES.light, 'x'), `url(#x-${kind})`);
    seen.add(definition.replace(/#[0-9a-f]{6}|x-[a-z]+/g, ''));
  }
  assert.equal(seen.size, REGION_KINDS.length - 2);
});

/** WCAG 2.1: relative luminance and contrast ratio. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

test('black on white has the contrast 21', () =>
  assert.ok(Math.abs(contrast('#000000', '#ffffff') - 21) < 0.01));

for (const name of PALETTE_NAMES) {
  test(`${name}: text is legible on every fill, borders and the selection stand out`, () => {
    const palette = PALETTES[name];
    const text = name.startsWith('hc') ? 7 : 4.5;
    assert.ok(contrast(palette.dim, palette.background) >= text);
    assert.ok(contrast(palette.accent, palette.background) >= 3);
    for (const kind of REGION_KINDS) {
      const { fill, strong } = palette.kinds[kind];
      assert.ok(contrast(palette.text, fill) >= text, `text on ${kind}`);
      assert.ok(contrast(palette.dim, fill) >= text, `dim text on ${kind}: ${contrast(palette.dim, fill)}`);
      assert.ok(
        contrast(strong, palette.background) >= 3,
        `${kind} border: ${contrast(strong, palette.background)}`,
      );
    }
  });
}

test('regions that share a span keep their names, however narrow their lanes are', () => {
  const machine = {
    ...VMD,
    regions: [
      region(0xe0000n, 0x101000n, 'reserved', 'reserved'),
      region(0x100000n, 0x40000000n, 'ram', 'usable'),
    ],
  };
  const svg = addressSpaceSvg(machine, { palette: 'light', width: 420 });
  const texts: readonly string[] = svg.match(/>[^<>]+<\/text>/g) ?? [];
  for (const name of ['reserved', 'usable']) assert.ok(texts.includes(`>${name}</text>`), texts.join());
});

test('the strip is too low for columns: a nested region covers its part of the outer one at full height', () => {
  const inner = region(0x2000n, 0x3000n, 'rom', 'inner');
  const nested = { ...VMD, regions: [region(0n, 0x9000n, 'ram', 'outer'), { ...inner, level: 1 }] };
  const heights = (machine: typeof VMD): Set<string> =>
    new Set(
      [...stripSvg(machine, { palette: 'light', height: 12 }).matchAll(/<rect [^>]*height="([\d.]+)"/g)].map(
        ([, height]) => height!,
      ),
    );
  assert.ok(heights(nested).has('12'));
  assert.ok(!heights(nested).has('6'));
  assert.ok(
    heights({ ...nested, regions: [nested.regions[0]!, inner] }).has('6'),
    'an overlap has two lanes',
  );
});
