import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { hover } from '../../../server/src/features/hover';
import { numberAt } from '../../../server/src/features/numberAt';
import { marked } from '../../lsp/markers';
import { parseToy, toy } from './toyLanguage';

function hoverText(fixture: string): string {
  const { text, cursor } = marked(fixture);
  const document = parseToy(text);
  const found = hover(document, cursor!, toy.describe!(document, cursor!));
  return found ? (found.contents as { value: string }).value : '';
}

for (const [what, fixture, expected] of [
  ['a keyword', '# toy\nma$0chine a', /^\*\*machine\*\* NAME$/],
  ['the region of a line', '# toy\nmachine a\n 0x0..0xa0000 ram$0', /ram `\[0x0, 0xa0000\)`, 640 KiB/],
  [
    'what lies above',
    '# toy\nmachine a\n 0x0..0xa0000 ram$0\n 0xc0000..0x100000 rom',
    /Above: rom `\[0xc0000, 0x100000\)`, after a hole of 128 KiB\./,
  ],
  [
    'what touches below',
    '# toy\nmachine a\n 0x0..0xa0000 ram\n 0xa0000..0xc0000 mmio$0',
    /Below: ram `\[0x0, 0xa0000\)`, which touches it\./,
  ],
  [
    'an address near a boundary',
    '# toy\nmachine a\n 0x0..0xa0000 ram\n 0xa0000..0xc0000 mmio\n# at 0x9$0a070',
    /In \*\*a\*\* `0x9a070` is in ram .* at offset 0x9a070, 0x5f90 before its end, where mmio begins/,
  ],
  [
    'an address in a hole',
    '# toy\nmachine a\n 0x0..0xa0000 ram\n 0xc0000..0x100000 rom\n# at 0xa1$0000',
    /nothing is at `0xa1000`: 0x1000 after the end of ram, 0x1f000 before rom\./,
  ],
  ['a register by the word before it', '# toy\n# CR0: 0x80050033$0 CR4', /\*\*cr0\*\* `0x80050033`/],
  ['a descriptor by its shape', '# toy\n# 0x00af9b00$00000ffff', /\*\*.*descriptor.*\*\*/i],
] as const) {
  test(`hover says ${what}`, () => {
    assert.match(hoverText(fixture), expected);
  });
}

for (const [what, fixture] of [
  ['plain words', '# toy\nno$0thing'],
  ['a decimal number', '# toy\n51$02'],
  ['a MAC address', '# toy\nfe:e1:b$0b:d1:c8:01'],
  ['the first part of a UUID', '# toy\n550e8$0400-e29b-41d4-a716-446655440000'],
  ['more than 64 bits', '# toy\n0x1ffffffff$0ffffffff'],
  ['a place beyond the text', '# toy$0'],
] as const) {
  test(`hover is silent on ${what}`, () => {
    assert.equal(hoverText(fixture), '');
  });
}

test('what the language said of a region is not said again', () => {
  const document = parseToy('# toy\nmachine a\n 0x0..0xa0000 ram\n 0xa0000..0xc0000 mmio');
  const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 5 } };
  const found = hover(document, { line: 2, character: 1 }, { range, markdown: 'ram `[0x0, 0xa0000)`' });
  assert.deepEqual(found?.contents, {
    kind: 'markdown',
    value: 'ram `[0x0, 0xa0000)`\n\n---\n\nAbove: mmio `[0xa0000, 0xc0000)`, which touches it.',
  });
});

test('the label of a number ends at the number before it', () => {
  const { text, cursor } = marked('# toy\nCR0: 0x80050033 CR4: 0x6$0f0');
  assert.equal(numberAt(parseToy(text), cursor!)?.label, ' CR4: ');
});

test('names of machines cannot become markup', () => {
  assert.match(hoverText('# toy\nmachine [x](y)\n 0x0..0x1000 ram$0'), /\*\*\\\[x\\\]\(y\)\*\*/);
});

test('a line of a thousand regions and a line of ten megabytes are survived', () => {
  const many = Array.from({ length: 300 }, (_, i) => ` 0x${i}000..0x${i}800 ram`).join('\n');
  assert.ok(hoverText(`# toy\nmachine a\n${many}\n$0`).length < 60_000);
  const long = 'f'.repeat(10_000_000);
  const document = parseToy(`# toy\n${long}`);
  assert.equal(numberAt(document, { line: 1, character: 5_000_000 }), null);
});
