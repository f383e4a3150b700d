import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { memmap } from '../../../server/src/memory-map/language';
import { DIALECTS } from '../../../server/src/memory-map/language';
import { parse } from './read';

/** Milliseconds of the quickest of three tries: a busy machine only ever adds. */
function quickest(work: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}

const NOISE =
  '[   12.345678] usb 1-1: new high-speed USB device number 2 using xhci_hcd, e820 and user: [memory] - 00001234';
const log = (lines: number, entry: (index: number) => string): string =>
  Array.from({ length: lines }, (_, index) => (index % 10 === 0 ? entry(index) : NOISE)).join('\n');

const ENTRIES: readonly (readonly [string, (index: number) => string])[] = [
  [
    'e820',
    (index) =>
      `BIOS-e820: [mem 0x${(index * 4096).toString(16)}-0x${(index * 4096 + 4095).toString(16)}] usable`,
  ],
  [
    'iomem',
    (index) =>
      `${(index * 4096 + 0x10000000).toString(16)}-${(index * 4096 + 0x10000fff).toString(16)} : System RAM`,
  ],
  [
    'efi',
    (index) =>
      `efi: mem${index}: type=7, attr=0xf, range=[0x${(index * 4096).toString(16)}-0x${(index * 4096 + 4096).toString(16)}) (0MB)`,
  ],
  ['nothing', () => NOISE],
];

for (const [name, entry] of ENTRIES) {
  test(`a log with ${name} of 100,000 lines takes ten times as long as one of 10,000, not a hundred times`, () => {
    const [short, long] = [log(10_000, entry), log(100_000, entry)];
    parse(short);
    const [a, b] = [quickest(() => parse(short)), quickest(() => parse(long))];
    assert.ok(b < 40 * a + 50, `${a} ms, then ${b} ms`);
  });
}

test('no dialect takes long to find nothing in the head of a text', () => {
  const head = log(600, () => NOISE);
  for (const { name, has } of DIALECTS) {
    assert.equal(has(head), false, name);
    const time = quickest(() => has(head));
    assert.ok(time < 20, `${name}: ${time} ms`);
  }
  assert.equal(memmap.recognise(head, 'x.log'), false);
});

test('one endless line costs no more than many', () => {
  for (const piece of [
    'BIOS-e820: [mem 0x',
    'efi: mem00: [',
    '0000000000000000',
    ' ',
    'e820: update [mem ',
    '|',
    '- 00000000',
  ])
    assert.ok(quickest(() => parse(piece.repeat(200_000 / piece.length))) < 2000, piece);
});
