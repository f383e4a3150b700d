import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { CR0, CR4, EFER, pagingMode, RFLAGS, xcr0Problems } from '../../../server/src/x86/controlRegisters';
import { setFlags } from '../../../server/src/x86/bitField';
import {
  decodeDescriptor,
  descriptorKind,
  encodeDescriptor,
  explainDescriptor,
  gdtEntry,
} from '../../../server/src/x86/descriptor';
import { escalate, exceptionName, EXCEPTIONS, selectorErrorText } from '../../../server/src/x86/exceptions';
import { decodeIcr, explainIcr, sipiStart } from '../../../server/src/x86/icr';
import { msrName } from '../../../server/src/x86/msr';
import { explainPageTableEntry, frameOf } from '../../../server/src/x86/pageTableEntry';
import { explainPageFaultError } from '../../../server/src/x86/pageFaultError';
import { portName } from '../../../server/src/x86/ports';
import { selectorText } from '../../../server/src/x86/selectors';
import { explainSvmExit } from '../../../server/src/x86/svmExits';
import { explainVmxExit, interruptionText } from '../../../server/src/x86/vmxExits';

for (const [flags, base, limit, value] of [
  [0xa09b, 0n, 0xfffff, 0x00af9b000000ffffn],
  [0xc093, 0n, 0xfffff, 0x00cf93000000ffffn],
  [0x808b, 0n, 0xfffff, 0x008f8b000000ffffn],
  [0xc09b, 0n, 0xffffffff, 0x00cf9b000000ffffn],
  [0x008b, 0n, 0x67, 0x00008b0000000067n],
] as const) {
  test(`gdt_entry(0x${flags.toString(16)}, 0, 0x${limit.toString(16)}) is 0x${value.toString(16)}`, () =>
    assert.equal(gdtEntry(flags, base, limit), value));
}

for (const [value, summary] of [
  [0x00af9b000000ffffn, '64-bit code · DPL 0 · present · 4 GiB'],
  [0x00cf93000000ffffn, '32-bit data · DPL 0 · present · 4 GiB'],
  [0x00cf9b000000ffffn, '32-bit code · DPL 0 · present · 4 GiB'],
  [0x00008b0000000067n, 'busy 32-bit TSS · DPL 0 · present · 104 B'],
  [0x00009b000000ffffn, '16-bit code · DPL 0 · present · 64 KiB'],
  [0n, 'null descriptor'],
  [0x00008e0000081234n, '32-bit interrupt gate · DPL 0 · present · to 0x8:0x1234'],
] as const) {
  test(`descriptor 0x${value.toString(16)}: ${summary}`, () =>
    assert.equal(explainDescriptor(value).summary, summary));
}

test('a descriptor is encoded and decoded without loss', () => {
  const fields = fc.record({
    base: fc.bigInt({ min: 0n, max: 0xffffffffn }),
    limitField: fc.integer({ min: 0, max: 0xfffff }),
    type: fc.integer({ min: 0, max: 15 }),
    s: fc.boolean(),
    dpl: fc.integer({ min: 0, max: 3 }),
    present: fc.boolean(),
    avl: fc.boolean(),
    long: fc.boolean(),
    big: fc.boolean(),
    granular: fc.boolean(),
  });
  fc.assert(
    fc.property(fields, (one) => {
      const { limit, ...decoded } = decodeDescriptor(encodeDescriptor(one));
      assert.deepEqual(decoded, { ...one });
      const last = (BigInt(one.limitField) + 1n) * (one.granular ? 4096n : 1n) - 1n;
      assert.equal(BigInt(limit), last);
    }),
  );
});

test('every 64-bit value is explained as a descriptor', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
      (low, high) => {
        assert.ok(explainDescriptor(low, high).summary.length > 0);
      },
    ),
  );
});

test('the base of a 16-byte TSS descriptor has 64 bits', () => {
  assert.equal(decodeDescriptor(0xff008b22_33440067n, 0xfffffe00n).base, 0xfffffe00_ff223344n);
});

test('L with D is called reserved, G 0 with a full limit is pointed out, a good descriptor has no problem', () => {
  assert.match(explainDescriptor(0x00ef9b000000ffffn).problems.join(), /L and D are both 1/);
  assert.match(explainDescriptor(0x004f93000000ffffn).problems.join(), /G is 0/);
  assert.match(explainDescriptor(0x00af93000000ffffn).problems.join(), /not code/);
  for (const good of [0x00af9b000000ffffn, 0x00cf93000000ffffn, 0x00009b000000ffffn])
    assert.deepEqual(explainDescriptor(good).problems, []);
});

