/** Where Intel and AMD differ: docs/vendor-differences.md lists the sources. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuVendor } from '../../server/src/x86/cpuid/answers';
import { CODE, DATA, Lab, STACK, outcomeText, type LabMode } from './lab';
import { testProfile } from './oracle/profile';

const on = (vendor: CpuVendor, mode: LabMode = 'long'): Lab =>
  new Lab({ mode, profile: testProfile({ vendor, with: ['RDTSCP'] }) });
const WRMSR = '0f30';

for (const [title, index, value, intel, amd] of [
  ['EFER with LMA as it is', 0xc0000080, 0xd01n, 'ok', 'ok'],
  ['EFER with LMA cleared', 0xc0000080, 0x901n, 'ok', '#GP(0)'],
  ['SYSENTER_EIP not canonical', 0x176, 0x8000000012345678n, '#GP(0)', 'ok'],
  ['TSC_AUX with an upper half', 0xc0000103, 0x100000002n, '#GP(0)', 'ok'],
] as const)
  test(`WRMSR of ${title}: Intel ${intel}, AMD ${amd}`, () => {
    const write = (vendor: CpuVendor): string =>
      outcomeText(
        on(vendor)
          .set({ rcx: BigInt(index), rax: value & 0xffffffffn, rdx: value >> 32n })
          .run(WRMSR),
      );
    assert.deepEqual([write('intel'), write('amd')], [intel, amd]);
  });

/** `next` is the address behind the instruction; HLT lies at the targets of both. */
for (const [title, code, target, pushed] of [
  ['jmp rel8', '66eb10', 0x13n, 0n],
  ['jmp rel16 or rel32', '66e910000000', 0x14n, 0n],
  ['jz rel8, taken', '31c066 7410', 0x15n, 0n],
  ['call rel16', '66e810000000', 0x14n, 2n],
  ['loop, taken', 'b902000000 66e210', 0x18n, 0n],
  ['jmp rax', '66ffe0', 0x234n, 0n],
  ['call rax', '66ffd0', 0x234n, 2n],
] as const)
  test(`66 ${title} in 64-bit mode has 16 bits on AMD`, () => {
    // From 0x18000, so that a cut RIP lies elsewhere.
    const start = 0x18000n;
    const machine = on('amd').set({ rax: 0x10234n }, { rip: start });
    machine.core.write(start, Uint8Array.from(Buffer.from(code.replace(/ /g, ''), 'hex')));
    const at = title.includes('rax') ? target : 0x8000n + target;
    machine.put(at, 0xf4, 1);
    const { state, fault } = machine.go();
    assert.equal(fault, null);
    assert.deepEqual([state.rip, STACK - state.general.rsp], [at + 1n, pushed]);
  });
test('66 before a near branch in 64-bit mode means nothing on Intel, nor with REX.W on AMD', () => {
  for (const [vendor, code, size] of [
    ['intel', '66e910000000', 6n],
    ['amd', '6648e910000000', 7n],
  ] as const) {
    const start = 0x18000n;
    const machine = on(vendor).set({}, { rip: start });
    machine.core.write(start, Uint8Array.from(Buffer.from(code, 'hex')));
    machine.put(start + size + 0x10n, 0xf4, 1);
    assert.equal(machine.go().state.rip, start + size + 0x11n);
  }
});

test('LOCK MOV CR0 is MOV CR8 on AMD that says so, else #UD', () => {
  const amd = new Lab({ mode: 'long', profile: testProfile({ vendor: 'amd', with: ['AltMovCr8'] }) });
  const { state } = amd.set({ rax: 5n }).run('f00f22c0 f00f20c3');
  assert.deepEqual([state.cr8, state.general.rbx], [5n, 5n]);
  for (const vendor of ['intel', 'amd'] as const)
    assert.equal(outcomeText(on(vendor).run('f00f20c0')), '#UD');
});

