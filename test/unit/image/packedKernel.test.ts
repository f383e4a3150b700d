/** Kernels as they come packed: whole files, and the payload of a bzImage. */
import { strict as assert } from 'node:assert';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { SETUP } from '../../../server/src/machine/image/linuxImage';
import { bzImagePayload, gunzippedKernel, unpackedKernel } from '../../../server/src/packedKernel';
import { elfFile } from '../simulation/elfFile';
import { linuxFile } from './linuxFile';

const ELF = elfFile({
  entry: 0x100000n,
  segments: [{ physical: 0x100000n, virtual: 0x100000n, bytes: Uint8Array.of(0xf4) }],
});

const word = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/** A legacy frame of literals alone, with the unpacked size behind it as Linux's build does, or without. */
function lz4(bytes: Uint8Array, sized: boolean): Uint8Array {
  assert.ok(bytes.length >= 15 && bytes.length < 15 + 255);
  const block = [0xf0, bytes.length - 15, ...bytes];
  return Uint8Array.from([
    ...[0x02, 0x21, 0x4c, 0x18],
    ...word(block.length),
    ...block,
    ...(sized ? word(bytes.length) : []),
  ]);
}

function bzImage(payload: Uint8Array, offset = 0x40): Uint8Array {
  const kernel = new Uint8Array(0x40 + payload.length);
  kernel.set(payload, 0x40);
  return linuxFile({
    kernel,
    fields: [
      [SETUP.payloadOffset, 4, offset],
      [SETUP.payloadLength, 4, payload.length],
    ],
  });
}

for (const [title, packed] of [
  ['gzip', gzipSync(ELF)],
  ['LZ4', lz4(ELF, false)],
  ['nothing', ELF],
] as const) {
  test(`a file packed with ${title} is unpacked`, () => {
    assert.deepEqual([...unpackedKernel(packed)], [...ELF]);
  });
}

for (const [title, file, unpacks] of [
  ['an ELF file packed with gzip is unpacked', gzipSync(ELF), true],
  ['anything else packed with gzip is not', gzipSync(Uint8Array.of(1, 2)), false],
  ['LZ4, which they do not know, is not', lz4(ELF, false), false],
] as const) {
  test(`as VMMs read a kernel, ${title}`, () => {
    assert.deepEqual([...gunzippedKernel(file)], [...(unpacks ? ELF : file)]);
  });
}

for (const [title, payload] of [
  ['gzip', gzipSync(ELF)],
  ['LZ4 and the size behind it', lz4(ELF, true)],
  ['nothing', ELF],
] as const) {
  test(`the payload of a bzImage packed with ${title} is its ELF file`, () => {
    assert.deepEqual([...bzImagePayload(bzImage(payload))], [...ELF]);
  });
}

for (const [title, magic] of [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['LZO', [0x89, 0x4c, 0x5a, 0x4f]],
] as const) {
  test(`a file or a payload packed with ${title} is told by that name`, () => {
    const message = new RegExp(`is packed with ${title}; only gzip and LZ4 are unpacked here`);
    assert.throws(() => unpackedKernel(Uint8Array.from(magic)), message);
    assert.throws(() => bzImagePayload(bzImage(Uint8Array.from(magic))), message);
  });
}

test('LZMA, whose magic number is short, is told of a payload alone', () => {
  const bytes = Uint8Array.of(0x5d, 0, 0, 0x80, 0);
  assert.equal(unpackedKernel(bytes), bytes);
  assert.throws(() => bzImagePayload(bzImage(bytes)), /The payload of the bzImage is packed with LZMA/);
});

for (const [title, image, message] of [
  ['payload_offset 0', bzImage(ELF, 0), /does not say where its payload is: payload_offset is 0/],
  ['no ELF file', bzImage(gzipSync(Uint8Array.of(1, 2, 3))), /payload of the bzImage is no ELF file/],
  [
    'a broken gzip stream',
    bzImage(gzipSync(ELF).subarray(0, 30)),
    /payload of the bzImage cannot be unpacked with gzip/,
  ],
  [
    'a broken LZ4 stream',
    bzImage(lz4(ELF, false).subarray(0, 40)),
    /cannot be unpacked: LZ4: the block at 0x4 has/,
  ],
  [
    'a header that lies',
    linuxFile({ fields: [[SETUP.loadflags, 1, 0]] }),
    /bzImage cannot be read: loadflags bit 0/,
  ],
] as const) {
  test(`a payload with ${title} is one sentence`, () => {
    assert.throws(() => bzImagePayload(image), message);
  });
}
