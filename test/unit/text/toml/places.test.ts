import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { readToml } from '../../../../server/src/text/toml/read';
import type { TomlTable, TomlValue } from '../../../../server/src/text/toml/tree';
import { plain } from './plain';

const tableAt = (table: TomlTable, ...path: string[]): TomlTable => {
  let into = table;
  for (const key of path) {
    const value = into.entries.get(key)?.value;
    assert.ok(value?.kind === 'table');
    into = value;
  }
  return into;
};

test('every key, value and table knows where it stands', () => {
  const text = '# config\n[main]\nname = "test"\nmemory = 0x400 # MiB\n\n[dev.disk0]\npci-path = "0.4.0"\n';
  const { root } = readToml(text);
  const show = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
  const main = tableAt(root, 'main');
  assert.equal(show(main), '[main]\nname = "test"\nmemory = 0x400');
  assert.equal(show(root.entries.get('main')!.key), 'main');
  assert.equal(show(main.entries.get('memory')!.key), 'memory');
  assert.equal(show(main.entries.get('memory')!.value), '0x400');
  assert.equal(show(tableAt(root, 'dev', 'disk0')), '[dev.disk0]\npci-path = "0.4.0"');
  assert.equal(tableAt(root, 'dev').form, 'implicit');
});

/** A line that is half typed, between two that are whole. */
const HALF_TYPED = [
  'memory',
  'memory =',
  'memory = ',
  'memory = "',
  "memory = 'a",
  'memory = [',
  'memory = [1, ',
  'memory = [[1], [',
  'memory = {',
  'memory = { a',
  'memory = { a =',
  'memory = { a = 1,',
  'memory = """',
  "memory = '''",
  '= 4',
  'memory.',
  'memory. = 4',
  'a b = 4',
  '"memory',
  '.',
  '!?',
  ']',
  '\0',
];

for (const half of HALF_TYPED) {
  test(`after a line \`${JSON.stringify(half).slice(1, -1)}\`, the rest is still read`, () => {
    const { root, problems } = readToml(`[main]\nbefore = 1\n${half}\nafter = 2\n[dev.a]\ndriver = "x"\n`);
    assert.ok(problems.length > 0 && problems.every(({ kind }) => kind === 'syntax'));
    const main = tableAt(root, 'main');
    assert.deepEqual(plain(main.entries.get('before')!.value), 1n);
    assert.deepEqual(plain(main.entries.get('after')!.value), 2n);
    assert.deepEqual(plain(tableAt(root, 'dev', 'a')), { driver: 'x' });
  });
}

for (const half of ['[', '[[', '[dev', '[dev.', '[[dev]', '[]', '[dev] x']) {
  test(`after a header \`${half}\`, the next table is still read`, () => {
    const { root, problems } = readToml(`[main]\nbefore = 1\n${half}\nlost = 2\n[cpuid.a]\nvendor = "amd"\n`);
    assert.ok(problems.length > 0);
    assert.deepEqual(plain(tableAt(root, 'main')), { before: 1n });
    assert.deepEqual(plain(tableAt(root, 'cpuid', 'a')), { vendor: 'amd' });
  });
}

test('a key without a value is there, for those who complete it', () => {
  const { root } = readToml('[main]\nmem\nname =\n');
  const main = tableAt(root, 'main');
  assert.deepEqual([...main.entries.keys()], ['mem', 'name']);
  assert.equal(main.entries.get('name')!.value.kind, 'invalid');
});

function checkPlaces(value: TomlValue, length: number): void {
  assert.ok(value.start >= 0 && value.end >= value.start && value.end <= length);
  if (value.kind === 'array') for (const item of value.items) checkPlaces(item, length);
  if (value.kind === 'table') {
    for (const { key, value: inner } of value.entries.values()) {
      assert.ok(key.end >= key.start && key.end <= length);
      checkPlaces(inner, length);
    }
  }
}

const noise = fc
  .array(fc.constantFrom(...'[]{}=.,#"\'\\\n\r \t0x1e_-+:TZabc\0\ud83d', '"""', "'''", 'inf', '1979-05-27'), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''));

test('any text is read without an exception, and all places lie within it', () => {
  fc.assert(
    fc.property(noise, (text) => {
      const { root, problems } = readToml(text);
      checkPlaces(root, text.length);
      for (const { start, end } of problems) assert.ok(start >= 0 && start <= end && end <= text.length);
    }),
    { numRuns: 3000 },
  );
});

/** Values and their TOML text. */
const scalar = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => [value, String(value)] as const),
  fc.boolean().map((value) => [value, String(value)] as const),
  fc.double({ noNaN: true }).map((value) => [value, floatText(value)] as const),
  fc.string({ unit: 'grapheme' }).map((value) => [value, quoted(value)] as const),
);
const value = fc.letrec<{ any: readonly [unknown, string] }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('any'), { maxLength: 4 }).map((items) => {
      return [items.map(([item]) => item), `[ ${items.map(([, text]) => `${text},\n`).join(' ')}]`] as const;
    }),
  ),
})).any;

function floatText(number: number): string {
  if (!Number.isFinite(number)) return number < 0 ? '-inf' : 'inf';
  const text = Object.is(number, -0) ? '-0.0' : String(number);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function quoted(text: string): string {
  const escaped = text.replace(
    /["\\\p{Cc}]/gu,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}

test('what is written as TOML comes back', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.dictionary(fc.string(), value)), (tables) => {
      const text = Object.entries(tables).map(([name, entries]) => {
        const lines = Object.entries(entries).map(([key, [, written]]) => `${quoted(key)} = ${written}`);
        return `[${quoted(name)}]\n${lines.join('\n')}\n`;
      });
      const { root, problems } = readToml(text.join('\n'));
      assert.deepEqual(problems, []);
      assert.deepEqual([...root.entries.keys()].sort(), Object.keys(tables).sort());
      for (const [name, entries] of Object.entries(tables)) {
        const read = tableAt(root, name);
        for (const [key, [wanted]] of Object.entries(entries)) {
          assert.deepEqual(plain(read.entries.get(key)!.value), wanted);
        }
      }
    }),
  );
});

/** Texts that make a careless reader quadratic: 100,000 of one thing. */
const LONG: readonly (readonly [string, string])[] = [
  ['entries', Array.from({ length: 100_000 }, (_, index) => `key${index} = ${index}`).join('\n')],
  ['tables', Array.from({ length: 100_000 }, (_, index) => `[a.b${index}]`).join('\n')],
  ['lines without sense', '?!\n'.repeat(100_000)],
  ['unclosed arrays', 'a = [\n'.repeat(100_000)],
  ['nested arrays', '['.repeat(100_000)],
  ['nested arrays, one a line', `a = ${'[\n'.repeat(100_000)}`],
  ['dots', `a${'.a'.repeat(100_000)} = 1`],
  ['unclosed multi-line strings', 'a = \'\'\'\n"""'.repeat(33_333)],
  ['quotes', '"'.repeat(200_000)],
  ['digits', `a = ${'9'.repeat(200_000)}`],
  ['items', `a = [${'1,\n'.repeat(100_000)}]`],
  ['blanks', `a = [${' '.repeat(200_000)}`],
];

for (const [what, text] of LONG) {
  test(`100,000 ${what} are read in linear time`, () => {
    const start = performance.now();
    readToml(text);
    // Linear reading takes about 100 ms; quadratic, minutes.
    assert.ok(performance.now() - start < 5000);
  });
}
