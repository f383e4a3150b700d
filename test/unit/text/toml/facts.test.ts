import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { readToml } from '../../../../server/src/text/toml/read';
import { plain, type Plain } from './plain';

const date = (text: string): Plain => ({ date: text });

/** toml.io/en/v1.0.0, section by section. */
const READ: readonly (readonly [title: string, text: string, value: Plain])[] = [
  ['a comment runs to the end of its line', '# a\nkey = 1 # b\n# c', { key: 1n }],
  ['lines end at LF or CRLF', 'a = 1\r\nb = 2\n', { a: 1n, b: 2n }],
  ['a byte-order mark is no part of the document', '\ufeffa = 1', { a: 1n }],
  ['bare keys have letters, digits, - and _', 'b-a_1 = 1\n1234 = 2', { 'b-a_1': 1n, '1234': 2n }],
  ['quoted keys may hold anything', '"a b" = 1\n\'c"d\' = 2\n"" = 3', { 'a b': 1n, 'c"d': 2n, '': 3n }],
  ['dotted keys make tables', 'a.b = 1\na . "c.d" = 2', { a: { b: 1n, 'c.d': 2n } }],
  ['3.14 before = is two keys', '3.1 = 1', { '3': { '1': 1n } }],
  ['escapes of basic strings', 's = "\\b\\t\\n\\f\\r\\"\\\\\\u00E9\\U0001F600"', { s: '\b\t\n\f\r"\\é😀' }],
  ['literal strings have none', "s = 'C:\\n'", { s: 'C:\\n' }],
  ['a newline right after """ is trimmed', 's = """\na\nb"""', { s: 'a\nb' }],
  ['\\ at a line’s end trims blank space', 's = """a \\\n   \n  b"""', { s: 'a b' }],
  ['two quotes may stand before closing ones', 's = """"a"""""', { s: '"a""' }],
  ["and in ''' too", "s = '''it''s'''''", { s: "it''s''" }],
  [
    'integers of four bases',
    'i = [+1_000, -17, 0xDEAD_beef, 0o755, 0b1101]',
    { i: [1000n, -17n, 0xdeadbeefn, 0o755n, 13n] },
  ],
  [
    'integers are exact to 64 bits',
    'i = [9223372036854775807, -9223372036854775808]',
    { i: [2n ** 63n - 1n, -(2n ** 63n)] },
  ],
  ['floats', 'f = [+1.0, -0.01, 5e+22, 6.626e-34, 1_0.2_5]', { f: [1, -0.01, 5e22, 6.626e-34, 10.25] }],
  ['infinities', 'f = [inf, +inf, -inf]', { f: [Infinity, Infinity, -Infinity] }],
  ['truth values', 'b = [true, false]', { b: [true, false] }],
  [
    'dates and times keep their text',
    'd = [1979-05-27T07:32:00Z, 1979-05-27 00:32:00.999-07:00, 1979-05-27T07:32:00, 1979-05-27, 07:32:00.5]',
    {
      d: [
        date('offset date-time 1979-05-27T07:32:00Z'),
        date('offset date-time 1979-05-27 00:32:00.999-07:00'),
        date('local date-time 1979-05-27T07:32:00'),
        date('local date 1979-05-27'),
        date('local time 07:32:00.5'),
      ],
    },
  ],
  ['arrays may span lines and end with a comma', 'a = [\n 1, # one\n "two",\n]', { a: [1n, 'two'] }],
  ['tables', '[a]\nb = 1\n[a.c]\nd = 2', { a: { b: 1n, c: { d: 2n } } }],
  ['a table may come after its sub-table', '[a.b]\n[a]\nc = 1', { a: { b: {}, c: 1n } }],
  ['a header may add a sub-table to a dotted one', '[f]\na.b = 1\n[f.a.c]', { f: { a: { b: 1n, c: {} } } }],
  ['inline tables', 'p = { x = 1, y.z = 2 }', { p: { x: 1n, y: { z: 2n } } }],
  ['arrays of tables', '[[p]]\na = 1\n[[p]]\n[p.q]\nb = 2', { p: [{ a: 1n }, { q: { b: 2n } }] }],
  [
    'a key of JavaScript is a key like others',
    '__proto__ = 1\n[constructor]',
    { ['__proto__']: 1n, constructor: {} },
  ],
];

