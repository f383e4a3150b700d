import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseElf } from '../../../server/src/machine/image/elf';
import { elfFile, type ElfOptions } from './elfFile';

const CODE = Uint8Array.of(0xf4, 0xeb, 0xfd);

test('an ELF64 kernel gives its segments and its entry point', () => {
  const image = parseElf(
    elfFile({
      entry: 0xffffffff81000000n,
      segments: [{ physical: 0x1000000n, virtual: 0xffffffff81000000n, bytes: CODE, memorySize: 0x2000n }],
    }),
  );
  assert.ok(!('problem' in image), 'the file is right');
  assert.deepEqual([image.bits, image.entry, image.segments.length], [64, 0xffffffff81000000n, 1]);
  const segment = image.segments[0]!;
  assert.deepEqual(
    [segment.physical, segment.memorySize, [...segment.bytes]],
    [0x1000000n, 0x2000n, [...CODE]],
  );
});

test('an ELF32 kernel is read by its own offsets', () => {
  const image = parseElf(
    elfFile({
      bits: 32,
      entry: 0x100000n,
      segments: [{ physical: 0x100000n, virtual: 0x100000n, bytes: CODE }],
    }),
  );
  assert.ok(!('problem' in image), 'the file is right');
  assert.deepEqual([image.bits, image.segments[0]!.physical], [32, 0x100000n]);
});

const ONE = { physical: 0x100000n, virtual: 0x100000n, bytes: CODE } as const;

for (const [name, options, message] of [
  ['a class of 3', { patch: (f) => f.setUint8(4, 3) }, /EI_CLASS is 3/],
  ['big endian', { patch: (f) => f.setUint8(5, 2) }, /EI_DATA is 2/],
  ['a relocatable file', { patch: (f) => f.setUint16(16, 1, true) }, /e_type is 1/],
  ['a kernel for ARM', { patch: (f) => f.setUint16(18, 183, true) }, /e_machine is 183/],
  ['no program headers', { patch: (f) => f.setUint16(56, 0, true) }, /e_phnum is 0/],
  ['headers of 57 bytes', { patch: (f) => f.setUint16(54, 57, true) }, /e_phentsize is 57/],
  [
    'a table at 2^63',
    { patch: (f) => f.setBigUint64(32, 1n << 63n, true) },
    /e_phoff 0x8000000000000000 with e_phnum 1 ends at .* behind the file/,
  ],
  ['65534 headers', { patch: (f) => f.setUint16(56, 65534, true) }, /e_phnum 65534 ends at .* behind/],
  [
    'a number of headers in section 0, which is not there',
    { patch: (f) => f.setUint16(56, 0xffff, true) },
    /e_phnum is 0xffff, and e_shoff 0x0 has no section 0/,
  ],
  [
    'an offset behind the file',
    { patch: (f) => f.setBigUint64(64 + 8, 1n << 40n, true) },
    /p_offset 0x10000000000/,
  ],
  [
    'a file size of 2^63',
    { patch: (f) => f.setBigUint64(64 + 32, 1n << 63n, true) },
    /p_filesz 0x8000000000000000/,
  ],
  [
    'a memory size of 2^63',
    { patch: (f) => f.setBigUint64(64 + 40, 1n << 63n, true) },
    /p_memsz 0x8000000000000000 is beyond/,
  ],
  [
    'more file than memory',
    { patch: (f) => f.setBigUint64(64 + 40, 1n, true) },
    /p_filesz 0x3 is larger than p_memsz 0x1/,
  ],
  [
    'an address that wraps',
    { patch: (f) => f.setBigUint64(64 + 24, (1n << 64n) - 1n, true) },
    /p_paddr 0xffffffffffffffff with p_memsz .* wraps around 2\^64/,
  ],
  ['an entry outside', { entry: 0x42n }, /e_entry 0x42 is in no PT_LOAD segment/],
  [
    'overlapping segments',
    {
      segments: [
        { ...ONE, memorySize: 0x3000n },
        { ...ONE, physical: 0x102fffn, virtual: 0x200000n },
      ],
    },
    /program headers 0 and 1 overlap in physical memory at 0x102fff/,
  ],
  [
    'only empty segments',
    { segments: [{ ...ONE, bytes: new Uint8Array(0) }] },
    /no PT_LOAD segment has any memory/,
  ],
] satisfies [string, Partial<ElfOptions>, RegExp][]) {
  test(`${name} gets an error that names it`, () => {
    const image = parseElf(elfFile({ entry: 0x100000n, segments: [ONE], ...options }));
    assert.ok('problem' in image, 'a problem is expected');
    assert.match(image.problem, message);
  });
}

test('truncation at every byte gives a problem, never an exception', () => {
  const file = elfFile({ entry: 0x100000n, segments: [ONE] });
  for (let length = 0; length < file.length; length++) {
    assert.ok('problem' in parseElf(file.subarray(0, length)), `at ${length} bytes`);
  }
});

test('random bytes behind the magic never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const file = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...bytes);
      const image = parseElf(file);
      return 'problem' in image || image.segments.every((s) => BigInt(s.bytes.length) <= s.memorySize);
    }),
  );
});
