/** Half-typed and mangled plans: nothing throws, nothing hangs, and every place lies inside of the text. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import fc from 'fast-check';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { read, URI } from './read';

const EXAMPLES = join(process.env.BOOTPATH_ROOT!, 'examples/boot-plans');
const texts = readdirSync(EXAMPLES)
  .filter((name) => name.endsWith('.boot.toml'))
  .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'));

function holds(text: string): void {
  const document = read(text);
  const { lines } = new SourceText(URI, text);
  for (const { at, related = [], fixes = [] } of runChecks(document)) {
    const places = [at, ...related.map((place) => place.at), ...fixes.flatMap(({ edits }) => edits)];
    for (const place of places) {
      if (!place) continue;
      const [start, end] = [lines.offsetAt(place.range.start), lines.offsetAt(place.range.end)];
      assert.ok(start <= end && end <= text.length);
      assert.deepEqual(lines.positionAt(start), place.range.start);
    }
  }
  void document.outline;
  void document.links;
  for (const { bytes } of document.plan.structures.slice(0, 8)) assert.ok(bytes.length >= 0);
}

test('an example that ends anywhere', () => {
  const text = texts[0]!;
  for (let length = 0; length <= text.length; length += 3) holds(text.slice(0, length));
});

test('examples with pieces taken out, doubled, swapped and replaced', () => {
  const mutation = fc.record({
    text: fc.constantFrom(...texts),
    at: fc.nat(),
    length: fc.nat({ max: 40 }),
    by: fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '[',
        ']]',
        '{',
        '0xffffffffffffffff',
        '-1',
        '1e9',
        '\0',
        '=',
        '\r\n',
        '"64G"',
        '"2^64"',
      ),
      fc.string({ maxLength: 8 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), ([first, ...more]) => {
      let { text } = first!;
      for (const { at, length, by } of [first!, ...more]) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + by + text.slice(place + length);
      }
      holds(text);
    }),
    { numRuns: 300 },
  );
});

test('the largest mapping of small pages, and one that is too large, are read in no time', () => {
  const plan = (size: string) =>
    `[paging]\nmode = "4-level"\ntables = "1T"\n[[map]]\nlinear = 0\nsize = "${size}"\npage = "4K"\n[[vcpu]]\nrip = 0\n`;
  for (const size of ['8100M', '131072G']) {
    const from = performance.now();
    holds(plan(size));
    assert.ok(performance.now() - from < 3000, size);
  }
});
