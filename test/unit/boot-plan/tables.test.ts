/** Descriptors by their fields, and segment registers that are loaded from them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeGate,
  encodeSegment,
  SEGMENT_TYPES,
  type SegmentTypeName,
} from '../../../server/src/boot-plan/descriptors';
import { decodeDescriptor, explainDescriptor } from '../../../server/src/x86/descriptor';
import { findings, read, told } from './read';

const words = (table: string, entries: string) =>
  (table === 'gdt'
    ? read(`[gdt]\nbase = 0x500\nentries = [${entries}]`).gdt
    : read(`[idt]\nbase = 0x500\nentries = [${entries}]`).idt)!.words.map((word) =>
    word.toString(16).padStart(16, '0'),
  );

test('descriptors that every VMM writes, by their fields', () => {
  // Linux and crosvm: gdt_entry(0xa09b), (0xc093), (0xc09b), (0x808b), flat; OpenBSD’s 16-bit ones.
  const cases: readonly [string, string[]][] = [
    ['0', ['0000000000000000']],
    ['{ type = "code64", accessed = true }', ['00af9b000000ffff']],
    ['{ type = "code32", accessed = true }', ['00cf9b000000ffff']],
    ['{ type = "data", accessed = true }', ['00cf93000000ffff']],
    ['{ type = "code16", base = 0xf0000 }', ['00009a0f0000ffff']],
    ['{ type = "data16", dpl = 3 }', ['0000f2000000ffff']],
    ['{ type = "tss32", limit = 0xffffffff, busy = true }', ['008f8b000000ffff']],
    ['{ type = "tss64", base = "0xffff800012345678" }', ['1200893456780067', '00000000ffff8000']],
    ['{ type = "code64", d = true }', ['00ef9a000000ffff']],
    ['{ type = "data", limit = 0xfffff }', ['004f92000000ffff']],
    ['{ type = "data", limit = 0xfffff, g = true }', ['00c09200000000ff']],
    ['{ type = "data", present = false, writable = false, avl = true }', ['00df10000000ffff']],
    ['"0x00cf93000000ffff"', ['00cf93000000ffff']],
  ];
  for (const [entry, expected] of cases) assert.deepEqual(words('gdt', entry), expected, entry);
});

test('what was encoded reads back as the fields that were given', () => {
  const types = Object.keys(SEGMENT_TYPES) as SegmentTypeName[];
  const segment = fc.record({
    type: fc.constantFrom(...types),
    base: fc.bigInt({ min: 0n, max: 0xffffffffn }),
    pages: fc.bigInt({ min: 0n, max: 0xfffffn }),
    bytes: fc.bigInt({ min: 0n, max: 0xfffffn }),
    granular: fc.boolean(),
    dpl: fc.integer({ min: 0, max: 3 }),
    present: fc.boolean(),
  });
  fc.assert(
    fc.property(segment, ({ type, base, pages, bytes, granular, dpl, present }) => {
      const limit = granular ? pages * 4096n + 4095n : bytes;
      const encoded = encodeSegment({ type, base, limit, dpl, present, g: granular });
      assert.ok('words' in encoded);
      const [low, high] = encoded.words;
      const decoded = decodeDescriptor(low!, high ?? null);
      assert.deepEqual(
        {
          base: decoded.base,
          limit: decoded.limit,
          dpl: decoded.dpl,
          present: decoded.present,
          g: decoded.granular,
        },
        { base, limit: Number(limit), dpl, present, g: granular },
      );
    }),
  );
});

test('gates of 8 and 16 bytes, one after the other or at their vector', () => {
  assert.deepEqual(
    words('idt', '{ type = "interrupt64", selector = 8, offset = "0xffffffff81234567", ist = 2 }'),
    ['81238e0200084567', '00000000ffffffff'],
  );
  assert.deepEqual(words('idt', '{ type = "trap32", selector = 0x10, offset = 0x12345678, dpl = 3 }'), [
    '1234ef0000105678',
  ]);
  const [low] = words('idt', '{ type = "task", selector = 0x18 }');
  assert.match(explainDescriptor(BigInt(`0x${low}`)).summary, /task gate .* TSS 0x18/);
  const placed = words(
    'idt',
    '{ vector = 2, type = "interrupt64", selector = 8 }, { type = "interrupt64", selector = 8 }',
  );
  assert.equal(placed.length, 8);
  assert.deepEqual(
    placed.slice(0, 5),
    ['0', '0', '0', '0', '8e0000080000'].map((word) => word.padStart(16, '0')),
  );
  assert.equal(placed[6], '8e0000080000'.padStart(16, '0'));
});

test('a field without room is told at the field, and the entry keeps its place', () => {
  const cases: readonly [string, string, string][] = [
    ['gdt', '{ type = "data", limit = 0x1ff000 }', '0x1ff000'],
    ['gdt', '{ type = "data", limit = 0x100000, g = false }', '0x100000'],
    ['gdt', '{ type = "data", base = 0x100000000 }', '0x100000000'],
    ['gdt', '{ type = "data", conforming = true }', 'conforming'],
    ['gdt', '{ type = "code64", busy = true }', 'busy'],
    ['idt', '{ type = "interrupt32", selector = 8, offset = 0x100000000 }', '0x100000000'],
    ['idt', '{ type = "trap16", selector = 8, ist = 1 }', '1'],
    ['idt', '{ type = "task", selector = 8, offset = 4 }', '4'],
  ];
  for (const [table, entry, at] of cases) {
    const text = `[${table}]\nbase = 0x500\nentries = [0, ${entry}, 0x00cf93000000ffff]\n[[vcpu]]\n`;
    assert.deepEqual(told(text), [`boot-plan-descriptor: ${at}`], entry);
    const { gdt, idt } = read(text);
    assert.equal((gdt ?? idt)!.words[2], 0x00cf93000000ffffn, entry);
  }
});

test('the message of a limit names the nearest that can be encoded', () => {
  const [finding] = findings('[gdt]\nbase = 0\nentries = [{ type = "data", limit = 0x1ff000 }]\n[[vcpu]]\n');
  assert.match(finding!.message, /0x1ff000 .* 0x1fefff or 0x1fffff/);
});

test('a gate beyond what a field holds is refused, whatever its type', () => {
  assert.ok('problem' in encodeGate({ type: 'interrupt16', selector: 8, offset: 0x10000n }));
  assert.ok('words' in encodeGate({ type: 'interrupt16', selector: 8, offset: 0xffffn }));
});

const GDT = `[gdt]
base = 0x500
entries = [0, { type = "code64" }, { type = "data" }, { type = "code32", readable = false }, { type = "data", present = false }, { type = "tss64" }]
`;

test('a selector takes its hidden part from the GDT, as the processor loads it', () => {
  const [vcpu] = read(`${GDT}[[vcpu]]\nefer = ["LME", "LMA"]\ncs = 8\nss = 0x10\ntr = 0x28\nfs = 0\n`).plan
    .registers;
  const { cs, ss, tr, fs } = vcpu!.segments;
  // Loading sets the accessed bit of code and data, and makes a TSS busy.
  assert.deepEqual(cs, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xa09b });
  assert.deepEqual(ss, { selector: 0x10, base: 0n, limit: 0xffffffff, attributes: 0xc093 });
  assert.deepEqual(tr, { selector: 0x28, base: 0n, limit: 0x67, attributes: 0x008b });
  assert.deepEqual(fs, { selector: 0, base: 0n, limit: 0, attributes: 0x10000 });
});

test('selectors that cannot be loaded are told with what is there instead', () => {
  const cases: readonly [string, RegExp][] = [
    ['cs = 0x38', /entry 7, whose last byte is at offset 0x3f, and the GDT ends at 0x37/],
    ['cs = 0x40', /entry 8, .* entries 1 to 6/],
    ['cs = 0', /null selector, which cs cannot hold/],
    ['cs = 0x10', /a descriptor of data, and CS takes code/],
    ['ss = 8', /not writable data/],
    ['ds = 0x18', /can only be executed/],
    ['ds = 0x20', /not present/],
    ['ds = 0x0c', /entry 1 of the LDT/],
    ['ds = 0x28', /and DS takes data or code/],
    ['tr = 0x10', /and TR takes a TSS/],
    ['ldtr = 0x10', /and LDTR takes an LDT/],
  ];
  for (const [register, message] of cases) {
    const gdt = register === 'cs = 0x38' ? GDT.replace('}]', '}]\nlimit = 0x37') : GDT;
    const found = findings(`${gdt}[[vcpu]]\n${register}\n`);
    assert.deepEqual(
      found.map(({ code }) => code),
      ['boot-plan-selector'],
      register,
    );
    assert.match(found[0]!.message, message);
    assert.match(found[0]!.related![0]!.message, /GDT is here/);
  }
});

test('without a GDT a selector needs its hidden part, and with it no GDT is asked', () => {
  assert.deepEqual(told('[[vcpu]]\ncs = 8\n'), ['boot-plan-selector: 8']);
  assert.deepEqual(
    told('[[vcpu]]\ncs = { selector = 8, base = 0, limit = 0xffff, attributes = 0x9b }\nds = 0\n'),
    [],
  );
});

test('parts of a register that are given count more than its descriptor', () => {
  const [vcpu] = read(`${GDT}[[vcpu]]\nfs = { selector = 0x10, base = 0x1000 }\n`).plan.registers;
  assert.deepEqual(vcpu!.segments.fs, {
    selector: 0x10,
    base: 0x1000n,
    limit: 0xffffffff,
    attributes: 0xc093,
  });
});
