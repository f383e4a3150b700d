import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { withoutEscapes } from '../../../server/src/output/terminalText';

for (const [title, text, expected] of [
  ['colours', 'a\x1b[1;31mb\x1b[0m', 'ab'],
  ['cursor moves', '\x1b[12;3Ha\x1b[?25lb', 'ab'],
  ['the choice of a character set', 'a\x1b(Bb\x1b)0c', 'abc'],
  ['saving the cursor, keypad modes', '\x1b7a\x1b8\x1b=b\x1b>', 'ab'],
  ['a reset', '\x1bcab', 'ab'],
  ['a loss of what only looks alike', 'a [1m b', 'a [1m b'],
] as const)
  test(`a guest's text is shown without ${title}`, () => assert.equal(withoutEscapes(text), expected));
