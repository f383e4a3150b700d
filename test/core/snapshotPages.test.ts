/** Snapshots of the core: they share the pages that did not change between them, and nobody who runs on can tell of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreSnapshot } from '../../server/emulator/face';
import { CODE, DATA, Lab, type LabMode } from './lab';

const OTHER = 0x20000n;
const dword = (value: bigint): string =>
  [0n, 8n, 16n, 24n].map((shift) => ((value >> shift) & 0xffn).toString(16).padStart(2, '0')).join('');
/** mov dword [address], value */
const poke = (address: bigint, value: bigint): string => `c705${dword(address)}${dword(value)}`;

/** Addresses of the pages of `next` that `before` does not share with it. */
function copied(before: CoreSnapshot, next: CoreSnapshot): bigint[] {
  const known = new Set(before.pages);
  return next.pages.filter((page) => !known.has(page)).map(({ address }) => address);
}

/** A bare machine that stops behind each OUT. */
function stopping(mode: LabMode): Lab {
  const lab: Lab = new Lab({ mode, bus: { writePort: () => lab.core.requestStop() } });
  return lab;
}
const OUT = 'e680';

for (const [title, code, expected] of [
  ['nothing was written', '90', []],
  ['a store', poke(DATA, 1n), [DATA]],
  ['a read-modify-write', `ff05${dword(DATA)}`, [DATA]],
  ['a push', '50', [0x6000n]],
  ['a string store', `bf${dword(DATA)} b910000000 f3aa`, [DATA]],
  ['a store over the end of a page', poke(DATA + 0xffen, 1n), [DATA, DATA + 0x1000n]],
  ['an exchange that writes back what was there', `a1${dword(DATA)} 8705${dword(DATA)}`, [DATA]],
  ['a store to the page of its own code', poke(CODE + 0x800n, 1n), [CODE]],
] as const)
  for (const mode of ['protected-32', 'paging-32'] as const)
    test(`what a snapshot copies after ${title}, ${mode}`, () => {
      const lab = stopping(mode);
      // Every page is touched and written to before, so that only the second writes count.
      const warm = `${poke(DATA, 7n)} ${poke(DATA + 0x1000n, 7n)} 50 58 ${poke(CODE + 0x800n, 2n)} a1${dword(DATA)}`;
      assert.equal(lab.run(`${warm} ${OUT} ${code} ${OUT} 90`).exit.reason, 'stopped');
      const first = lab.core.snapshot();
      assert.equal(lab.go().exit.reason, 'stopped');
      const second = lab.core.snapshot();
      assert.deepEqual(copied(first, second).sort(), [...expected].sort());
      assert.equal(lab.go().exit.reason, 'idle');
      assert.deepEqual(copied(second, lab.core.snapshot()), []);
    });

test('what the host writes is in the next snapshot, and an older one keeps what was there', () => {
  const lab = new Lab();
  lab.put(DATA, 1, 1);
  const first = lab.core.snapshot();
  lab.put(DATA, 2, 1);
  const second = lab.core.snapshot();
  assert.deepEqual(copied(first, second), [DATA]);
  for (const [snapshot, value] of [
    [first, 1n],
    [second, 2n],
    [first, 1n],
  ] as const) {
    lab.core.restore(snapshot);
    assert.equal(lab.get(DATA, 1), value);
    assert.deepEqual(copied(snapshot, lab.core.snapshot()), [], 'and is the base of the next one');
  }
});

/**
 * A page is written to, its paging entry then leads to another frame without an INVLPG, and it is written to again: the old
 * translation stands, whether a snapshot was taken between or the machine went on from it elsewhere, and whether the frame
 * holds code or not.
 */
for (const [title, again] of [
  ['a store', `c605${dword(DATA)}55`],
  ['a read-modify-write', `8025${dword(DATA)}00 800d${dword(DATA)}55`],
  ['a push', '6a55'],
  ['a string store', `bf${dword(DATA)} b055 aa`],
] as const)
  for (const holdsCode of [false, true])
    for (const between of ['nothing', 'a snapshot', 'a restore elsewhere'] as const)
      test(`a stale translation for ${title}${holdsCode ? ' to a page with code' : ''} survives ${between}`, () => {
        const first = stopping('paging-32');
        first.put(DATA + 0x800n, 0xc3, 1);
        // mov eax, DATA + 0x800; call eax: the frame then holds decoded code.
        const call = holdsCode ? `b8${dword(DATA + 0x800n)} ffd0` : '';
        const remap = poke(first.entryOf(DATA), OTHER + 7n);
        first.run(`bc${dword(DATA + 4n)} ${poke(DATA, 7n)} ${call} ${remap} ${OUT} ${again}`);
        let lab = first;
        if (between !== 'nothing') {
          const snapshot = first.core.snapshot();
          if (between === 'a restore elsewhere') {
            lab = stopping('paging-32');
            lab.core.restore(structuredClone(snapshot));
          }
        }
        assert.equal(lab.go().exit.reason, 'idle');
        assert.deepEqual([lab.get(DATA, 1), lab.get(OTHER, 1)], [0x55n, 0n]);
      });
