import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonAt, jsonMember, parseJson, type JsonNode } from '../../../server/src/text/json';

/** The node as a plain value; integers as bigint. */
function plain(node: JsonNode | null): unknown {
  if (!node) return undefined;
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key.value, plain(value)]));
    case 'array':
      return node.items.map(plain);
    case 'number':
      return node.integer ?? node.value;
    default:
      return node.value;
  }
}

for (const [text, value] of [
  ['{"a": 1}', { a: 1n }],
  ['[true, false, null, "x\\n\\u0041"]', [true, false, null, 'x\nA']],
  ['18446744073709551615', 18446744073709551615n],
  ['-9223372036854775808', -9223372036854775808n],
  ['123456789012345678901234567890', 123456789012345678901234567890n],
  ['1.5e3', 1500],
  ['\ufeff{"bom": 1}', { bom: 1n }],
  ['  \r\n "text"  ', 'text'],
] as const) {
  test(`${JSON.stringify(text)} is read whole`, () => {
    const { root, problems } = parseJson(text);
    assert.deepEqual(plain(root), value);
    assert.deepEqual(problems, []);
  });
}

for (const [text, value, messages] of [
  ['', undefined, ['A value is missing']],
  ['{', {}, ['} is missing']],
  ['{"a"', { a: undefined }, ['A colon and a value must follow the key']],
  ['{"a":', { a: undefined }, ['A value is missing']],
  ['{"a": 1 "b": 2}', { a: 1n, b: 2n }, ['A comma is missing']],
  ['{"a": [1, 2}', { a: [1n, 2n] }, ['] is missing']],
  ['{"a": 1,}', { a: 1n }, ['JSON has no comma after the last value']],
  ['[1,,2]', [1n, 2n], ['A value is missing before the comma']],
  ['// no\n{"a": /* no */ 1}', { a: 1n }, ['JSON has no comments', 'JSON has no comments']],
  ['{"a": $MEM, "b": 2}', { a: '$MEM', b: 2n }, ['A placeholder stands for a value']],
  [
    '[${A}${B}, {{ c }}, 1]',
    ['${A}${B}', '{{ c }}', 1n],
    ['A placeholder stands for a value', 'A placeholder stands for a value'],
  ],
  ['{"a": $, "b": 2}', { a: undefined, b: 2n }, ['A value is missing']],
  ['{a: 1, "b": 2}', { b: 2n }, ['A key in double quotes is missing']],
  [
    '{"a": "open\n"b": 2}',
    { a: 'open', b: 2n },
    ['The string does not end on its line', 'A comma is missing'],
  ],
  ['1 2', 1n, ['The text goes on behind its value']],
  ['{"a": 01}', { a: 0n }, ['A comma is missing']],
] as const) {
  test(`${JSON.stringify(text)} gives what was understood, and says what is wrong`, () => {
    const { root, problems } = parseJson(text);
    assert.deepEqual(plain(root), value);
    assert.deepEqual(
      problems.map(({ message }) => message).filter((message) => messages.includes(message as never)),
      messages,
    );
  });
}

test('a second member of a key knows the first', () => {
  const { root } = parseJson('{"a": 1, "b": 2, "a": 3}');
  assert.ok(root?.kind === 'object');
  const [first, , second] = root.members;
  assert.equal(second?.duplicateOf, first);
  assert.equal(first?.duplicateOf, null);
  assert.equal(jsonMember(root, 'a'), first);
});

test('nodes know where they stand', () => {
  const text = '{"boot-source": {"boot_args": "quiet"}}';
  const node = jsonAt(parseJson(text).root, 'boot-source', 'boot_args');
  assert.equal(text.slice(node!.start, node!.end), '"quiet"');
});

test('nesting without end is refused, not followed', () => {
  const { root, problems } = parseJson('['.repeat(200_000));
  assert.equal(root?.kind, 'array');
  assert.ok(problems.some(({ code }) => code === 'too-deep'));
});

test('what JSON.parse takes is read to the same value without a problem', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      const { root, problems } = parseJson(text);
      const numbers = JSON.stringify(plain(root), (_, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
      assert.deepEqual(problems, []);
      // "__proto__" as a key, and -0, are the two that plain objects and integers do not keep.
      if (!text.includes('__proto__') && !/-0(?![.\d])/.test(text)) {
        assert.deepEqual(JSON.parse(numbers), JSON.parse(text));
      }
    }),
    { numRuns: 300 },
  );
});

test('no text makes the reader throw or hang', () => {
  const piece = fc.constantFrom(
    ...'{}[]:,"\\/*01.eE-+tfn\n\r \0$',
    'true',
    'null',
    '"a":',
    '18446744073709551616',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('');
      const { problems } = parseJson(text);
      for (const { start, end } of problems) assert.ok(start >= 0 && end <= text.length && start <= end);
    }),
    { numRuns: 2000 },
  );
});
