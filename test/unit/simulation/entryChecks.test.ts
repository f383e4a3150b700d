import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { entryProblems } from '../../../server/src/simulation/entryChecks';
import { FLAT16, flat32, flat64 } from '../../../server/src/vmm/vmd/bootState';
import type { VcpuState } from '../../../server/src/x86/state';

const LONG = flat64(0x1000000n, 0xffdcn);

for (const [name, state] of [
  ['flat16', FLAT16],
  ['flat64', LONG],
  ['flat32', flat32(0x1000000n, 0xffdcn)],
] as const) {
  test(`vmd's register set ${name} enters the guest`, () => assert.deepEqual(entryProblems(state), []));
}

const withCode = (state: VcpuState, attributes: number): VcpuState => ({
  ...state,
  segments: { ...state.segments, cs: { ...state.segments.cs, attributes } },
});

for (const [name, state, message] of [
  ['paging without protection', { ...FLAT16, cr0: 0x80000010n }, /PG without PE/],
  ['LMA without paging', { ...FLAT16, cr4: 0x20n, efer: 0x500n }, /LMA=1, CR0\.PG and LME make it 0/],
  ['paging and LME without LMA', { ...LONG, efer: 0x100n }, /LMA=0, CR0\.PG and LME make it 1/],
  ['long mode without PAE', { ...LONG, cr4: 0x10n }, /lacks PAE/],
  ['L and D both', withCode(LONG, 0xe09f), /both L and D/],
  [
    'a 16-bit TSS in long mode',
    { ...LONG, segments: { ...LONG.segments, tr: { ...LONG.segments.tr, attributes: 0x83 } } },
    /TR has type 0x3, not that of a busy 64-bit TSS/,
  ],
  ['RFLAGS without bit 1', { ...FLAT16, rflags: 0n }, /lacks the fixed bit 1/],
  ['RFLAGS bit 3', { ...FLAT16, rflags: 0xan }, /reserved bits 0x8/],
  ['RIP beyond 32 bits outside 64-bit mode', { ...LONG, rip: 1n << 32n }, /above 31/],
  [
    'a non-canonical RIP in 64-bit mode',
    { ...withCode(LONG, 0xa09b), rip: 1n << 47n },
    /0x800000000000 is not canonical/,
  ],
  [
    'a limit that granularity does not allow',
    {
      ...FLAT16,
      segments: { ...FLAT16.segments, ds: { ...FLAT16.segments.ds, limit: 0x100000, attributes: 0x93 } },
    },
    /DS has limit 0x100000 with G=0/,
  ],
] as const) {
  test(`${name} is refused`, () => {
    const problems = entryProblems(state);
    assert.equal(problems.length, 1, problems.join('; '));
    assert.match(problems[0]!, message);
  });
}
