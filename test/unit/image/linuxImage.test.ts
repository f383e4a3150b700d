/** The setup header of Linux (boot.rst): what it says, and what is said of one that lies. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  isLinuxImage,
  parseLinuxImage,
  SETUP,
  type LinuxImage,
} from '../../../server/src/machine/image/linuxImage';
import { linuxFile, type SetupField } from './linuxFile';

function right(file: Uint8Array): LinuxImage {
  const image = parseLinuxImage(file);
  if ('problem' in image) assert.fail(image.problem);
  return image;
}

test('setup code, header and protected-mode code are the parts of the file', () => {
  const kernel = Uint8Array.from({ length: 0x300 }, (_, i) => i & 0xff);
  const file = linuxFile({ kernel });
  const image = right(file);
  assert.deepEqual([...image.setup], [...file.subarray(0, 1024)]);
  assert.deepEqual([...image.header], [...file.subarray(0x1f1, 0x202 + 0x6a)]);
  assert.deepEqual([...image.kernel], [...kernel]);
});

test('setup_sects of 0 means 4', () => {
  const kernel = new Uint8Array(0x2000);
  const fields: SetupField[] = [
    [SETUP.setupSects, 1, 0],
    [SETUP.syssize, 4, 0x1a0],
  ];
  const image = right(linuxFile({ kernel, fields }));
  assert.equal(image.setup.length, 5 * 512);
});

for (const [title, version, expected] of [
  [
    '2.15 has all fields',
    0x20f,
    { initrdMax: 0x7fffffffn, commandLineMax: 2047, initSize: 0x10000n, entry64: true },
  ],
  ['2.11 has no xloadflags', 0x20b, { entry64: false, loadFlags64: 0, initSize: 0x10000n }],
  ['2.09 has no init_size: what is there counts', 0x209, { initSize: 0x400n, preferred: 0n }],
  ['2.07 has no payload_offset', 0x207, { payload: null }],
  ['2.05 has no cmdline_size: 255 bytes', 0x205, { commandLineMax: 255, relocatable: true }],
  ['2.04 has no relocatable_kernel', 0x204, { relocatable: false }],
  ['2.02 has no initrd_addr_max', 0x202, { initrdMax: 0x37ffffffn }],
] as const) {
  test(`protocol ${title}`, () => {
    const fields: SetupField[] = [
      [SETUP.relocatableKernel, 1, 1],
      [SETUP.prefAddress, 8, 0x1000000],
      [SETUP.payloadOffset, 4, 0x10],
      [SETUP.payloadLength, 4, 0x20],
    ];
    const image = right(linuxFile({ version, fields }));
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(image[name as keyof LinuxImage], value, name);
    }
  });
}

for (const [title, fields, message] of [
  ['no boot_flag', [[SETUP.bootFlag, 2, 0]], /^boot_flag is 0x0, not 0xaa55$/],
  [
    'more setup sectors than the file has',
    [[SETUP.setupSects, 1, 200]],
    /^setup_sects 200 puts .* at 0x19200, the file has 0x800 bytes$/,
  ],
  ['setup sectors up to the very end', [[SETUP.setupSects, 1, 3]], /^setup_sects 3 puts/],
  [
    'a version of 1.3 kernels',
    [[SETUP.version, 2, 0x201]],
    /^version 2\.01 of the boot protocol is older than 2\.02$/,
  ],
  ['no jump', [[SETUP.jump, 2, 0x6a90]], /^jump is 0x6a90, no short jump/],
  ['a jump backwards', [[SETUP.jump, 2, 0x80eb]], /^jump is 0x80eb, no short jump/],
  ['a jump into the header', [[SETUP.jump, 2, 0x20eb]], /^jump is 0x20eb, no short jump/],
  ['a zImage', [[SETUP.loadflags, 1, 0x80]], /^loadflags bit 0 \(LOADED_HIGH\) is clear: this is a zImage/],
  [
    'a syssize that the file does not have',
    [[SETUP.syssize, 4, 0x100]],
    /^syssize is 0x100 \(0x1000 bytes\), the file has 0x400 behind/,
  ],
  [
    'a 32-bit entry below the code',
    [[SETUP.code32Start, 4, 0xfffff]],
    /^code32_start 0xfffff is outside the code, .* 0x100000 to 0x100400$/,
  ],
  ['a 32-bit entry behind the code', [[SETUP.code32Start, 4, 0x100400]], /^code32_start 0x100400 is outside/],
  [
    'an alignment of 0',
    [
      [SETUP.relocatableKernel, 1, 1],
      [SETUP.kernelAlignment, 4, 0],
    ],
    /^kernel_alignment 0x0 is no power of two$/,
  ],
  [
    'an odd alignment',
    [
      [SETUP.relocatableKernel, 1, 1],
      [SETUP.kernelAlignment, 4, 0x300000],
    ],
    /^kernel_alignment 0x300000 is no power of two$/,
  ],
  [
    'a least alignment above the wanted one',
    [
      [SETUP.relocatableKernel, 1, 1],
      [SETUP.minAlignment, 1, 22],
    ],
    /^min_alignment 22 \(0x400000 bytes\) is more than kernel_alignment 0x200000$/,
  ],
  [
    'less init_size than code',
    [[SETUP.initSize, 4, 0x3ff]],
    /^init_size 0x3ff is less than the code itself, 0x400 bytes$/,
  ],
  [
    'a payload behind the file',
    [
      [SETUP.payloadOffset, 4, 0x300],
      [SETUP.payloadLength, 4, 0x101],
    ],
    /^payload_offset 0x300 with payload_length 0x101 ends behind the code's 0x400 bytes$/,
  ],
] as const satisfies readonly (readonly [string, readonly SetupField[], RegExp])[]) {
  test(`${title} is named`, () => {
    const image = parseLinuxImage(linuxFile({ fields }));
    assert.ok('problem' in image, 'the file is wrong');
    assert.match(image.problem, message);
  });
}

test('what is no kernel is not one', () => {
  for (const size of [0, 0x205, 4096]) {
    const file = new Uint8Array(size);
    assert.equal(isLinuxImage(file), false);
    assert.match((parseLinuxImage(file) as { problem: string }).problem, /^there is no "HdrS" at 0x202/);
  }
});

/** A field's name begins or is in every sentence. */
const NAMES =
  /boot_flag|setup_sects|version|jump|loadflags|syssize|code32_start|kernel_alignment|min_alignment|init_size|payload_offset|HdrS/;

test('property: a header with any bytes changed, or a file cut anywhere, gives an image whose parts lie in it, or names a field', () => {
  const changes = fc.array(
    fc.tuple(fc.integer({ min: 0x1f1, max: 0x26f }), fc.integer({ min: 0, max: 255 })),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(changes, fc.integer({ min: 0, max: 0x800 }), (bytes, cut) => {
      const file = linuxFile().slice(0, 0x800 - (cut % 3 === 0 ? cut : 0));
      for (const [at, value] of bytes) if (at < file.length) file[at] = value;
      const image = parseLinuxImage(file);
      if ('problem' in image) return NAMES.test(image.problem);
      return (
        image.setup.length + image.kernel.length === file.length &&
        (image.entryOffset === null || (image.entryOffset >= 0 && image.entryOffset < image.kernel.length)) &&
        image.header.length <= 144 &&
        (image.payload === null || image.payload.length <= image.kernel.length)
      );
    }),
    { numRuns: 3000 },
  );
});
