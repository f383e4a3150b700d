/** Multiboot Specification 0.6.96, 3.1: the header. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMultiboot, parseMultiboot } from '../../../server/src/machine/image/multiboot';
import { elfFile } from './elfFile';
import { ENTRY, LOADED, multibootFile, type MultibootFields } from './multibootFile';

const CODE = Uint8Array.of(0xf4, 0xeb, 0xfd);

test('by its address fields a file is loaded in one piece, with a bss behind it', () => {
  const file = multibootFile(CODE, { flags: 0x10001, bssEnd: LOADED + 0x5000 });
  const image = parseMultiboot(file);
  assert.ok(!('problem' in image), 'the file is right');
  assert.deepEqual(image, {
    entry: BigInt(ENTRY),
    segments: [{ physical: BigInt(LOADED), bytes: file, memorySize: 0x5000n }],
    pageAlignedModules: true,
  });
});

test('load_addr below header_addr says where in the file loading starts, load_end_addr where it ends', () => {
  const at = 0x40;
  const file = multibootFile(CODE, { load: LOADED + 0x20, loadEnd: LOADED + at + 0x22 }, at);
  const image = parseMultiboot(file);
  assert.ok(!('problem' in image), 'the file is right');
  assert.deepEqual(image.segments, [
    { physical: BigInt(LOADED + 0x20), bytes: file.subarray(0x20, at + 0x22), memorySize: 0x42n },
  ]);
});

for (const bits of [32, 64] as const) {
  test(`without them an ELF${bits} file is loaded, and its entry is the physical address of e_entry`, () => {
    const header = new Uint8Array(12);
    [0x1badb002, 0, -0x1badb002].forEach((word, i) =>
      new DataView(header.buffer).setUint32(4 * i, word >>> 0, true),
    );
    const bytes = Uint8Array.of(...header, ...CODE);
    const image = parseMultiboot(
      elfFile({ bits, entry: 0xc000000cn, segments: [{ physical: 0x200000n, virtual: 0xc0000000n, bytes }] }),
    );
    assert.ok(!('problem' in image), 'the file is right');
    assert.equal(image.entry, 0x20000cn);
    assert.deepEqual([...image.segments[0]!.bytes], [...bytes]);
  });
}

for (const [name, fields, at, message] of [
  ['a wrong checksum', { checksum: 1 }, 0, /checksum is 0x1, .* it must be 0xe4514ffe/],
  ['a demand for a video mode', { flags: 0x10004 }, 0, /flags is 0x10004: it requires a video mode/],
  ['a demand that nobody knows', { flags: 0x10020 }, 0, /it requires the bits 0x20/],
  ['no address fields and no ELF file', { flags: 0 }, 0, /flags lacks bit 16/],
  ['load_addr above the header', { load: LOADED + 4 }, 0, /load_addr 0x100004 is above header_addr/],
  ['load_addr before the file', { load: LOADED - 4 }, 0, /lies 0x4 below header_addr/],
  ['load_end_addr below load_addr', { loadEnd: 4 }, 0, /load_end_addr 0x4 is below load_addr/],
  ['load_end_addr behind the file', { loadEnd: LOADED + 0x100 }, 0, /is 0xdd bytes behind the file's end/],
  ['bss_end_addr within the data', { bssEnd: LOADED + 4 }, 0, /bss_end_addr 0x100004 is below/],
  ['an entry outside', { entry: 0x7c00 }, 0, /entry_addr 0x7c00 is outside what is loaded/],
  ['a header behind 8 KiB', {}, 8192, /no Multiboot header/],
  ['a header on an odd address', {}, 2, /no Multiboot header/],
] as const satisfies readonly (readonly [string, Partial<MultibootFields>, number, RegExp])[]) {
  test(`${name} is named`, () => {
    const image = parseMultiboot(multibootFile(CODE, fields, at));
    assert.ok('problem' in image, 'the file is wrong');
    assert.match(image.problem, message);
  });
}

test('any bytes give an image or a problem', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), fc.nat(255), (code, at, value) => {
      const file = multibootFile(code);
      file[at] = value;
      const image = parseMultiboot(file);
      return 'problem' in image ? image.problem.length > 0 : isMultiboot(file);
    }),
  );
});
