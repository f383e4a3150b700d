import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { MOST_TOKENS } from '../../../server/src/vmm/vmd/tokenStream';
import { vmconf } from '../../../server/src/vmm/vmd/language';
import { recogniseVmConf } from '../../../server/src/vmm/vmd/recognise';
import { FIXTURES, readAnnotated } from './annotated';
import { codes, findings, read } from './read';

const TEXTS = readdirSync(FIXTURES).map((name) => readAnnotated(name).text);
const EXAMPLE = readFileSync(join(process.env.BOOTPATH_ROOT!, 'examples/vmd-alpine/vm.conf'), 'utf8');

/** Everything that an editor asks of a text: none of it may throw, and every range must lie in the text. */
function survive(text: string, probe = text.length): void {
  const document = read(text);
  const { lines } = document.source;
  for (const { at, message, fixes = [] } of findings(text)) {
    assert.ok(message.length > 0 && message.length < 2000);
    for (const { range } of [at!, ...fixes.flatMap(({ edits }) => edits)]) {
      assert.ok(lines.offsetAt(range.start) <= lines.offsetAt(range.end));
      assert.ok(range.end.line < lines.lineCount);
    }
  }
  const position = lines.positionAt(probe);
  vmconf.describe!(document, position);
  vmconf.complete!(document, position);
  recogniseVmConf(text);
}

test('a fixture cut off at any character', () => {
  for (const text of [...TEXTS, EXAMPLE]) {
    for (let end = 0; end <= text.length; end++) survive(text.slice(0, end));
  }
});

test('a fixture with random changes', () => {
  const change = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 20 }),
    insert: fc.constantFrom(
      '"',
      "'",
      '{',
      '}',
      '\n',
      '\\',
      '$',
      '#',
      '\0',
      ',',
      '=',
      '\r',
      'vm',
      'é',
      '\u{1f4be}',
      '\ud800',
      '-',
      ' include "x"\n',
    ),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...TEXTS, EXAMPLE),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      (text, changes) => {
        let result = text;
        for (const { at, remove, insert } of changes) {
          const start = at % (result.length + 1);
          result = result.slice(0, start) + insert + result.slice(start + remove);
        }
        survive(result, changes[0]!.at % (result.length + 1));
      },
    ),
    { numRuns: 300 },
  );
});

test('NUL bytes are reported where they stand', () => {
  const [finding] = findings('vm "a" {\n\tdisk "/a"\n\0memory 1G\n}\n');
  assert.equal(finding!.code, 'vmconf-unexpected-character');
  assert.equal(finding!.at!.range.start.line, 2);
});

test('a character of two UTF-16 units is one character', () => {
  const [finding] = findings('vm "a" {\n\tdisk "/a" \u{1f600}\n}\n');
  assert.match(finding!.message, /^The character U\+1F600 begins no word/);
  assert.deepEqual(finding!.at!.range, {
    start: { line: 1, character: 11 },
    end: { line: 1, character: 13 },
  });
});

test('a text that is longer than what is read has no finding about its end', () => {
  const text = `vm "a" {\n\tdisk "/a"\n${'\n'.repeat(MOST_TOKENS)}}\n`;
  assert.deepEqual(codes(text), ['vmconf-too-long']);
});

test('CR LF is one finding, and the file is read all the same', () => {
  const text = 'vm "a" {\r\n\tdisk "/a"\r\n\tmemory 1G\r\n}\r\n';
  assert.deepEqual(codes(text), ['vmconf-line-endings']);
  assert.equal(read(text).machines[0]!.memory?.value, 1n << 30n);
});

test('a half-typed file gives every VM that can be understood', () => {
  const text =
    'vm "a" {\n\tdisk "/a"\n\tmemory 1G\nvm "b" {\n\tmemory\n\tdisk "/b\nvm "c" {\n\tinterface {\n\tdisk "/c"\n}\nvm "d';
  assert.deepEqual(
    read(text).machines.map(({ name, images }) => [name, images.map(({ path }) => path)]),
    [
      ['a', ['/a']],
      ['b', ['/b']],
      ['c', ['/c']],
      ['d', []],
    ],
  );
});

/** Ten megabytes without a line break, of each thing that a line can be full of. */
const LENGTH = 10 * 1024 * 1024;
for (const unit of [
  'a',
  'a ',
  '"',
  '{',
  '}',
  '$a ',
  '\\',
  '1',
  '-',
  'vm "a" { ',
  'vm a { interface { ',
  'a=',
  '# ',
  'é',
]) {
  test(`10 MB of ${JSON.stringify(unit)} in one line`, () => {
    survive(unit.repeat(Math.ceil(LENGTH / unit.length)).slice(0, LENGTH));
  });
}

for (const [before, after] of [
  ['vm "', '" { disk "/a"\n}\n'],
  ['vm a {\n', '\n}\n'],
  ['vm a {\ndisk "/a"\ninterface { switch "', '" }\n}\n'],
  ['x', ' = y\n'],
  ['include /', '\n'],
  ['vm a {\nmemory ', '\n}\n'],
  ['# bootpath: vmd@', '\n'],
] as const) {
  test(`10 MB between ${JSON.stringify(before)} and ${JSON.stringify(after)}`, () => {
    survive(before + 'a'.repeat(LENGTH) + after);
  });
}

test('what is beyond the limit is said to be unread', () => {
  const text = 'a '.repeat(MOST_TOKENS + 1);
  assert.ok(codes(text).includes('vmconf-too-long'));
});

test('a file of errors does not give more findings than anybody reads', () => {
  assert.ok(findings('banana\n'.repeat(50_000)).length <= 501);
});
