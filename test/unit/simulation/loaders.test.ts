/** All boot protocols on damaged images: they load within RAM and without overlaps, or say why not. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { overlaps, type AddressRange } from '../../../server/src/address/range';
import { flatProtected32, realMode } from '../../../server/src/vmm/loaders/entryState';
import { FreePages } from '../../../server/src/vmm/loaders/freePages';
import type { LoadTarget } from '../../../server/src/vmm/loaders/loader';
import { BOOT_PROTOCOLS } from '../../../server/src/vmm/loaders/protocols';
import type { DirectBoot } from '../../../server/src/vmm/model';
import { FLAT16, flat64 } from '../../../server/src/vmm/vmd/bootState';
import { linuxFile } from '../image/linuxFile';
import { noteBytes, noteFile, number } from '../image/noteFile';
import { multibootFile } from './multibootFile';

const MIB = 1n << 20n;
const RAM: readonly AddressRange[] = [
  { start: 0n, end: 0xa0000n },
  { start: MIB, end: 16n * MIB },
];
const MODULE = new Uint8Array(0x1800).fill(0xaa);
const BOOT: DirectBoot = {
  protocol: null,
  imageName: 'image',
  commandLine: 'a b',
  modules: [{ bytes: MODULE, commandLine: 'module' }],
};

/** RAM that only remembers what was written where. */
function target(): LoadTarget & { readonly written: AddressRange[] } {
  const written: AddressRange[] = [];
  const isRam = (range: AddressRange) =>
    RAM.some(({ start, end }) => start <= range.start && range.end <= end);
  return {
    written,
    memoryMap: [
      { range: { start: 0n, end: 0x9fc00n }, type: 1 },
      { range: RAM[1]!, type: 1 },
    ],
    lowEnd: 16n * MIB,
    conventionalEnd: 0x9fc00n,
    rsdp: null,
    isRam,
    read: () => null,
    write: (address, bytes) => {
      const range = { start: address, end: address + BigInt(bytes.length) };
      if (!isRam(range)) return false;
      written.push(range);
      return true;
    },
  };
}

const IMAGES: readonly Uint8Array[] = [
  linuxFile(),
  linuxFile({ fields: [[0x234, 1, 1]] }),
  multibootFile(Uint8Array.of(0xf4)),
  noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) }])),
  noteFile(noteBytes([{ owner: 'Linux', type: 0, descriptor: number(0n, 4) }]), { bits: 32 }),
];

for (const protocol of BOOT_PROTOCOLS) {
  test(`property: ${protocol.name} loads a damaged image into RAM, no part over another, or gives a sentence`, () => {
    const changes = fc.array(fc.tuple(fc.nat(0x400), fc.integer({ min: 0, max: 255 })), { maxLength: 5 });
    fc.assert(
      fc.property(
        fc.constantFrom(...IMAGES),
        changes,
        fc.nat(3),
        fc.boolean(),
        (image, bytes, cut, modules) => {
          const changed = image.slice(0, cut === 0 ? Math.floor(image.length / 2) : image.length);
          for (const [at, value] of bytes) if (at < changed.length) changed[at] = value;
          const memory = target();
          const boot = modules ? BOOT : { ...BOOT, commandLine: '', modules: [] };
          const state = protocol.load(changed, boot, memory);
          if ('problem' in state) return state.problem.length > 10;
          const { written } = memory;
          return (
            state.rip < 1n << 32n &&
            written.every((range, i) => written.slice(0, i).every((other) => !overlaps(range, other)))
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  test(`property: ${protocol.name} bears any bytes`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
        protocol.recognises(bytes);
        const state = protocol.load(bytes, BOOT, target());
        return 'rip' in state || state.problem.length > 10;
      }),
      { numRuns: 300 },
    );
  });
}

test('at the first instruction DR6 and DR7 are as after RESET, whatever boots', () => {
  for (const state of [FLAT16, flat64(0n, 0n), flatProtected32(0n, {}), realMode(0, 0, 0)])
    assert.deepEqual(state.dr, [0n, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, 0x400n]);
});

test('free pages: from 0x9000 up around what is occupied, and from the end of RAM down', () => {
  const pages = new FreePages(target(), [
    { start: 0xa000n, end: 0xa001n },
    { start: 16n * MIB - 0x2000n, end: 16n * MIB - 0x1000n },
  ]);
  assert.deepEqual([pages.low(1), pages.low(0x2000), pages.low(4096)], [0x9000n, 0xb000n, 0xd000n]);
  const last = 0xffffffffn;
  assert.deepEqual(
    [pages.high(1, last), pages.high(0x1001, last), pages.high(1, 0x7fffffn)],
    [16n * MIB - 0x1000n, 16n * MIB - 0x4000n, 0x7ff000n],
  );
});

test('free pages: behind and between the 60 000 segments of a kernel', () => {
  const segments = Array.from({ length: 60_000 }, (_, i) => {
    const start = MIB + BigInt(i) * 0x40n;
    return { start, end: start + 0x20n };
  });
  const behind = new FreePages(target(), segments);
  for (let i = 1n; i <= 1000n; i++) assert.equal(behind.high(1, 0xffffffffn), 16n * MIB - i * 0x1000n);
  const between = new FreePages(
    target(),
    segments.filter((_, i) => i < 1000 || i >= 1128),
  );
  assert.equal(between.high(0x1000, 4n * MIB), MIB + 0x10000n);
  assert.equal(between.high(0x1000, 4n * MIB), null);
});

test('property: free pages are RAM, and neither overlap the kernel nor one another', () => {
  const range = fc.tuple(fc.nat(0x1200), fc.nat(0x100)).map(([page, size]) => {
    const start = BigInt(page) * 0x1000n + BigInt(size) * 7n;
    return { start, end: start + BigInt(size) * 0x123n };
  });
  const asked = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 0x20000 }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), fc.array(asked, { maxLength: 12 }), (kernel, list) => {
      const machine = target();
      const pages = new FreePages(machine, kernel);
      const taken = kernel.filter(({ start, end }) => start < end);
      return list.every(([low, size]) => {
        const start = low ? pages.low(size) : pages.high(size, 0xffffffn);
        if (start === null) return true;
        const page = { start, end: start + BigInt(Math.ceil(size / 4096)) * 0x1000n };
        const free = machine.isRam(page) && !taken.some((other) => overlaps(page, other));
        taken.push(page);
        return free && start % 0x1000n === 0n;
      });
    }),
  );
});

test('free pages: where low memory has no room they come behind the kernel, and none where RAM has none', () => {
  const kernel = { start: 0n, end: 0x200001n };
  assert.equal(new FreePages(target(), [kernel]).low(1), 0x201000n);
  const all = { start: 0n, end: 16n * MIB };
  assert.equal(new FreePages(target(), [all]).low(1), null);
  assert.equal(new FreePages(target(), [all]).high(1, 0xffffffffn), null);
});
