/** Tables that boot-plan/pageTables.ts builds, walked by the core: every mapped address arrives, with its rights, and no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildPageTables, placesFrom } from '../../../server/src/boot-plan/pageTables';
import { mappingProblem, PAGING_MODES, type PagingModeName } from '../../../server/src/boot-plan/pagingModes';
import type { MappingRights, PlannedMapping } from '../../../server/src/boot-plan/plan';
import { CODE, Lab, SELECTOR, bytesOf } from '../lab';
import { testProfile } from '../oracle/profile';

/** Behind the lab's own tables; its RAM ends at 4 MiB. */
const ROOT = 0x100000n;
const RAM_END = 0x400000n;
const MIB4 = 0x400000n;
const GIB = 1n << 30n;
const CONTROL: Readonly<Record<PagingModeName, { cr4: bigint; efer: bigint }>> = {
  '32-bit': { cr4: 0x10n, efer: 0n },
  pae: { cr4: 0x20n, efer: 0x800n },
  '4-level': { cr4: 0x20n, efer: 0xd00n },
  '5-level': { cr4: 0x1020n, efer: 0xd00n },
};
/** CR0.WP makes supervisor writes obey RW. */
const CR0 = 0x80010031n;

interface Access {
  readonly address: bigint;
  readonly write: boolean;
}

class Walked {
  private readonly accesses: Access[] = [];
  private readonly lab: Lab;

  constructor(
    readonly paging: PagingModeName,
    mappings: readonly PlannedMapping[],
  ) {
    this.lab = new Lab({
      mode: 'protected-32',
      profile: testProfile({ physicalWidth: 46, features: { pages1g: true }, with: ['LA57', 'PSE-36'] }),
      bus: {
        readMmio: (address) => (this.accesses.push({ address, write: false }), 0n),
        writeMmio: (address) => void this.accesses.push({ address, write: true }),
      },
    });
    const { tables, problems } = buildPageTables(paging, placesFrom([ROOT, ROOT + 4096n]), mappings);
    assert.deepEqual(problems, []);
    for (const { range, bytes } of tables) {
      assert.ok(range.end <= RAM_END, 'the test has room for its tables');
      this.lab.core.write(range.start, bytes());
    }
  }

  /** Physical address that a byte access reaches, or `fault`. */
  reach(linear: bigint, write: boolean): bigint | 'fault' {
    const { lab, paging, accesses } = this;
    accesses.length = 0;
    const long = paging.endsWith('level');
    const cs = {
      selector: long ? SELECTOR.code64 : SELECTOR.code32,
      base: 0n,
      limit: 0xffffffff,
      attributes: long ? 0xa09b : 0xc09b,
    };
    lab.set({ rbx: linear }, { rip: CODE, cr0: CR0, cr3: ROOT, ...CONTROL[paging] }).segment('cs', cs);
    lab.core.setActivity(0, 'running');
    const code = write ? '8803' : '8a03';
    lab.core.write(CODE, Uint8Array.from(bytesOf(code)));
    const before = lab.core.now;
    lab.core.run(before + 1);
    const last = lab.core.faults(0).at(-1);
    if (last && last.at >= before) return 'fault';
    assert.deepEqual(
      accesses.map((access) => access.write),
      [write],
    );
    return accesses[0]!.address;
  }
}

const rights = fc.record({ writable: fc.boolean(), user: fc.boolean(), executable: fc.boolean() });
const ALL: MappingRights = { writable: true, user: false, executable: true };
const PLACE = { uri: '', range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } } };

function mapping(
  linear: bigint,
  physical: bigint,
  length: bigint,
  page: bigint,
  leaf: MappingRights,
  upper: MappingRights | null,
): PlannedMapping {
  return {
    linear: { start: linear, end: linear + length },
    physical,
    page,
    leaf,
    upper,
    global: false,
    at: PLACE,
  };
}

