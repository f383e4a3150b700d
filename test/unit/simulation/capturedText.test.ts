/** What is kept of a guest's text. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { CapturedText } from '../../../server/src/simulation/capturedText';

const HALF = 1 << 19;

test('a text is kept whole, and told line by line', () => {
  const lines: string[] = [];
  const captured = new CapturedText((line) => lines.push(line));
  for (const piece of ['one\r\ntw', 'o\n', 'three']) captured.write(piece);
  assert.deepEqual([captured.text, lines, captured.lastLine], ['one\r\ntwo\nthree', ['one', 'two'], 'three']);
  captured.flush();
  assert.deepEqual(lines, ['one', 'two', 'three']);
});

for (const size of [1, 1000, 3 * HALF]) {
  test(`of a long text in pieces of ${size} the start and the end are kept, and the rest is counted`, () => {
    const whole = Array.from({ length: 400_000 }, (_, i) => `${i}\n`).join('');
    const captured = new CapturedText();
    for (let at = 0; at < whole.length; at += size) captured.write(whole.slice(at, at + size));
    const [, omitted = ''] = /\n\[bootpath: (\d+) characters were not kept\]\n/.exec(captured.text) ?? [];
    const [start = '', end = ''] = captured.text.split(/\n\[bootpath: .*\]\n/);
    assert.equal(start, whole.slice(0, HALF));
    assert.equal(end, whole.slice(-end.length));
    assert.ok(end.length >= HALF, String(end.length));
    assert.equal(start.length + Number(omitted) + end.length, whole.length);
  });
}

test('a text that lost its middle goes on from what was saved', () => {
  const whole = new CapturedText();
  const restored = new CapturedText();
  for (let i = 0; i < 500_000; i++) {
    if (i === 300_000) restored.restore(structuredClone(whole.save()));
    whole.write(`${i} `);
    if (i >= 300_000) restored.write(`${i} `);
  }
  assert.equal(restored.text, whole.text);
});
