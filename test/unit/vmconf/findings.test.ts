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

for (const [free, what] of [
  [1, 'sure where the VM takes one disk more'],
  [0, 'not preferred where it would make a disk too many'],
] as const) {
  test(`giving each of two joined disks its line is ${what}`, () => {
    const disks = Array.from({ length: 2 - free }, (_, index) => `\tdisk "/d${index}.img"\n`).join('');
    const text = `vm "a" {\n${disks}\tdisk "/x.img" "/y.img"\n\tdisk "/z.img"\n}\n`;
    const found = findings(text).find(({ code }) => code === 'vmconf-paths-joined');
    assert.equal(found!.fixes![0]!.preferred === true, free === 1);
  });
}