/** The code page and what the core itself touches, at 4 MiB and below. */
const OWN = mapping(0n, 0n, MIB4, 4096n, ALL, null);

/** A run has up to half a GiB, or one page of a GiB. */
const STRIDE: Readonly<Record<PagingModeName, bigint>> = {
  '32-bit': GIB,
  pae: GIB,
  '4-level': 2n * GIB,
  '5-level': 2n * GIB,
};

const caseOf = (paging: PagingModeName) => {
  const sizes = [...PAGING_MODES[paging].pages.keys()];
  const wide = paging !== '32-bit';
  const slots = paging.endsWith('level') ? 200 : 3;
  const run = fc.record({
    /** In strides, so that runs do not touch; the code lies in the first. */
    slot: fc.integer({ min: 1, max: slots }),
    high: fc.boolean(),
    size: fc.constantFrom(...sizes),
    pages: fc.integer({ min: 1, max: 5 }),
    first: fc.integer({ min: 0, max: 600 }),
    frame: fc.bigInt({ min: 0n, max: 2000n }),
    leaf: rights,
  });
  /** Of all runs alike: entries that two share can have one set of rights only. */
  const upper = fc.option(
    fc.record({ writable: fc.boolean(), user: fc.boolean(), executable: fc.constant(true) }),
  );
  return fc
    .tuple(fc.uniqueArray(run, { maxLength: 6, selector: ({ slot }) => slot }), upper)
    .map(([list, above]) =>
      list.map(({ slot, high, size, pages, first, frame, leaf }): PlannedMapping => {
        const base =
          paging.endsWith('level') && high ? (1n << 64n) - (1n << (paging === '4-level' ? 47n : 56n)) : 0n;
        const inside = size < GIB ? (BigInt(first) * size) % (GIB / 2n) : 0n;
        const length = size < GIB ? BigInt(pages) * size : size;
        // Behind the RAM, so that the access leaves the core; within 4 GiB for small pages of 32-bit paging.
        const reach = paging === '32-bit' && size === 4096n ? 1n << 31n : 1n << 38n;
        const physical = GIB + (((frame * 7n * size) % (reach - GIB)) / size) * size;
        const executable = wide ? leaf.executable : true;
        return mapping(
          base + BigInt(slot) * STRIDE[paging] + inside,
          (physical / size) * size,
          length,
          size,
          { ...leaf, executable },
          above,
        );
      }),
    );
};

for (const paging of ['32-bit', 'pae', '4-level', '5-level'] as const) {
  test(`${paging}: every page arrives, is written to as its entries allow, and its neighbours fault`, () => {
    fc.assert(
      fc.property(caseOf(paging), (runs) => {
        for (const run of runs) assert.equal(mappingProblem(paging, run), null);
        const walked = new Walked(paging, [OWN, ...runs]);
        const canWrite = (run: PlannedMapping) => run.leaf.writable && writableAbove(paging, run);
        for (const run of runs) {
          const last = run.linear.end - 1n;
          for (const linear of [run.linear.start, last]) {
            const physical = run.physical + linear - run.linear.start;
            assert.equal(walked.reach(linear, false), physical);
            assert.equal(walked.reach(linear, true), canWrite(run) ? physical : 'fault');
          }
          assert.equal(walked.reach(last + 1n, false), 'fault');
        }
      }),
      { numRuns: 60 },
    );
  });
}

/** Bytes that the leaves' own level covers where no entry above them has rights: PDPTEs of PAE paging have none. */
const TOP_PAGE: Readonly<Record<PagingModeName, bigint>> = {
  '32-bit': MIB4,
  pae: MIB4 / 2n,
  '4-level': 1n << 39n,
  '5-level': 1n << 48n,
};

/** Whether all entries above the leaves allow writing. */
function writableAbove(paging: PagingModeName, { page, upper }: PlannedMapping): boolean {
  return page === TOP_PAGE[paging] || upper === null || upper.writable;
}
