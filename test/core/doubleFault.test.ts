/** Faults in the delivery of another event: serial, #DF or shutdown by class (SDM vol. 3, 6.15, table 6-5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrmsr } from './apic/bench';
import { CODE, DATA, GDT, IDT, Lab, SELECTOR } from './lab';
import { testProfile } from './oracle/profile';

/** A handler of eight bytes for each vector: ENDBR32, HLT. */
const HANDLERS = 0x8800n;
const ABSENT = 0xb000n;
/** A selector whose descriptor lies on the absent page. */
const UNREADABLE = Number(ABSENT - GDT);
const DEVICE_VECTOR = 0x20;

interface First {
  readonly vector: number;
  readonly code: string;
  readonly benign?: true;
  readonly software?: true;
  prepare?(lab: Lab): void;
}
const FIRST: Readonly<Record<string, First>> = {
  '#DE': { vector: 0, code: '31c9 f7f1' },
  '#DB': { vector: 1, code: 'f1', benign: true },
  NMI: { vector: 2, code: '90', benign: true, prepare: (lab) => lab.core.deliver(0, 0, false, 4, false) },
  '#BP': { vector: 3, code: 'cc', benign: true, software: true },
  '#UD': { vector: 6, code: '0f0b', benign: true },
  '#NM': {
    vector: 7,
    code: 'd9e8',
    benign: true,
    prepare: (lab) => lab.set({}, { cr0: lab.core.state(0).cr0 | 8n }),
  },
  // A jump to a TSS that is too short.
  '#TS': {
    vector: 10,
    code: 'ea000000005000',
    prepare: (lab) => lab.put(GDT + BigInt(SELECTOR.spare), 0x0000890038000066n, 8),
  },
  '#NP': {
    vector: 11,
    code: 'b850000000 8ed8',
    prepare: (lab) => lab.put(GDT + BigInt(SELECTOR.spare), 0x00cf13000000ffffn, 8),
  },
  '#SS': {
    vector: 12,
    code: 'b850000000 8ed0',
    prepare: (lab) => lab.put(GDT + BigInt(SELECTOR.spare), 0x00cf13000000ffffn, 8),
  },
  '#GP': { vector: 13, code: 'b800000080 0f22e0' },
  '#PF': { vector: 14, code: 'a100c00000', prepare: (lab) => lab.put(lab.entryOf(0xc000n), 0n, 4) },
  // fninit; fldcw [DATA]; fld1; fldz; fdivp; fwait
  '#MF': {
    vector: 16,
    code: 'dbe3 d92d00900000 d9e8 d9ee def9 9b',
    benign: true,
    prepare: (lab) => lab.put(DATA, 0x37b, 2),
  },
  // An indirect jump to something that is not ENDBR32.
  '#CP': { vector: 21, code: `${wrmsr(0x6a2, 4)} b800a00000 ffe0` },
  'INT n': { vector: 0x40, code: 'cd40', benign: true, software: true },
  'an external interrupt': {
    vector: DEVICE_VECTOR,
    code: '90',
    benign: true,
    prepare: (lab) => {
      lab.set({}, { rflags: 0x202n });
      lab.core.enterVirtualWireMode();
      lab.core.setInterruptLine(true);
    },
  },
};

function machine(): Lab {
  const lab = new Lab({
    mode: 'paging-32',
    profile: testProfile({ ibt: true }),
    bus: { acknowledge: () => DEVICE_VECTOR },
  });
  for (let vector = 0; vector < 256; vector++) {
    gate(lab, vector, 0x8e, SELECTOR.code32);
    lab.put(HANDLERS + BigInt(8 * vector), 0xf4_fb1e0ff3n, 8);
  }
  lab.put(lab.entryOf(ABSENT), 0n, 4);
  const { cr0, cr4 } = lab.core.state(0);
  return lab.set(
    {},
    {
      idtr: { base: IDT, limit: 0x7ff },
      gdtr: { base: GDT, limit: 0xffff },
      cr0: cr0 | 0x10000n,
      cr4: cr4 | 0x800000n,
    },
  );
}
function gate(lab: Lab, vector: number, rights: number, selector: number): void {
  const target = HANDLERS + BigInt(8 * vector);
  lab.put(IDT + BigInt(8 * vector), target | (BigInt(selector) << 16n) | (BigInt(rights) << 40n), 8);
}
/** What keeps an event of this vector from being delivered. */
const SECOND = {
  'a contributory exception': {
    vector: 11,
    spoil: (lab: Lab, vector: number) => gate(lab, vector, 0x0e, SELECTOR.code32),
  },
  'a page fault': { vector: 14, spoil: (lab: Lab, vector: number) => gate(lab, vector, 0x8e, UNREADABLE) },
} as const;

