/** Multiboot2 Specification 2.0, 3.1: the header and its tags. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMultiboot2, parseMultiboot2 } from '../../../server/src/machine/image/multiboot2';
import { elfFile } from './elfFile';
import { ADDRESS_TAGS, ENTRY2, LOADED2, multiboot2File, type Multiboot2Fields } from './multiboot2File';

const CODE = Uint8Array.of(0xf4, 0xeb, 0xfd);

test('by its address tag a file is loaded in one piece', () => {
  const file = multiboot2File(CODE);
  assert.deepEqual(parseMultiboot2(file), {
    entry: BigInt(ENTRY2),
    segments: [{ physical: BigInt(LOADED2), bytes: file, memorySize: BigInt(file.length) }],
    relocation: null,
  });
});

test('a load_addr of all ones loads the file from its first byte', () => {
  const at = 64;
  const file = multiboot2File(
    CODE,
    {
      loadTags: [
        { type: 2, words: [LOADED2 + at, 0xffffffff, 0, 0] },
        { type: 3, words: [ENTRY2 + at] },
      ],
    },
    at,
  );
  const image = parseMultiboot2(file);
  assert.ok(!('problem' in image), 'the file is right');
  assert.equal(image.segments[0]!.physical, BigInt(LOADED2));
  assert.equal(image.segments[0]!.bytes.length, file.length);
});

for (const bits of [32, 64] as const) {
  test(`without an address tag an ELF${bits} file is loaded; an entry address tag comes before its e_entry`, () => {
    const kernel = (entry: number | null) =>
      elfFile({
        bits,
        entry: 0xc0000010n,
        segments: [
          {
            physical: 0x200000n,
            virtual: 0xc0000000n,
            bytes: multiboot2File(
              CODE,
              { loadTags: entry === null ? [] : [{ type: 3, words: [entry] }] },
              bits === 32 ? 4 : 0,
            ),
          },
        ],
      });
    const plain = parseMultiboot2(aligned(kernel(null)));
    const tagged = parseMultiboot2(aligned(kernel(0x200014)));
    assert.ok(!('problem' in plain) && !('problem' in tagged), 'the files are right');
    assert.equal(plain.entry, 0x200010n);
    assert.equal(tagged.entry, 0x200014n);
  });
}

/** The ELF file as it is, where its segment, which is the header, lies on a multiple of 8. */
function aligned(file: Uint8Array): Uint8Array {
  assert.ok(isMultiboot2(file), 'the header is aligned');
  return file;
}

test('a relocatable tag says where the image may go', () => {
  const image = parseMultiboot2(
    multiboot2File(CODE, { tags: [{ type: 10, words: [0x100000, 0xffffffff, 0x200000, 2] }] }),
  );
  assert.ok(!('problem' in image), 'the file is right');
  assert.deepEqual(image.relocation, {
    lowest: 0x100000n,
    end: 0x100000000n,
    alignment: 0x200000n,
    preference: 'high',
  });
});

const refused: readonly (readonly [string, Partial<Multiboot2Fields>, RegExp])[] = [
  ['a wrong checksum', { checksumError: 1 }, /checksum is 0x[0-9a-f]+, .* it must be 0x/],
  ['another architecture', { architecture: 4 }, /architecture is 4, not 0/],
  ['a header_length beyond the file', { lengthError: 0x1000 }, /header_length is 0x/],
  ['a header_length below the fixed part', { lengthError: -60 }, /header_length is 0x/],
  ['no end tag', { endTag: false }, /no end tag/],
  [
    'a tag of size 0',
    { tags: [{ type: 4, optional: true, words: [0], size: 0 }] },
    /flags tag .* has size 0x0/,
  ],
  [
    'a tag that goes beyond the header',
    { tags: [{ type: 77, optional: true, words: [], size: 64 }] },
    /tag 77/,
  ],
  ['a tag that nobody knows', { tags: [{ type: 77, words: [] }] }, /requires tag 77/],
  ['a framebuffer', { tags: [{ type: 5, words: [0, 0, 0] }] }, /requires a framebuffer/],
  ['a console', { tags: [{ type: 4, words: [1] }] }, /console_flags bit 0/],
  ['information that nobody knows', { tags: [{ type: 1, words: [6, 22] }] }, /information of type 22/],
  [
    'min_addr above max_addr',
    { tags: [{ type: 10, words: [2, 1, 0, 0] }] },
    /min_addr 0x2 is above its max_addr 0x1/,
  ],
  ['an align that is no power of 2', { tags: [{ type: 10, words: [0, 9, 3, 0] }] }, /align is 0x3/],
  ['a preference of 3', { tags: [{ type: 10, words: [0, 9, 4, 3] }] }, /preference is 3/],
  ['an address tag alone', { loadTags: ADDRESS_TAGS.slice(0, 1) }, /no entry address tag/],
  ['neither address tag nor ELF file', { loadTags: [] }, /no address tag, and the file is no ELF file/],
  [
    'an entry outside',
    { loadTags: [ADDRESS_TAGS[0]!, { type: 3, words: [0x7c00] }] },
    /entry_addr 0x7c00 is outside/,
  ],
  [
    'load_addr above header_addr',
    { loadTags: [{ type: 2, words: [LOADED2, LOADED2 + 8, 0, 0] }, ADDRESS_TAGS[1]!] },
    /load_addr 0x200008 is above header_addr/,
  ],
];
for (const [name, fields, message] of refused) {
  test(`${name} is named`, () => {
    const image = parseMultiboot2(multiboot2File(CODE, fields));
    assert.ok('problem' in image, 'the file is wrong');
    assert.match(image.problem, message);
  });
}

for (const [type, words] of [
  [77, []],
  [5, [0, 0, 0]],
  [4, [1]],
  [1, [22]],
] as const) {
  test(`tag ${type} is passed over where it is optional`, () => {
    const image = parseMultiboot2(multiboot2File(CODE, { tags: [{ type, optional: true, words }] }));
    assert.ok(!('problem' in image) || /entry_addr/.test(image.problem));
  });
}

for (const at of [4, 32768] as const) {
  test(`a header at ${at} is none`, () => {
    assert.ok(!isMultiboot2(multiboot2File(CODE, {}, at)));
  });
}

test('any bytes give an image or a problem', () => {
  const kernel = multiboot2File(CODE, {
    tags: [
      { type: 10, optional: true, words: [0x100000, 0xffffffff, 0x1000, 1] },
      { type: 1, words: [4, 6] },
      { type: 4, words: [2] },
    ],
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(kernel.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
      const file = kernel.slice();
      for (const [at, value] of changes) file[at] = value;
      // The checksum is right again, so that what follows is read.
      const view = new DataView(file.buffer);
      const sum = [0, 4, 8].reduce((total, at) => total + view.getUint32(at, true), 0);
      view.setUint32(12, -sum >>> 0, true);
      const image = parseMultiboot2(file);
      return 'problem' in image ? image.problem.length > 0 : image.segments.length > 0;
    }),
  );
});
