/** Each VM-entry check against a state that violates it and nothing else (SDM vol. 3C, “VM Entries”; APM vol. 2, 15.5.1). */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FLAT16, flat32, flat64 } from '../../../server/src/vmm/vmd/bootState';
import {
  checkEntry,
  VMRUN_CHECKS,
  VMX_CHECKS,
  type EntryCpu,
  type GuestState,
} from '../../../server/src/x86/entryChecks/entryChecks';
import type { SegmentName, SegmentState } from '../../../server/src/x86/state';

const INTEL: EntryCpu = {
  vendor: 'intel',
  physicalWidth: 46,
  linearWidth: 48,
  unrestrictedGuest: true,
  fixedBitsVisible: false,
};
const AMD: EntryCpu = { ...INTEL, vendor: 'amd', physicalWidth: 48 };
const RESTRICTED: EntryCpu = { ...INTEL, unrestrictedGuest: false };
const IN_VMCS: EntryCpu = { ...INTEL, fixedBitsVisible: true };

const REAL: GuestState = FLAT16;
const PROTECTED: GuestState = flat32(0x1000000n, 0xffdcn);
const COMPATIBILITY: GuestState = flat64(0x1000000n, 0xffdcn);

function change(state: GuestState, name: SegmentName, part: Partial<SegmentState>): GuestState {
  const segments = state.segments ?? {};
  const segment = segments[name];
  assert.ok(segment);
  return { ...state, segments: { ...segments, [name]: { ...segment, ...part } } };
}
/** 64-bit code: L=1, D=0, type 11. */
const LONG: GuestState = change(COMPATIBILITY, 'cs', { attributes: 0xa09b });

const SELECTORS: readonly SegmentName[] = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'];
const V86 = SELECTORS.reduce<GuestState>(
  (state, name) => change(state, name, { selector: 0x1234, base: 0x12340n, limit: 0xffff, attributes: 0xf3 }),
  { ...PROTECTED, rflags: 0x23202n },
);
const PAE: GuestState = {
  ...PROTECTED,
  cr0: 0x80000031n,
  cr4: 0x20n,
  efer: 0n,
  pdptes: [0x1001n, 0n, 0x1e6n, 0n],
};

const ids = (state: GuestState, cpu: EntryCpu): string[] =>
  checkEntry(state, cpu).violations.map(({ check }) => check.id);

for (const [name, state] of Object.entries({ REAL, PROTECTED, COMPATIBILITY, LONG, V86, PAE })) {
  for (const cpu of [INTEL, AMD]) {
    test(`a legal ${name} state enters on ${cpu.vendor}`, () => assert.deepEqual(ids(state, cpu), []));
  }
}

type Row = readonly [id: string, what: string, state: GuestState, message: RegExp, cpu?: EntryCpu];
const unusable = (state: GuestState, name: SegmentName): GuestState =>
  change(state, name, { attributes: 0x10000 });

