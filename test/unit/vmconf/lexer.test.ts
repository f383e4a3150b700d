import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lexer, type Token } from '../../../server/src/vmm/vmd/lexer';
import { KEYWORDS } from '../../../server/src/vmm/vmd/vocabulary';
import { SourceText } from '../../../server/src/text/sourceText';
import { FIXTURES } from './annotated';

interface Scan {
  readonly tokens: Token[];
  readonly problems: string[];
}

function scan(text: string, macros: Readonly<Record<string, string>> | null = {}): Scan {
  const problems: string[] = [];
  const lexer = new Lexer(new SourceText('file:///vm.conf', text), {
    keywords: KEYWORDS,
    macro: macros && ((name) => macros[name]),
    problem: (kind) => problems.push(kind),
  });
  const tokens: Token[] = [];
  for (let token = lexer.next(); token.kind !== 'end'; token = lexer.next()) tokens.push(token);
  return { tokens, problems };
}

/** `kind:text` of each token but the last newline, which vmd fakes. */
function shown(text: string, macros?: Readonly<Record<string, string>>): string {
  return scan(text, macros)
    .tokens.slice(0, -1)
    .map(({ kind, text: word }) => (kind === 'newline' ? 'NL' : `${kind[0]}:${word}`))
    .join(' ');
}

// Each rule of yylex, lgetc and igetc in usr.sbin/vmd/parse.y rev 1.72. k keyword, s string, n number, p punctuation.
for (const [rule, text, expected] of [
  ['a keyword is the whole word', 'vm vms VM', 'k:vm s:vms s:VM'],
  ['a quoted keyword is a string', '"vm"', 's:vm'],
  ['blanks and tabs only separate', ' \tvm\t "a" ', 'k:vm s:a'],
  ['a newline is a token', 'a\nb', 's:a NL s:b'],
  ['a comment goes to the end of the line', 'a # b c\nd', 's:a NL s:d'],
  ['a backslash continues a comment', '# a \\\n b\nc', 'NL s:c'],
  ['a backslash joins lines', 'a \\\n b', 's:a s:b'],
  ['and words', 'mem\\\nory', 'k:memory'],
  ['a backslash before another character is dropped', 'a\\bc', 's:abc'],
  ['a brace ends a word', 'foo{', 's:foo p:{'],
  ['no comment of C', '//a', 's://a'],
  ['a number', 'a 512 ', 's:a n:512'],
  ['a negative number', '-5 ', 'n:-5'],
  ['a lone minus', '- 5', 'p:- n:5'],
  ['a number with a suffix is a string', '512M', 's:512M'],
  ['so is a dotted one', '10.0.0.0/8', 's:10.0.0.0/8'],
  ['a slash ends a number', '10/8', 'n:10 s:/8'],
  ['so do ) , } =', '1) 2, 3} 4=', 'n:1 p:) n:2 p:, n:3 p:} n:4 p:='],
  ['a brace does not: the digits are a word', '9{', 's:9 p:{'],
  ['a number at the end of the file', '7', 'n:7'],
  ['a word begins with : _ / too', ':grp _x /p', 's::grp s:_x s:/p'],
  ['and goes on with most punctuation', 'a-b.c~d*e:f@g%h\'i"j', 's:a-b.c~d*e:f@g%h\'i"j'],
  ['other characters stand alone', '.a ~b', 'p:. s:a p:~ s:b'],
  ['a MAC address is a word', '00:11:22:33:44:55', 's:00:11:22:33:44:55'],
  ['quotes of both kinds', `"a b" 'c d'`, 's:a b s:c d'],
  ['a newline in quotes is dropped', '"a\n-b"', 's:a-b'],
  ['a backslash in quotes escapes the quote', '"a\\"b"', 's:a"b'],
  ['a blank and a tab', '"a\\ b\\\tc"', 's:a b\tc'],
  ['joins lines', '"a\\\nb"', 's:ab'],
  ['and is kept before anything else', '"a\\nb\\\'"', "s:a\\nb\\'"],
  ['a macro', '$m', 's:value'],
  ['a macro and what is glued to it are one word', '$m/x', 's:value/x'],
  ['a macro in the middle of a word is none', 'a$m', 's:a$m'],
  ['nor in quotes', '"$m"', 's:$m'],
  ['a macro of several words', '$words', 'k:memory s:1G'],
  ['a macro with quotes in its text', '$quoted', 's:a b'],
  ['a macro with a comment in its text', '$comment x\ny', 's:a NL s:y'],
  ['macros do not nest', '$nested', 'p:$ s:m'],
  ['an empty macro', '$empty x', 's:x'],
  ['no line break at the end', 'a', 's:a'],
] as const) {
  const macros = {
    m: 'value',
    words: 'memory 1G',
    quoted: '"a b"',
    comment: 'a # b',
    nested: '$m',
    empty: '',
  };
  test(`${rule}: ${JSON.stringify(text)}`, () => assert.equal(shown(text, macros), expected));
}

for (const [text, problem] of [
  ['"abc', 'unterminated-string'],
  ['"abc\n\tmemory 1G\n}', 'unterminated-string'],
  ['9223372036854775808 ', 'number-range'],
  ['$nobody', 'undefined-macro'],
  ['a\r\nb', 'carriage-return'],
  ['x'.repeat(8096), 'string-too-long'],
  [`"${'x'.repeat(8095)}"`, 'string-too-long'],
] as const) {
  test(`${problem}: ${JSON.stringify(text.slice(0, 30))}`, () =>
    assert.deepEqual(scan(text).problems, [problem]));
}

test('a string that is not closed ends with its line where the next begins a statement', () => {
  assert.equal(shown('disk "/a\n\tmemory 1G\n}'), 'k:disk s:/a NL k:memory s:1G NL p:}');
});

test('the carriage return after a comment is part of it, as in vmd', () => {
  assert.deepEqual(scan('# a\r\n# b\r\n').problems, []);
});

test('the token of a macro stands where its name does', () => {
  const { tokens } = scan('disk $m/x y', { m: '/images' });
  assert.deepEqual(
    tokens.slice(1, 3).map(({ start, end, macro }) => [start, end, macro]),
    [
      [5, 9, 'm'],
      [10, 11, null],
    ],
  );
});

/** What may stand between two tokens. */
const TRIVIA = /^(?:[ \t]|\\\r?\n|#(?:[^\n\\]|\\[^])*|\\(?=[ \t]))*$/;

function assertNothingLost(text: string): void {
  let last = 0;
  for (const { start, end } of scan(text, null).tokens) {
    assert.ok(start >= last && end >= start, `token at ${start} after ${last}`);
    assert.match(text.slice(last, start), TRIVIA);
    last = end;
  }
  assert.match(text.slice(last), TRIVIA);
}

test('no text is lost between the tokens of a fixture', () => {
  for (const name of readdirSync(FIXTURES)) assertNothingLost(readFileSync(join(FIXTURES, name), 'utf8'));
});

test('no text is lost, whatever the text', () => {
  const word = fc.constantFrom(
    'vm',
    'disk',
    '"',
    "'",
    '{',
    '}',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '#',
    '$',
    'a',
    '1',
    '/',
    ',',
    '-',
    '=',
    'é',
    '\0',
    '$m',
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 60 }), (words) => assertNothingLost(words.join(''))));
});
