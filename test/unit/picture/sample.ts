/** Machines for the pictures' tests, and a reader that accepts well-formed XML only. */
import fc from 'fast-check';
import { REGION_KINDS, type RegionKind } from '../../../server/src/machine/machine';
import type { PictureMachine, PictureRegion } from '../../../server/src/picture/pictureMachine';

export function region(start: bigint, end: bigint, kind: RegionKind, name: string, line = 0): PictureRegion {
  const range = { start: { line, character: 0 }, end: { line, character: 1 } };
  return {
    range: { start, end },
    kind,
    name,
    permissions: null,
    reason: `why ${name}`,
    at: { uri: 'file:///vm.conf', range },
  };
}

export const VMD: PictureMachine = {
  name: 'alpine',
  vmm: 'vmd',
  version: '7.8',
  regions: [
    region(0n, 0xa0000n, 'ram', 'low memory', 2),
    region(0xa0000n, 0x100000n, 'reserved', 'VGA and BIOS', 2),
    region(0x100000n, 0xf0000000n, 'ram', 'memory', 2),
    region(0xf0000000n, 0xffc00000n, 'mmio', 'PCI MMIO', 2),
    region(0xffc00000n, 0x100000000n, 'reserved', 'firmware', 2),
    region(0x100000000n, 0x210000000n, 'ram', 'high memory', 2),
  ],
};

const address = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 2n }),
  fc.bigInt({ min: 0n, max: 64n }).map((page) => page * 4096n),
);

/** Any regions, also overlapping ones, sorted by start as a Machine's are. */
export const anyMachine: fc.Arbitrary<PictureMachine> = fc
  .record({
    name: fc.string({ unit: 'binary', maxLength: 40 }),
    vmm: fc.option(fc.string({ maxLength: 10 })),
    version: fc.option(fc.string({ maxLength: 10 })),
    regions: fc.array(
      fc.tuple(
        address,
        address,
        fc.constantFrom(...REGION_KINDS),
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.nat(3),
      ),
      { maxLength: 30 },
    ),
  })
  .map(({ regions, ...rest }) => ({
    ...rest,
    regions: regions
      .map(([a, b, kind, name, line]) => region(a < b ? a : b, (a < b ? b : a) + 1n, kind, name, line))
      .sort((a, b) => (a.range.start < b.range.start ? -1 : a.range.start > b.range.start ? 1 : 0)),
  }));

/** Throws where the text is no well-formed XML; gives the names of the elements. */
export function readXml(text: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) || /\p{Surrogate}/u.test(text))
    throw new Error('forbidden character');
  const tokens = /<(\/?)([a-z]+)((?: [A-Za-z-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let at = 0;
  for (const match of text.matchAll(tokens)) {
    if (match.index !== at) throw new Error(`not XML at ${at}: ${text.slice(at, at + 40)}`);
    at += match[0].length;
    const [, close, name, attributes, empty, characters] = match;
    if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(attributes ?? characters ?? ''))
      throw new Error('bare ampersand');
    if (name === undefined) {
      if (open.length === 0) throw new Error('text outside');
    } else if (close) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      names.push(name);
      if (!empty) open.push(name);
    }
  }
  if (at !== text.length || open.length > 0)
    throw new Error(`ends at ${at} of ${text.length}, open: ${open.join()}`);
  return names;
}