const VIOLATIONS: readonly Row[] = [
  ['V1', 'paging without protection', { ...REAL, cr0: 0x80000010n }, /PG=1 with PE=0/],
  ['V2', 'CR0 above 31 bits', { ...PROTECTED, cr0: 0x100000031n }, /bits above 31/],
  [
    'V2',
    'real mode on a CPU without unrestricted guest',
    { cr0: 0x10n },
    /PE=0 and PG=0 without/,
    RESTRICTED,
  ],
  ['V2', 'NE cleared in the VMCS', { ...PROTECTED, cr0: 0x11n, cr4: 0x2000n }, /NE=0/, IN_VMCS],
  ['V2', 'VMXE cleared in the VMCS', { ...PROTECTED, cr0: 0x31n, cr4: 0n }, /VMXE=0/, IN_VMCS],
  ['V3', 'LMA without paging', { ...LONG, cr0: 0x31n }, /PG=0 in an IA-32e guest/],
  ['V3', 'long mode without PAE', { ...LONG, cr4: 0n }, /PAE=0 in an IA-32e guest/],
  ['V3', 'PCIDE outside long mode', { ...PROTECTED, cr4: 0x20000n }, /PCIDE=1 outside/],
  // tklengyel/drakvuf#388 and #465 show CR3 values of this form.
  ['V4', 'the no-flush bit kept in CR3', { ...LONG, cr3: 0x800000001a02f080n }, /never stored/],
  ['V4', 'CR3 beyond MAXPHYADDR', { ...LONG, cr3: 1n << 46n }, /MAXPHYADDR 46$/],
  [
    'V5',
    'LMA against the entry control',
    { ...LONG, efer: 0n, ia32eEntry: true },
    /“IA-32e mode guest” is 1/,
  ],
  [
    'V5',
    'paging and LME without LMA',
    { ...PROTECTED, cr0: 0x80000031n, cr4: 0n, efer: 0x100n },
    /LMA=0 with LME=1/,
  ],
  ['V5', 'a reserved bit of EFER', { ...PROTECTED, efer: 0x2000n }, /reserved on Intel/],
  ['V6', 'CET without WP', { ...LONG, cr0: 0x80000031n, cr4: 0x800020n }, /CET=1 with CR0.WP=0/],
  ['V7', 'DR7 above 31 bits', { ...LONG, dr: [0n, 0n, 0n, 0n, 0n, 0n, 0n, 1n << 32n] }, /DR7/],
  ['V8', 'a SYSENTER address that is not canonical', { ...LONG, sysenterEip: 1n << 47n }, /SYSENTER_EIP/],
  ['V9', 'a memory type that PAT lacks', { ...LONG, pat: 0x0007040600070206n }, /0x2 in PA1/],
  ['V10', 'CS not accessed', change(LONG, 'cs', { attributes: 0xa09a }), /type 10, which is no accessed/],
  ['V10', 'CS data with DPL 3', change(REAL, 'cs', { attributes: 0xf3 }), /type 3 \(data\) with DPL 3/],
  ['V10', 'CS absent', change(LONG, 'cs', { attributes: 0xa01b }), /S and P must be 1/],
  ['V10', 'CS with another DPL than SS', change(LONG, 'cs', { attributes: 0xa0fb }), /DPL 3, SS has DPL 0/],
  ['V10', 'conforming CS above SS', change(LONG, 'cs', { attributes: 0xa0ff }), /type 15 and DPL 3/],
  ['V11', 'SS read-only', change(LONG, 'ss', { attributes: 0xc091 }), /type 1, not 3 or 7/],
  [
    'V11',
    'SS with DPL 3 in real mode',
    change(change(REAL, 'cs', { attributes: 0xfb }), 'ss', { attributes: 0xf3 }),
    /CR0.PE=0/,
  ],
  ['V12', 'DS not accessed', change(LONG, 'ds', { attributes: 0xc092 }), /DS has type 2/],
  ['V12', 'FS execute-only', change(LONG, 'fs', { attributes: 0xc099 }), /FS has type 9/],
  ['V12', 'GS absent', change(LONG, 'gs', { attributes: 0xc013 }), /GS has access rights 0xc013/],
  // kontainapp/km#448 shows a CS base of this form.
  ['V13', 'a CS base above 4 GiB', change(LONG, 'cs', { base: 0x7fffeed269c6n }), /bits above 31/],
  [
    'V13',
    'an FS base that is not canonical',
    change(unusable(LONG, 'fs'), 'fs', { base: 1n << 47n }),
    /FS has base/,
  ],
  [
    'V14',
    'a limit that needs G',
    change(LONG, 'ds', { limit: 0x100000, attributes: 0x4093 }),
    /DS has limit 0x100000 with G=0/,
  ],
  [
    'V14',
    'a limit that G cannot express',
    change(LONG, 'es', { limit: 0x1000, attributes: 0xc093 }),
    /ES has limit 0x1000 with G=1/,
  ],
  ['V15', 'L and D both', change(LONG, 'cs', { attributes: 0xe09b }), /L and D are both 1/],
  ['V16', 'reserved access rights', change(LONG, 'es', { attributes: 0xc193 }), /reserved bits 0x100/],
  ['V17', 'an available TSS', change(LONG, 'tr', { attributes: 0x89 }), /type 9, not that of a busy 64-bit/],
  [
    'V17',
    'a 16-bit TSS in long mode',
    change(LONG, 'tr', { attributes: 0x83 }),
    /type 3, not that of a busy 64-bit/,
  ],
  ['V17', 'TR unusable', unusable(LONG, 'tr'), /TR is unusable/],
  ['V17', 'TR in the LDT', change(LONG, 'tr', { selector: 0x44 }), /in the LDT/],
  ['V18', 'LDTR of another type', change(LONG, 'ldtr', { attributes: 0x83 }), /not those of a present LDT/],
  ['V19', 'V86 with a base of its own', change(V86, 'ds', { base: 0n }), /DS has selector 0x1234, base 0x0/],
  [
    'V20',
    'CS and SS of other rings',
    change(change(LONG, 'cs', { attributes: 0xa09f }), 'ss', { selector: 0x13, attributes: 0xc0f3 }),
    /SS has RPL 3/,
    RESTRICTED,
  ],
  ['V21', 'a GDTR limit above 16 bits', { ...LONG, gdtr: { base: 0n, limit: 0x10000 } }, /GDTR has limit/],
  [
    'V21',
    'an IDTR base that is not canonical',
    { ...LONG, idtr: { base: 1n << 47n, limit: 0 } },
    /IDTR has base/,
  ],
  [
    'V22',
    'RIP above 4 GiB in compatibility mode',
    { ...COMPATIBILITY, rip: 1n << 32n },
    /outside 64-bit mode/,
  ],
  ['V22', 'RIP that is not canonical', { ...LONG, rip: 1n << 47n }, /is not canonical/],
  ['V23', 'RFLAGS without bit 1', { ...LONG, rflags: 0n }, /lacks bit 1/],
  ['V23', 'a reserved bit of RFLAGS', { ...LONG, rflags: 0xan }, /reserved bits 0x8/],
  ['V23', 'an interrupt into IF=0', { ...LONG, injection: 0x80000020 | 0 }, /interrupt 0x20 is injected/],
  [
    'V24',
    'HLT at CPL 3',
    { segments: { ss: { selector: 0, base: 0n, limit: 0, attributes: 0xf3 } }, activity: 1 },
    /SS.DPL 3/,
  ],
  ['V24', 'STI and MOV SS at once', { ...LONG, interruptibility: 3 }, /at once/],
  ['V24', 'STI blocking with IF=0', { ...LONG, interruptibility: 1 }, /STI with RFLAGS.IF=0/],
  [
    'V24',
    'a page fault injected into HLT',
    { ...LONG, activity: 1, injection: 0x80000b0e | 0 },
    /vCPU in HLT/,
  ],
  [
    'V24',
    'an NMI behind MOV SS',
    { ...LONG, interruptibility: 2, injection: 0x80000202 | 0 },
    /NMI is injected/,
  ],
  ['V25', 'a reserved bit in a PDPTE', { ...PAE, pdptes: [0x1003n, 0n, 0n, 0n] }, /PDPTE0 0x1003 .* 0x2$/],
  ['V26', 'a link pointer inside a page', { ...LONG, linkPointer: 0x1234n }, /link pointer 0x1234/],
  ['A1', 'NW without CD', { ...LONG, cr0: 0xa0010031n }, /NW=1 with CD=0/, AMD],
  ['A2', 'CR3 beyond MAXPHYADDR', { ...LONG, cr3: 1n << 48n }, /MAXPHYADDR 48/, AMD],
  ['A3', 'a bit of CR4 that none defines', { ...LONG, cr4: 0x8020n }, /CR4/, AMD],
  ['A4', 'DR6 above 31 bits', { ...LONG, dr: [0n, 0n, 0n, 0n, 0n, 0n, 1n << 32n, 0n] }, /DR6/, AMD],
  ['A5', 'a bit of EFER that none defines', { ...LONG, efer: 0x580n }, /EFER/, AMD],
  ['A6', 'long mode without PAE', { ...LONG, cr4: 0n }, /PAE=0/, AMD],
  ['A7', 'L and D both', change(LONG, 'cs', { attributes: 0xe09b }), /L and D/, AMD],
];