for (const [name, first] of Object.entries(FIRST))
  for (const [kind, second] of Object.entries(SECOND)) {
    if (first.vector === second.vector) continue;
    const isPageFault = second.vector === 14;
    const double = first.vector === 14 || (first.benign !== true && !isPageFault);
    test(`${name}, then ${kind}: ${double ? '#DF' : isPageFault ? '#PF' : '#NP'} is delivered`, () => {
      const lab = machine();
      first.prepare?.(lab);
      second.spoil(lab, first.vector);
      const { state, exit } = lab.run(first.code);
      assert.equal(exit.reason, 'idle');
      const delivered = double ? 8 : second.vector;
      assert.equal(state.rip, HANDLERS + BigInt(8 * delivered) + 5n);
      const external = first.software ? 0 : 1;
      assert.equal(
        lab.get(state.general.rsp, 4),
        double || isPageFault ? 0n : BigInt(first.vector * 8 + 2 + external),
      );
      if (isPageFault) assert.equal(state.cr2, ABSENT, 'CR2 is written even if it becomes #DF');
    });
  }

for (const [title, spoiled, expected] of [
  ['#PF then #PF', 14, 8],
  ['#NP then #NP', 11, 8],
] as const)
  test(`${title}: #DF`, () => {
    const lab = machine();
    const name = spoiled === 14 ? '#PF' : '#NP';
    FIRST[name]!.prepare?.(lab);
    if (spoiled === 14) SECOND['a page fault'].spoil(lab, 14);
    else SECOND['a contributory exception'].spoil(lab, 11);
    assert.equal(lab.run(FIRST[name]!.code).state.rip, HANDLERS + BigInt(8 * expected) + 5n);
  });

for (const [kind, second] of Object.entries(SECOND))
  test(`#DF, then ${kind}: shutdown`, () => {
    const lab = machine();
    SECOND['a contributory exception'].spoil(lab, 13);
    second.spoil(lab, 8);
    const { exit } = lab.run(FIRST['#GP']!.code);
    assert.equal(exit.reason, 'shutdown');
    const chain = exit.reason === 'shutdown' ? exit.faults.map(({ vector }) => vector) : [];
    assert.deepEqual(chain, [13, 11, second.vector]);
  });

test('a page fault that a contributory exception led to is first again: its own fault makes #DF', () => {
  const lab = machine();
  SECOND['a page fault'].spoil(lab, 13);
  SECOND['a contributory exception'].spoil(lab, 14);
  assert.equal(lab.run(FIRST['#GP']!.code).state.rip, HANDLERS + 64n + 5n);
});
test('the classes hold for the delivery only: a fault in the handler is a first one', () => {
  const lab = machine();
  // The #GP handler: ENDBR32, UD2.
  lab.put(HANDLERS + 8n * 13n + 4n, 0x0b0f, 2);
  const { state } = lab.run(FIRST['#GP']!.code);
  assert.equal(state.rip, HANDLERS + 8n * 6n + 5n);
});
test('the #DF frame returns to the instruction of the first fault', () => {
  const lab = machine();
  SECOND['a contributory exception'].spoil(lab, 0);
  const { state } = lab.run(FIRST['#DE']!.code);
  assert.equal(lab.get(state.general.rsp + 4n, 4), CODE + 2n);
});
