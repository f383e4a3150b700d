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

test('the targets of aliases are looked up once for all address spaces of a listing', () => {
  const everything = '0000000000000000-ffffffffffffffff';
  const spaces = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const root = `  ${everything} (prio 0, i/o): root-${index}`;
      const ram = `    0000000000000000-0000000007ffffff (prio 0, ram): ram-${index}`;
      return `address-space: cpu-memory-${index}\n${root}\n${ram}\n`;
    }).join('\n');
  assert.equal(parse(spaces(3)).machines.length, 3);
  const [short, long] = [spaces(1000), spaces(8000)];
  const [a, b] = [quickest(() => parse(short)), quickest(() => parse(long))];
  assert.ok(b < 30 * a + 50, `${a} ms, then ${b} ms`);
});

test('a region that many address spaces show is followed a bounded number of times', () => {
  const row = (start: number) =>
    `${(start * 8192).toString(16).padStart(16, '0')}-${(start * 8192 + 4095).toString(16).padStart(16, '0')}`;
  const everything = '0000000000000000-ffffffffffffffff';
  const text = [
    ...Array.from(
      { length: 1000 },
      (_, index) =>
        `address-space: cpu-memory-${index}\n  ${everything} (prio 0, i/o): alias a @big ${everything}\n`,
    ),
    `memory-region: big\n  ${everything} (prio 0, i/o): big`,
    ...Array.from({ length: 4000 }, (_, index) => `    ${row(index)} (prio 0, ram): ram-${index}`),
  ].join('\n');
  assert.ok(quickest(() => parse(text)) < 5000);
  assert.ok(parse(text).problems.some(({ code }) => code === 'map-too-long'));
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