for (const [id, what, state, message, cpu = INTEL] of VIOLATIONS) {
  test(`${id}: ${what}`, () => {
    const { violations } = checkEntry(state, cpu);
    const found = violations.filter(({ check }) => check.id === id);
    assert.deepEqual(ids(state, cpu), [id]);
    assert.match(found[0]!.problem, message);
  });
}

test('every check has a state that violates it', () => {
  const shown = new Set(VIOLATIONS.map(([id]) => id));
  const missing = [...VMX_CHECKS, ...VMRUN_CHECKS].filter(({ id }) => !shown.has(id));
  assert.deepEqual(
    missing.map(({ id }) => id),
    [],
  );
});

test('a dump without segments leaves their checks open, and says which', () => {
  const { violations, unknown } = checkEntry(
    { cr0: 0x80050033n, cr3: 0x1000n, cr4: 0x20n, efer: 0xd01n },
    INTEL,
  );
  assert.deepEqual(violations, []);
  assert.ok(unknown.some(({ id }) => id === 'V13'));
  assert.ok(!unknown.some(({ id }) => id === 'V4'));
});

test('AMD does not look at segments beyond L and D', () => {
  assert.deepEqual(ids(change(LONG, 'tr', { attributes: 0x89 }), AMD), []);
});

test('the page on VM-entry checks names each check with its rule', () => {
  const page = readFileSync(join(process.env['BOOTPATH_ROOT'] ?? '.', 'docs/vm-entry-checks.md'), 'utf8');
  for (const { id, rule } of [...VMX_CHECKS, ...VMRUN_CHECKS])
    assert.ok(page.includes(`| ${id} | ${rule} |`), `${id}: ${rule}`);
});