test('a TSS of 8 bytes is told to need 16 in IA-32e mode, one of 16 is not', () => {
  assert.match(explainDescriptor(0x00008b0000000067n).problems.join(), /16 bytes/);
  assert.deepEqual(explainDescriptor(0x00008b0000000067n, 0n).problems, []);
  assert.equal(descriptorKind(0x00008b0000000067n), 'system');
});

for (const [icr, summary, problems] of [
  [0xc4500n, 'INIT · assert · all but self', []],
  [0xc4608n, 'SIPI vector 8 (starts at 0x8000) · assert · all but self', []],
  [0x0200000000004500n, 'INIT · assert · physical destination 0x2', []],
  [0xc8500n, 'INIT · level de-assert · all but self', [/not supported/]],
  [0x44500n, 'INIT · assert · self', [/valid with delivery mode fixed only/]],
  [0x4005n, 'fixed · vector 0x5 · assert · physical destination 0x0', [/illegal/]],
  [0x40300n, 'reserved · de-assert · self', [/reserved/, /fixed only/, /must be 1/]],
  [0x6000n, 'fixed · vector 0x0 · assert · physical destination 0x0', [/illegal/, /Bit 13 is reserved/]],
] as const) {
  test(`ICR 0x${icr.toString(16)}: ${summary}`, () => {
    const explanation = explainIcr(icr);
    assert.equal(explanation.summary, summary);
    assert.equal(explanation.problems.length, problems.length, explanation.problems.join('\n'));
    problems.forEach((words, index) => assert.match(explanation.problems[index]!, words));
  });
}

test('SIPI vector 0x9a starts at 0x9a000 with CS 0x9a00', () => {
  assert.deepEqual(sipiStart(0x9a), { selector: 0x9a00, address: 0x9a000n });
  assert.equal(decodeIcr(0x00000005_00004608n).wideDestination, 5n);
});

test('PTE 0xe23cd7067 is P RW US A D with frame 0xe23cd7000', () => {
  const explanation = explainPageTableEntry(0xe23cd7067n);
  assert.deepEqual(explanation.set, ['P', 'RW', 'US', 'A', 'D']);
  assert.match(explanation.summary, /frame 0xe23cd7000/);
});

test('the frame of a large page leaves out its PAT bit, and stray low bits are a problem', () => {
  assert.equal(frameOf(0x40001087n, 'pd'), 0x40000000n);
  assert.equal(frameOf(0x40001087n, 'pt'), 0x40001000n);
  assert.deepEqual(explainPageTableEntry(0x40001087n, 'pd').problems, []);
  assert.match(explainPageTableEntry(0x40002087n, 'pd').problems.join(), /reserved/);
  assert.match(explainPageTableEntry(0x1087n, 'pml4').problems.join(), /PML4/);
});

for (const [code, summary] of [
  [0x0n, 'supervisor read · page not present'],
  [0x2n, 'supervisor write · page not present'],
  [0x3n, 'supervisor write · read-only page, or SMAP'],
  [0x9n, 'supervisor read · reserved bit in an entry'],
  [0xbn, 'supervisor write · reserved bit in an entry'],
  [0x10n, 'supervisor fetch · page not present'],
  [0x11n, 'supervisor fetch · NX or SMEP'],
  [0x14n, 'user fetch · page not present'],
  [0x15n, 'user fetch · NX'],
] as const) {
  test(`#PF error 0x${code.toString(16)}: ${summary}`, () => {
    assert.equal(explainPageFaultError(code).summary, summary);
    assert.deepEqual(explainPageFaultError(code).problems, []);
  });
}

test('CR4 0xb50eb0 has the eleven bits of the vmd dump, CET among them', () => {
  assert.deepEqual(setFlags(0xb50eb0n, CR4), [
    'PSE',
    'PAE',
    'PGE',
    'OSFXSR',
    'OSXMMEXCPT',
    'UMIP',
    'FSGSBASE',
    'OSXSAVE',
    'SMEP',
    'SMAP',
    'CET',
  ]);
});

test('CR0, EFER and RFLAGS of dumps', () => {
  assert.deepEqual(setFlags(0x80050013n, CR0), ['PE', 'MP', 'ET', 'WP', 'AM', 'PG']);
  assert.deepEqual(setFlags(0x60000010n, CR0), ['ET', 'NW', 'CD']);
  assert.deepEqual(setFlags(0xd01n, EFER), ['SCE', 'LME', 'LMA', 'NXE']);
  assert.deepEqual(setFlags(0x10046n, RFLAGS), ['fixed', 'PF', 'ZF', 'RF']);
});

