/** What the models of VMMs say of their guests' start: sound in every version, and where linear addresses lead. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { contains } from '../../../server/src/address/range';
import { BOOT_STATE_CHECKS } from '../../../server/src/checks/bootState/rows';
import { LinearMap } from '../../../server/src/checks/bootState/linearMap';
import { LAYOUT_CHECKS } from '../../../server/src/checks/layout/rows';
import { applies } from '../../../server/src/checks/check';
import type { Document } from '../../../server/src/machine/language';
import type { Machine } from '../../../server/src/machine/machine';
import { VMM_MODELS } from '../../../server/src/vmm/models';
import { sized } from '../vmm/cloudHypervisorGuest';
import { vmdMachine } from '../simulation/vmdMachine';
import { documentOf, mapping } from './bootDocument';

const MIB = 1n << 20n;

/** The guest of a config, laid out and started by another version or VMM, as `--as` does. */
function under(guest: Machine, vmm: string, version: string): Document {
  const model = VMM_MODELS.find(({ name }) => name === vmm)!;
  const machine = { ...guest, vmm, version, regions: model.layOut(guest, version) };
  return { ...documentOf({ language: 'vmconf', vmm, version }), machines: [machine] };
}

const GUESTS: readonly (readonly [string, Machine])[] = [
  ['512 MiB and a disk', vmdMachine('7.8', '512M')],
  ['6 GiB and a kernel', sized('v39.0', 6144n * MIB, 3)],
];

for (const { name, versions } of VMM_MODELS) {
  test(`${name}: no version starts a guest that a rule on layouts or boot states has an error or a warning for`, () => {
    for (const { id } of versions) {
      for (const [what, guest] of GUESTS) {
        const document = under(guest, name, id);
        const found = [...LAYOUT_CHECKS, ...BOOT_STATE_CHECKS]
          // The seam of illumos issue 14042 is there in the version that has it.
          .filter((check) => check.code !== 'closed-range-seam' && applies(check, document))
          .flatMap((check) =>
            [...(check.run?.(document) ?? [])].map((one) => [one.severity ?? check.severity, one.message]),
          )
          .filter(([severity]) => severity === 'error' || severity === 'warning');
        assert.deepEqual(found, [], `${name}@${id}, ${what}`);
      }
    }
  });
}

test('where a linear address leads, and what is not reached, are those of a search page by page', () => {
  const row = fc.tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ max: 40, min: 0 }),
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), fc.integer({ min: 0, max: 48 }), (rows, asked) => {
      let next = 0n;
      const mappings = rows.map(([gap, length, physical]) => {
        const start = next + BigInt(gap);
        next = start + BigInt(length);
        return mapping(start, next, { physical: BigInt(physical) });
      });
      const map = new LinearMap([...mappings].reverse());
      const address = BigInt(asked);
      const own = mappings.find(({ linear }) => contains(linear, address));
      assert.equal(map.at(address), own ?? null);
      assert.equal(map.translate(address), own ? own.physical! + address - own.linear.start : null);
      const reached = mappings.some(
        ({ linear, physical }) => address >= physical! && address < physical! + (linear.end - linear.start),
      );
      assert.equal(map.firstUnreached({ start: address, end: address + 1n }) === null, reached);
      assert.equal(map.firstUnmapped({ start: address, end: address + 1n }) === null, own !== undefined);
    }),
  );
});