for (const [title, text, value] of READ) {
  test(title, () => {
    const { root, problems } = readToml(text);
    assert.deepEqual(problems, []);
    assert.deepEqual(plain(root), plain(value));
  });
}

/** What TOML forbids, with the text of the place that the problem names and words of it. */
const REFUSED: readonly (readonly [title: string, text: string, at: string, words: RegExp])[] = [
  ['two keys of one name', 'a = 1\n"a" = 2', '"a"', /already there/],
  ['two tables of one name', '[a]\n[b]\n[a]', 'a', /table `a` already/],
  ['a table over a value', 'a = 1\n[a]', 'a', /value `a` already/],
  ['a dotted key into a value', 'a = 1\na.b = 2', 'a', /no table/],
  ['a header over a dotted table', 'a.b = 1\n[a]', 'a', /already/],
  ['a dotted key into a table of its own header', '[a.b]\n[a]\nb.c = 1', 'b', /already defined elsewhere/],
  ['a dotted key into an inline table', 'a = {}\na.b = 1', 'a', /no table/],
  ['[[a]] over a plain array', 'a = []\n[[a]]', 'a', /other than an array of tables/],
  ['[a] over [[a]]', '[[a]]\n[a]', 'a', /array `a` already/],
  ['a comma at the end of an inline table', 'a = { b = 1, }', ',', /no comma before/],
  ['a decimal number with a leading 0', 'a = 042', '042', /octal/],
  ['an underscore that is not between digits', 'a = 1__0', '1__0', /each underscore/],
  ['a point without a digit after it', 'a = 1.', '1.', /both sides/],
  ['a hexadecimal number with a sign', 'a = -0x1', '-0x1', /no sign/],
  ['9223372036854775808', 'a = 9223372036854775808', '9223372036854775808', /more than 2\^63 - 1/],
  ['true with a capital', 'a = True', 'True', /lower case/],
  ['text without quotes', 'a = text', 'text', /needs quotes/],
  ['a day that the month does not have', 'a = 2023-02-29', '2023-02-29', /no date/],
  ['half of a surrogate pair', 'a = "\\ud800"', '\\ud800', /no Unicode scalar/],
  ['an unknown escape', 'a = "C:\\path"', '\\p', /no escape/],
  ['a control character in a string', 'a = "\u0001"', '\u0001', /U\+0001/],
  ['a control character in a comment', '# \u0000', '\u0000', /control character/],
  ['two values on a line', 'a = 1 b = 2', 'b = 2', /Nothing but a comment/],
  ['a multi-line key', '"""a""" = 1', '"""', /multi-line/],
  ['a lone carriage return', 'a = 1\rb = 2', '\rb = 2', /Nothing but a comment/],
];

for (const [title, text, at, words] of REFUSED) {
  test(`${title}: a problem with its place`, () => {
    const [problem] = readToml(text).problems;
    assert.match(problem?.message ?? '', words);
    assert.equal(text.slice(problem!.start, problem!.end), at);
  });
}

test('a duplicate names the first place too, and the first value stays', () => {
  const text = 'a = 1\na = 2';
  const { root, problems } = readToml(text);
  assert.deepEqual(plain(root), { a: 1n });
  assert.equal(problems[0]!.kind, 'duplicate');
  assert.deepEqual(problems[0]!.first, { start: 0, end: 1 });
});

test('a number beyond 64 bits keeps its value, so that it can be shown', () => {
  const { root, problems } = readToml('a = 0x1_0000_0000_0000_0000');
  assert.equal(problems[0]!.kind, 'range');
  assert.deepEqual(plain(root), { a: 1n << 64n });
});

function levelsOf(value: unknown): number {
  return typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(levelsOf))
    : 0;
}

for (const [what, text] of [
  ['a key', `${'a.'.repeat(50_000)}b = 1`],
  ['a header', `[${'a.'.repeat(50_000)}b]\nc = 1`],
  ['arrays', `a = ${'['.repeat(50_000)}`],
  ['inline tables', `a = ${'{ a.b.c = '.repeat(20_000)}`],
] as const) {
  test(`${what} of many levels is read to a depth that everything that walks it can go`, () => {
    const { root, problems } = readToml(text);
    assert.ok(levelsOf(plain(root)) <= 200);
    assert.ok(problems.some(({ message }) => /80 (?:parts )?are not read/.test(message)));
  });
}
