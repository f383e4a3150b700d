/** Restart and end of a VM over the second-level page table: who is unmapped, in which order, and what an assertion finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Core } from '../../../server/emulator/face';
import { GIB, type AddressRange } from '../../../server/src/address/range';
import type { Machine, Region } from '../../../server/src/machine/machine';
import type { RangeConvention } from '../../../server/src/vmm/bhyve/guestPageTable';
import { guestMappings, tearDownGuest, type MappingOrder } from '../../../server/src/vmm/bhyve/tearDown';

const HIGH = 4n * GIB;

function region(name: string, range: AddressRange, kind: Region['kind']): Region {
  const origin = { kind: 'vmm', vmm: 'bhyve', version: 'test', citation: '' } as const;
  return { name, range, kind, permissions: null, reason: '', origin, at: null };
}

/** The map of the report. */
const REPORTED: readonly Region[] = [
  region('sysmem', { start: 0n, end: 3n * GIB }, 'ram'),
  region('PCI window', { start: 3n * GIB, end: 0xfec00000n }, 'mmio'),
  region('bootrom', { start: 0xffe00000n, end: HIGH }, 'rom'),
  region('sysmem', { start: HIGH, end: 9n * GIB }, 'ram'),
];
const machine = (regions: readonly Region[]): Machine => ({ regions }) as unknown as Machine;

interface Row {
  readonly what: string;
  /** Pages from 4 GiB on that the guest has touched, beside some of low memory and of the boot ROM. */
  readonly touched: readonly number[];
  readonly ranges?: RangeConvention;
  readonly debug?: boolean;
  readonly why?: 'reset' | 'destroy';
  readonly order?: MappingOrder;
  readonly wired?: boolean;
  readonly ends: 'panic' | 'reset' | 'shutdown' | null;
  readonly says?: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    what: 'the report: both first pages',
    touched: [0, 1],
    ends: 'panic',
    says: ['GPA 0x100000000', 'index 1, GPA 0x100001000', 'ptes[i] == 0'],
  },
  { what: 'the second page only', touched: [1], ends: 'panic', says: ['index 1, GPA 0x100001000'] },
  { what: 'the sixth page only', touched: [5], ends: 'panic', says: ['index 5, GPA 0x100005000'] },
  {
    what: 'the last page of the leaf',
    touched: [0, 511],
    ends: 'panic',
    says: ['index 511, GPA 0x1001ff000'],
  },
  { what: 'the first page only', touched: [0], ends: 'reset', says: ['clears the entry of GPA 0x100000000'] },
  { what: 'the next leaf only', touched: [512], ends: null },
  { what: 'nothing above 4 GiB', touched: [], ends: null },
  {
    what: 'wired memory, nothing touched',
    touched: [],
    wired: true,
    ends: 'panic',
    says: ['clears the entry of GPA 0x100000000', 'index 1, GPA 0x100001000'],
  },
  { what: 'wired memory, half-open', touched: [], wired: true, ranges: 'half-open', ends: null },
  { what: 'wired memory, counted', touched: [7], wired: true, ranges: 'counted', ends: null },
  { what: 'half-open', touched: [0, 1, 5], ranges: 'half-open', ends: null },
  { what: 'counted', touched: [0, 1, 5], ranges: 'counted', ends: null },
  {
    what: 'a kernel without DEBUG',
    touched: [0, 1, 5],
    debug: false,
    ends: 'reset',
    says: ['[0x100000000, 0x100200000) is freed with 2 live entries', 'inferred'],
  },
  { what: 'destroyed in bhyve’s order, high memory first', touched: [0, 1], why: 'destroy', ends: null },
  {
    what: 'destroyed in Propolis’ order, high memory last',
    touched: [0, 1],
    why: 'destroy',
    order: 'propolis',
    ends: 'panic',
    says: ['vm_destroy', 'index 1, GPA 0x100001000'],
  },
  {
    what: 'the same, half-open',
    touched: [0, 1],
    why: 'destroy',
    order: 'propolis',
    ranges: 'half-open',
    ends: null,
  },
];

for (const {
  what,
  touched,
  ranges = 'closed',
  debug = true,
  why = 'reset',
  order = 'bhyve',
  wired = false,
  ends,
  says,
} of ROWS) {
  test(`${why}, ${what}: ${ends ?? 'clean'}`, () => {
    const pages = [
      0n,
      0x7000n,
      0xbffff000n,
      0xffe00000n,
      0xfffff000n,
      ...touched.map((n) => HIGH + BigInt(n) * 0x1000n),
    ];
    const core = {
      touchedIn: (start: bigint, end: bigint) => pages.filter((gpa) => gpa >= start && gpa < end),
    } as unknown as Core;
    const verdict = tearDownGuest(core, guestMappings(machine(REPORTED), order), why, {
      ranges,
      debug,
      wired,
    });
    if (ends === null) return assert.equal(verdict, null);
    assert.ok(verdict && verdict.kind !== 'answer');
    assert.equal(verdict.kind, ends === 'panic' ? 'host-panic' : ends);
    for (const part of says ?? []) assert.ok(verdict.reason.includes(part), verdict.reason);
    if (verdict.kind === 'host-panic') assert.equal(verdict.address, 0xffe00000n);
  });
}

test('mappings are freed in the order in which the VMM’s userland makes them', () => {
  const order = (by: MappingOrder) =>
    guestMappings(machine(REPORTED), by).map(({ range }) => `0x${range.start.toString(16)}`);
  assert.deepEqual(order('bhyve'), ['0x100000000', '0x0', '0xffe00000']);
  assert.deepEqual(order('propolis'), ['0x0', '0xffe00000', '0x100000000']);
});

test('with closed ranges a restart asserts where the guest has touched the leaf of 4 GiB beyond its first page, and only there', () => {
  const number = fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: -600, max: 1_310_719 }));
  fc.assert(
    fc.property(fc.array(number, { maxLength: 12 }), (touched) => {
      const pages = touched.map((n) => HIGH + BigInt(n) * 0x1000n);
      const core = {
        touchedIn: (start: bigint, end: bigint) => pages.filter((gpa) => gpa >= start && gpa < end),
      } as unknown as Core;
      const mappings = guestMappings(machine(REPORTED), 'bhyve');
      const verdict = tearDownGuest(core, mappings, 'reset', { ranges: 'closed', debug: true, wired: false });
      const first = touched.filter((n) => n > 0 && n < 512).sort((a, b) => a - b)[0];
      assert.equal(verdict?.kind === 'host-panic', first !== undefined);
      if (verdict?.kind === 'host-panic') assert.match(verdict.reason, new RegExp(`index ${first}, `));
      for (const ranges of ['half-open', 'counted'] as const) {
        assert.equal(tearDownGuest(core, mappings, 'reset', { ranges, debug: true, wired: false }), null);
      }
    }),
  );
});
