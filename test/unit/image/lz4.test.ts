/** LZ4 frames and legacy frames, as `lz4` and Linux's build make them, and what is said of broken ones. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLz4, unpackLz4 } from '../../../server/src/machine/image/lz4';

const LEGACY = [0x02, 0x21, 0x4c, 0x18];
const FRAME = [0x04, 0x22, 0x4d, 0x18];
/** Version 1, independent blocks of at most 64 KiB, no checksums; the header checksum is passed over. */
const DESCRIPTOR = [0x60, 0x40, 0x82];
/** "abcd", then 8 bytes from 4 back, then "e": a match that overlaps what it makes. */
const SEQUENCES = [0x44, 0x61, 0x62, 0x63, 0x64, 0x04, 0x00, 0x10, 0x65];
const TEXT = 'abcdabcdabcde';

const word = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function unpacked(bytes: readonly number[] | Uint8Array, limit = 1 << 24): string {
  const found = unpackLz4(Uint8Array.from(bytes), limit);
  return 'problem' in found ? found.problem : text(found);
}

const legacy = [...LEGACY, ...word(9), ...SEQUENCES];
const framed = [...FRAME, ...DESCRIPTOR, ...word(9), ...SEQUENCES, ...word(0)];

for (const [title, bytes, expected] of [
  ['a legacy frame ends with the file', legacy, TEXT],
  ['behind it Linux’s build puts the unpacked size', [...legacy, ...word(TEXT.length)], TEXT],
  ['frames follow each other', [...legacy, ...framed, ...framed], TEXT + TEXT + TEXT],
  ['a skippable frame is passed over', [0x5a, 0x2a, 0x4d, 0x18, ...word(3), 1, 2, 3, ...framed], null],
  [
    'a skippable frame behind one is passed over',
    [...framed, 0x5a, 0x2a, 0x4d, 0x18, ...word(3), 1, 2, 3],
    TEXT,
  ],
  ['a block may be stored', [...FRAME, ...DESCRIPTOR, ...word(0x80000002), 0x68, 0x69, ...word(0)], 'hi'],
  [
    'checksums of blocks and of the content are passed over',
    [...FRAME, 0x74, 0x40, 0, ...word(9), ...SEQUENCES, ...word(7), ...word(0), ...word(7)],
    TEXT,
  ],
  [
    'a content size that is right',
    [...FRAME, 0x68, 0x40, ...word(TEXT.length), ...word(0), 0, ...word(9), ...SEQUENCES, ...word(0)],
    TEXT,
  ],
  [
    'linked blocks reach into the one before',
    [...FRAME, 0x40, 0x40, 0, ...word(9), ...SEQUENCES, ...word(4), 0x00, 0x01, 0x00, 0x00, ...word(0)],
    TEXT + 'eeee',
  ],
] as const) {
  test(title, () => {
    if (expected === null) return assert.equal(isLz4(Uint8Array.from(bytes)), false);
    assert.equal(unpacked(bytes), expected);
  });
}

for (const [title, bytes, message] of [
  ['another file', [1, 2, 3, 4], /no magic number of a frame/],
  [
    'a block that the file does not have',
    [...LEGACY, ...word(100), ...SEQUENCES],
    /the block at 0x4 has 0x64 bytes, 0x5b more than the file/,
  ],
  ['an end within a block size', [...LEGACY, 9, 0], /ends within a block size, at 0x4/],
  ['literals beyond the block', [...LEGACY, ...word(2), 0x44, 0x61], /ends within the literals/],
  ['a length without an end', [...LEGACY, ...word(3), 0xf0, 0xff, 0xff], /ends within the literals/],
  ['half an offset', [...LEGACY, ...word(3), 0x10, 0x61, 0x01], /ends within a match/],
  ['an offset of 0', [...LEGACY, ...word(4), 0x10, 0x61, 0, 0], /has the offset 0x0 after 0x1 bytes/],
  [
    'an offset before the start',
    [...LEGACY, ...word(4), 0x10, 0x61, 2, 0],
    /has the offset 0x2 after 0x1 bytes/,
  ],
  [
    'an offset into an independent block before',
    [...FRAME, ...DESCRIPTOR, ...word(9), ...SEQUENCES, ...word(4), 0x00, 0x01, 0x00, 0x00, ...word(0)],
    /has the offset 0x1 after 0x0 bytes/,
  ],
  ['another version', [...FRAME, 0x80, 0x40, 0], /the version in FLG 0x80 is 2, not 1/],
  ['no block size', [...FRAME, 0x60, 0x30, 0], /BD 0x30 gives no block size/],
  ['a dictionary', [...FRAME, 0x61, 0x40, 0], /asks for a dictionary/],
  [
    'a wrong content size',
    [...FRAME, 0x68, 0x40, ...word(5), ...word(0), 0, ...word(9), ...SEQUENCES, ...word(0)],
    /content size is 0x5, the blocks have 0xd bytes/,
  ],
  [
    'a stored block above the maximum',
    [...FRAME, ...DESCRIPTOR, ...word(0x80010001)],
    /has 0x10001 bytes, more than 0x10000/,
  ],
  [
    'a block that unpacks to more than the maximum',
    [...FRAME, ...DESCRIPTOR, ...word(264), 0x1f, 0x61, 1, 0, ...new Array<number>(259).fill(255), 0],
    /unpacks to more than 0x10000 bytes/,
  ],
  ['no end mark', framed.slice(0, -4), /ends within a block size/],
  ['a missing content checksum', [...FRAME, 0x64, 0x40, 0, ...word(0)], /ends within a checksum/],
  ['rubbish behind a frame', [...framed, 9, 9, 9, 9], /no magic number at 0x18, but 0x9090909/],
] as const) {
  test(`${title} is named`, () => {
    assert.match(unpacked(bytes), /^LZ4: /);
    assert.match(unpacked(bytes), message);
  });
}

test('no more is unpacked than the caller allows', () => {
  assert.equal(unpacked(legacy, 13), TEXT);
  assert.match(unpacked(legacy, 12), /more than 0xc bytes/);
});

test('property: any bytes behind a magic number give bytes or a sentence', () => {
  const magic = fc.constantFrom([...LEGACY], [...FRAME], [...FRAME, ...DESCRIPTOR], [...LEGACY, ...word(16)]);
  fc.assert(
    fc.property(magic, fc.uint8Array({ maxLength: 80 }), (start, rest) => {
      const found = unpackLz4(Uint8Array.from([...start, ...rest]), 1 << 16);
      return 'problem' in found ? found.problem.startsWith('LZ4: ') : found.length <= 1 << 16;
    }),
    { numRuns: 5000 },
  );
});

test('property: what lz4 packs is unpacked again', (context) => {
  if (spawnSync('lz4', ['--version']).error) return context.skip('lz4 is not installed');
  const data = fc.array(fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 400 })), {
    maxLength: 30,
  });
  const options = fc.constantFrom(['-l'], ['-B4', '-BD'], ['-9', '--content-size'], ['-B5', '-BX']);
  fc.assert(
    fc.property(data, options, (parts, args) => {
      const bytes = Buffer.concat(parts.flatMap(([part, times]) => new Array<Uint8Array>(times).fill(part)));
      const { stdout } = spawnSync('lz4', ['-q', '-c', ...args], { input: bytes, maxBuffer: 1 << 24 });
      const found = unpackLz4(stdout, 1 << 24);
      return !('problem' in found) && bytes.equals(found);
    }),
    { numRuns: 30 },
  );
});
