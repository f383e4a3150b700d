import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { FIXTURES, keyOf, readAnnotated } from './annotated';
import { findings } from './read';

for (const name of readdirSync(FIXTURES).filter((file) => file.endsWith('.conf'))) {
  test(`${name}: each finding where its mark stands, and no other`, () => {
    const { text, expected } = readAnnotated(name);
    const found = findings(text);
    assert.deepEqual(found.map(keyOf).sort(), expected.map(({ key }) => key).sort());
    for (const { key, message } of expected) {
      const finding = found.find((candidate) => keyOf(candidate) === key)!;
      assert.ok(finding.message.includes(message), `${key}: "${finding.message}" has no "${message}"`);
    }
  });
}
