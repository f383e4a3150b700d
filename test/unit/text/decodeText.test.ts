import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { decodeText } from '../../../server/src/text/decodeText';

const TEXT = 'Available  0000000000000000-000000000009FFFF\r\n…';

test('a byte order mark names UTF-16 of either order; without one it is UTF-8', () => {
  const little = Buffer.from(`\ufeff${TEXT}`, 'utf16le');
  assert.equal(decodeText(little), TEXT);
  assert.equal(decodeText(Buffer.from(little).swap16()), TEXT);
  assert.equal(decodeText(Buffer.from(TEXT)), TEXT);
  assert.equal(decodeText(Buffer.from(`\ufeff${TEXT}`)), TEXT);
});

test('no text is too short', () => {
  for (const bytes of [[], [0xff], [0xff, 0xfe], [0xfe, 0xff], [0xff, 0xfe, 0x41]])
    assert.equal(typeof decodeText(Uint8Array.from(bytes)), 'string');
});
