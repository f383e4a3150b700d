/** Notes of ELF files (System V gABI), and the kernels that are told by them. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { elfNotes, type ElfNote } from '../../../server/src/machine/image/elfNotes';
import { isLinuxElf, isOpenBsdElf } from '../../../server/src/machine/image/elfSystem';
import { isPvh, parsePvh } from '../../../server/src/machine/image/pvh';
import { elfFile } from '../simulation/elfFile';
import { noteBytes, noteFile, number, type NoteFields } from './noteFile';

const GNU: NoteFields = { owner: 'GNU', type: 3, descriptor: Uint8Array.of(1, 2, 3, 4, 5) };
const ENTRY: NoteFields = { owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) };

function notesOf(file: Uint8Array): readonly ElfNote[] {
  const notes = elfNotes(file);
  if ('problem' in notes) assert.fail(notes.problem);
  return notes;
}

for (const bits of [32, 64] as const) {
  for (const sections of [false, true]) {
    for (const alignment of [4, 8] as const) {
      if (sections && alignment === 8) continue;
      test(`ELF${bits}: notes of ${sections ? 'a section' : 'a segment'} aligned to ${alignment}`, () => {
        const file = noteFile(noteBytes([GNU, ENTRY], alignment), {
          bits,
          sections,
          alignment: BigInt(alignment),
        });
        assert.deepEqual(
          notesOf(file).map(({ owner, type, descriptor }) => [owner, type, [...descriptor]]),
          [
            ['GNU', 3, [1, 2, 3, 4, 5]],
            ['Xen', 18, [0, 0, 0x10, 0]],
          ],
        );
        assert.ok(isPvh(file));
      });
    }
  }
}

test('a file without notes has none, and a rest too short for a note is padding', () => {
  const bytes = Uint8Array.of(0xf4);
  assert.deepEqual(notesOf(elfFile({ entry: 0n, segments: [{ physical: 0n, virtual: 0n, bytes }] })), []);
  assert.equal(
    notesOf(noteFile(Uint8Array.of(...noteBytes([GNU]), ...new Array<number>(11).fill(0)))).length,
    1,
  );
});

for (const [title, at, message] of [
  [
    'a name beyond the notes',
    0,
    /^program header 1: the note at offset 0x0 has n_namesz 0xffff and n_descsz 0x5, more than the 0x18 bytes/,
  ],
  [
    'a descriptor beyond the notes',
    4,
    /^program header 1: the note at offset 0x0 has n_namesz 0x4 and n_descsz 0xffff, more than/,
  ],
] as const) {
  test(`${title} is named`, () => {
    const notes = noteBytes([GNU]);
    new DataView(notes.buffer).setUint32(at, 0xffff, true);
    const found = elfNotes(noteFile(notes));
    assert.ok('problem' in found);
    assert.match(found.problem, message);
  });
}

test('a PT_NOTE segment behind the file is named', () => {
  const file = noteFile(noteBytes([GNU]));
  new DataView(file.buffer).setBigUint64(64 + 56 + 32, 0x1000n, true);
  const found = elfNotes(file);
  assert.ok('problem' in found);
  assert.match(
    found.problem,
    /^program header 1: notes from 0xb1 to 0x10b1 end behind the file's 0xc9 bytes$/,
  );
});

for (const [title, descriptor, message] of [
  ['an entry of 2 bytes', Uint8Array.of(0, 0), /n_descsz 2, neither 4 nor 8/],
  [
    'an entry outside the segments',
    number(0x200000n, 8),
    /^PHYS32_ENTRY 0x200000 is in the bytes of no PT_LOAD/,
  ],
  ['an entry above 4 GiB', number(0x1_0010_0000n, 8), /^PHYS32_ENTRY 0x100100000 is above 4 GiB$/],
] as const) {
  test(`PVH: ${title} is named`, () => {
    const found = parsePvh(noteFile(noteBytes([{ ...ENTRY, descriptor }])));
    assert.ok('problem' in found);
    assert.match(found.problem, message);
  });
}

test('PVH: the note counts by owner and type', () => {
  for (const note of [
    { ...ENTRY, owner: 'XEN' },
    { ...ENTRY, type: 17 },
  ]) {
    const file = noteFile(noteBytes([note]));
    assert.equal(isPvh(file), false);
    assert.match(
      (parsePvh(file) as { problem: string }).problem,
      /no note of Xen with type 18 \(PHYS32_ENTRY\)/,
    );
  }
});

for (const [title, file, linux, openbsd] of [
  ['a note of Linux', noteFile(noteBytes([{ ...GNU, owner: 'Linux' }])), true, false],
  [
    'Xen’s note of the guest OS',
    noteFile(noteBytes([{ owner: 'Xen', type: 6, descriptor: new TextEncoder().encode('linux\0') }])),
    true,
    false,
  ],
  [
    'another guest OS',
    noteFile(noteBytes([{ owner: 'Xen', type: 6, descriptor: new TextEncoder().encode('FreeBSD\0') }])),
    false,
    false,
  ],
  ['linked as Linux is, entered at its physical start', higherHalf(0x1000000n), true, false],
  ['entered at a virtual address', higherHalf(0xffffffff81000000n), false, false],
  ['a segment for random data', higherHalf(0x1000000n, 0x65a3dbe6), false, true],
] as const) {
  test(`${title}: ${linux ? 'Linux' : openbsd ? 'OpenBSD' : 'neither Linux nor OpenBSD'}`, () => {
    assert.deepEqual([isLinuxElf(file, 64), isOpenBsdElf(file)], [linux, openbsd]);
    assert.equal(isLinuxElf(file, 32), false);
  });
}

function higherHalf(entry: bigint, secondType = 0): Uint8Array {
  const bytes = Uint8Array.of(0xf4, 0xf4);
  return elfFile({
    entry,
    segments: [
      { physical: 0x1000000n, virtual: 0xffffffff81000000n, bytes },
      { physical: 0x2000000n, virtual: 0xffffffff82000000n, bytes },
    ],
    patch: (view) => view.setUint32(64 + 56, secondType, true),
  });
}

test('property: no change of any bytes makes a reader throw', () => {
  const file = noteFile(noteBytes([GNU, ENTRY]));
  const change = fc.tuple(fc.integer({ min: 0, max: file.length - 1 }), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 40 }),
      (bytes, cut) => {
        const changed = file.slice(0, file.length - cut);
        for (const [at, value] of bytes) if (at < changed.length) changed[at] = value;
        const image = parsePvh(changed);
        isLinuxElf(changed, 64);
        isOpenBsdElf(changed);
        return 'problem' in image
          ? /EI_|e_[a-z]+|p_[a-z]+|n_[a-z]+|PHYS32_ENTRY|0x7f "ELF"|ELF64 header|notes from|program headers|PT_LOAD/.test(
              image.problem,
            )
          : image.entry < 1n << 32n;
      },
    ),
    { numRuns: 5000 },
  );
});