for (const [name, code] of [
  ['SYSENTER', '0f34'],
  ['SYSEXIT', '0f35'],
] as const)
  test(`${name} in long mode is #UD on AMD`, () => {
    assert.equal(outcomeText(on('amd').run(code)), '#UD');
    // Intel: IA32_SYSENTER_CS is null.
    assert.equal(outcomeText(on('intel').run(code)), '#GP(0)');
  });
test('SYSCALL outside 64-bit mode is #UD on Intel; AMD goes to CSTAR from compatibility mode', () => {
  const attempt = (vendor: CpuVendor): Lab => {
    const machine = on(vendor, 'compatibility');
    const { efer } = machine.core.state(0);
    machine.set({}, { efer: efer | 1n });
    machine.put(0x8800n, 0xf4, 1);
    return machine;
  };
  // WRMSR CSTAR and STAR first.
  const code = 'b9830000c0 b800880000 31d2 0f30 b9810000c0 31c0 ba18000000 0f30 0f05';
  assert.equal(outcomeText(attempt('intel').run(code)), '#UD');
  assert.equal(attempt('amd').run(code).state.rip, 0x8801n);
});

// APM vol. 2, 11.4.4; zeros: an AMD family 26 CPU.
for (const [vendor, always, pending, saved] of [
  ['intel', false, false, 'written'],
  ['amd', false, false, 'left as it was'],
  ['amd', true, false, 'zero'],
  ['intel', false, true, 'written'],
  ['amd', false, true, 'written'],
  ['amd', true, true, 'written'],
] as const)
  test(`the x87 instruction pointer in an FXSAVE image, ${vendor} with${always ? '' : 'out'} RstrFpErrPtrs, with${pending ? '' : 'out'} a pending exception: ${saved}`, () => {
    const profile = testProfile({ vendor, with: always ? ['RstrFpErrPtrs'] : [] });
    const machine = new Lab({ mode: 'long', profile }).set({ rsi: DATA });
    const { cr4 } = machine.core.state(0);
    machine.set({}, { cr4: cr4 | 0x200n });
    machine.put(DATA + 0x200n, pending ? 0x37e : 0x37f, 2);
    machine.put(DATA + 8n, 0xddddddddddddddddn, 8);
    // FNINIT; FLDCW; at 8 FSQRT of an empty register: an invalid operation; FXSAVE64.
    machine.run('dbe3 d9ae00020000 d9fa 480fae06');
    const pointer = machine.get(DATA + 8n, 8);
    const expected = { written: CODE + 8n, zero: 0n, 'left as it was': 0xddddddddddddddddn };
    assert.equal(pointer, expected[saved]);
  });

for (const [name, code, feature] of [
  ['CLZERO', '0f01fc', 'CLZERO'],
  ['MONITOR', '31c9 0f01c8', 'MONITOR'],
  ['MWAIT', '31c9 0f01c9', 'MONITOR'],
  ['RDPID', 'f30fc7f8', 'RDPID'],
  ['RDRAND', '0fc7f0', 'RDRAND'],
  ['RDSEED', '0fc7f8', 'RDSEED'],
  ['CLFLUSHOPT', '660fae3e', 'CLFLUSHOPT'],
  ['CLWB', '660fae36', 'CLWB'],
] as const)
  test(`${name} exists by CPUID`, () => {
    const attempt = (options: Parameters<typeof testProfile>[0]): string =>
      outcomeText(
        new Lab({ mode: 'long', profile: testProfile(options) }).set({ rsi: DATA, rax: DATA }).run(code),
      );
    assert.deepEqual([attempt({ with: [feature] }), attempt({})], ['ok', '#UD']);
  });

test('the APIC bit of leaf 0x80000001 that AMD repeats follows IA32_APIC_BASE.EN, as that of leaf 1 does', () => {
  const bits = (setup: string): bigint[] => {
    const lab = new Lab({ mode: 'long', profile: testProfile({ vendor: 'amd', localApic: true }) });
    // cpuid of 1; mov ebp, edx; cpuid of 0x80000001
    const { general } = lab.run(`${setup} b801000000 0fa2 89d5 b801000080 0fa2`).state;
    return [(general.rbp >> 9n) & 1n, (general.rdx >> 9n) & 1n];
  };
  // mov ecx, 0x1b; rdmsr; and eax, ~0x800; wrmsr
  assert.deepEqual(
    [bits(''), bits('b91b000000 0f32 25fff7ffff 0f30')],
    [
      [1n, 1n],
      [0n, 0n],
    ],
  );
});