test('the paging mode follows PG, PAE, LMA and LA57', () => {
  const PG = 0x80000001n;
  assert.equal(pagingMode(1n, 0n, 0n), 'none');
  assert.equal(pagingMode(PG, 0x10n, 0n), '32-bit');
  assert.equal(pagingMode(PG, 0x20n, 0n), 'pae');
  assert.equal(pagingMode(PG, 0x20n, 0x500n), '4-level');
  assert.equal(pagingMode(PG, 0x1020n, 0x500n), '5-level');
});

test('XCR0 7 is fine, AVX without SSE is not', () => {
  assert.deepEqual(xcr0Problems(7n), []);
  assert.match(xcr0Problems(5n).join(), /AVX/);
});

/** SDM vol. 3, table 6-5, one row per first event. */
for (const [first, second, expected] of [
  [6, 14, 'serial'],
  [13, 13, 'double-fault'],
  [13, 14, 'serial'],
  [14, 14, 'double-fault'],
  [14, 13, 'double-fault'],
  [14, 3, 'serial'],
  [21, 13, 'double-fault'],
  [21, 14, 'serial'],
  [8, 14, 'shutdown'],
  [8, 13, 'shutdown'],
] as const) {
  test(`${exceptionName(first)} then ${exceptionName(second)}: ${expected}`, () =>
    assert.equal(escalate(first, second), expected));
}

test('the exceptions with an error code are those of the manuals', () => {
  const withCode = EXCEPTIONS.filter(({ errorCode }) => errorCode !== 'none').map(({ vector }) => vector);
  assert.deepEqual(withCode, [8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
});

test('selector error codes and selectors in words', () => {
  assert.equal(selectorErrorText(0), null);
  assert.equal(selectorErrorText(0x10), 'selector 0x10 of the GDT');
  assert.equal(selectorErrorText(0x73), 'IDT vector 14, raised by an external event');
  assert.equal(selectorText(0x33), 'index 6 of the GDT, RPL 3');
});

for (const [reason, qualification, summary] of [
  [2n, null, 'triple fault'],
  [30n, 0xcf90000n, 'I/O instruction · OUT port 0xcf9, 1 byte'],
  [28n, 0x4n, 'control-register access · MOV CR4 ← RAX'],
  [48n, 0x1n, 'EPT violation · read, not mapped'],
  [48n, 0x1an, 'EPT violation · write, allowed: rw-'],
  [0x80000021n, 4n, 'VM entry failed: invalid guest state · an invalid VMCS link pointer'],
] as const) {
  test(`VMX exit ${reason}: ${summary}`, () =>
    assert.equal(explainVmxExit(reason, qualification).summary, summary));
}

for (const [code, info1, summary] of [
  [0x7fn, null, 'shutdown (triple fault)'],
  [0x4en, null, 'exception #PF'],
  [0x7bn, 0x640010n, 'I/O · OUT port 0x64'],
  [0x400n, 0x100000004n, 'nested page fault · read, not present'],
  [(1n << 64n) - 1n, null, 'invalid guest state: VMRUN refused it'],
] as const) {
  test(`SVM exit 0x${code.toString(16)}: ${summary}`, () =>
    assert.equal(explainSvmExit(code, info1).summary, summary));
}

test('an exit that no table has is called unknown', () => {
  assert.match(explainVmxExit(35n).problems.join(), /not in this table/);
  assert.match(explainSvmExit(0x3ffn).problems.join(), /not in this table/);
});

test('interruption information in words, null where it is not valid', () => {
  assert.equal(interruptionText(0x80000b0en), 'hardware exception #PF with an error code');
  assert.equal(interruptionText(0xb0en), null);
});

test('names of MSRs and ports', () => {
  assert.equal(msrName(0xc0000080), 'IA32_EFER');
  assert.equal(msrName(0x830), 'IA32_X2APIC_ICR');
  assert.equal(msrName(0x201), 'IA32_MTRR_PHYSMASK0');
  assert.equal(msrName(0x26f), 'IA32_MTRR_FIX4K_F8000');
  assert.equal(msrName(0x12345), null);
  assert.match(portName(0xcf9)!, /reset control/);
  assert.match(portName(0xcf8)!, /PCI configuration address/);
  assert.equal(portName(0x1234), null);
});
