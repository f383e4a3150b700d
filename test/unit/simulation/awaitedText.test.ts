import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { AwaitedText } from '../../../server/src/simulation/awaitedText';

const CASES: readonly (readonly [title: string, pieces: readonly string[], met: boolean])[] = [
  ['in one piece', ['## booting ##'], true],
  ['letter by letter', [...'a boot b'], true],
  ['after a false start', ['bobboot'], true],
  ['across colours (ECMA-48 SGR)', ['bo\x1b[1;31mot'], true],
  ['across a cursor move that comes in pieces', ['bo\x1b', '[12', ';3Hot'], true],
  ['across the choice of a character set', ['bo\x1b(Bot'], true],
  ['not across other letters', ['bo ot'], false],
  ['not in an escape sequence', ['\x1b[boot'], false],
  ['not before it is complete', ['boo'], false],
];

for (const [title, pieces, met] of CASES) {
  test(`an awaited text is found ${title}`, () => {
    const awaited = new AwaitedText('boot');
    for (const piece of pieces) awaited.read(piece);
    assert.equal(awaited.met, met);
  });
}