test('RDRAND: two vCPUs get different numbers, and two runs the same', () => {
  const numbers = (): bigint[] => {
    const profile = testProfile({ with: ['RDRAND'], localApic: true });
    const lab = new Lab({ mode: 'real', vcpus: 2, profile });
    const state = lab.core.state(0);
    lab.core.setActivity(1, 'running');
    lab.core.setState(1, state);
    lab.run('660fc7f0');
    return [0, 1].map((vcpu) => lab.core.state(vcpu).general.rax);
  };
  const [first, second] = numbers();
  assert.notEqual(first, second);
  assert.ok(first && second, 'both ran');
  assert.deepEqual(numbers(), [first, second]);
});

test('a null selector clears the base of GS on Intel; AMD keeps it, unless CPUID says otherwise', () => {
  const baseAfter = (options: Parameters<typeof testProfile>[0]): bigint => {
    const lab = new Lab({ mode: 'long', profile: testProfile(options) }).segment('gs', {
      base: 0x123456000n,
    });
    // mov gs, eax
    const { gs } = lab.set({ rax: 0n }).run('8ee8').state.segments;
    assert.equal(gs.selector, 0);
    return gs.base;
  };
  assert.deepEqual(
    [
      baseAfter({ vendor: 'intel' }),
      baseAfter({ vendor: 'amd' }),
      baseAfter({ vendor: 'amd', with: ['NullSelectorClearsBase'] }),
    ],
    [0n, 0x123456000n, 0n],
  );
});

/** SYSRET (REX.W: to 64-bit code) with STAR 0x0018 in bits 63:48; `ss` is what SS holds before. */
function sysret(vendor: CpuVendor, rcx: bigint): ReturnType<Lab['run']> {
  const machine = on(vendor).segment('ss', { limit: 0x12345fff, attributes: 0x8093 });
  const { efer } = machine.core.state(0);
  machine.set({ rcx: 0xc0000081n, rdx: 0x180000n, rax: 0n, rsi: rcx }, { efer: efer | 1n });
  // wrmsr; mov rcx, rsi; sysretq; at the target a HLT, which is #GP(0) at CPL 3
  machine.put(0x8800n, 0xf4, 1);
  return machine.run(`${WRMSR} 4889f1 480f07`);
}
test('SYSRET to a non-canonical RCX: #GP(0) at CPL 0 on Intel, at CPL 3 and the target on AMD', () => {
  const where = (vendor: CpuVendor): readonly [string, bigint | undefined, number | undefined] => {
    const outcome = sysret(vendor, 0x800000000000n);
    const state = outcome.fault?.state;
    return [outcomeText(outcome), state?.rip, state && state.segments.cs.selector & 3];
  };
  assert.deepEqual(
    [where('intel'), where('amd')],
    [
      ['#GP(0)', CODE + 5n, 0],
      ['#GP(0)', 0x800000000000n, 3],
    ],
  );
});
test('SS after SYSRET: flat on Intel; AMD changes its selector and DPL only', () => {
  const ss = (vendor: CpuVendor): readonly [number | undefined, number | undefined, number | undefined] => {
    const outcome = sysret(vendor, 0x8800n);
    assert.equal(outcome.fault?.state.rip, 0x8800n);
    const after = outcome.fault?.state.segments.ss;
    return [after?.selector, after?.limit, after?.attributes];
  };
  assert.deepEqual(
    [ss('intel'), ss('amd')],
    [
      [0x23, 0xffffffff, 0xc0f3],
      [0x23, 0x12345fff, 0x80f3],
    ],
  );
});
