/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS: modes, privilege, what is loaded (SDM vol. 2; vol. 3, 5.8.7, 5.8.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuVendor } from '../../server/src/x86/cpuid/answers';
import type { SegmentState, VcpuState } from '../../server/src/x86/state';
import { CODE, Lab, SELECTOR, STACK, outcomeText, type LabMode } from './lab';
import { rdmsr, wrmsr } from './apic/bench';
import { testProfile } from './oracle/profile';

const TARGET = 0x8800n;
const STAR = 0xc0000081;
const LSTAR = 0xc0000082;
const CSTAR = 0xc0000083;
const FMASK = 0xc0000084;
const SYSENTER_CS = 0x174;
const MSRS: readonly (readonly [number, bigint])[] = [
  [STAR, 0x0033_0028_00008800n],
  [LSTAR, TARGET],
  [CSTAR, TARGET],
  [SYSENTER_CS, 0x28n],
  [0x175, 0x6000n],
  [0x176, TARGET],
];

interface Setting {
  readonly mode?: LabMode;
  readonly vendor?: CpuVendor;
  readonly cpl?: number;
  readonly sce?: boolean;
  readonly ibt?: boolean;
  /** After those of MSRS. */
  readonly msrs?: readonly (readonly [number, bigint])[];
}
/** MSRs are written at CPL 0, then the level is as asked for; UD2 at the target shows the state there. */
function machine(setting: Setting = {}): Lab {
  const { mode = 'long', vendor = 'intel', cpl = 0, sce = true, ibt = false, msrs = [] } = setting;
  const lab = new Lab({ mode, profile: testProfile({ vendor, ibt }) });
  lab.put(TARGET, 0x0b0f, 2);
  if (mode !== 'real') {
    const writes = [...MSRS, ...msrs].map(([index, value]) =>
      wrmsr(index, Number(value & 0xffffffffn), Number(value >> 32n)),
    );
    assert.equal(outcomeText(lab.run(writes.join(' '))), 'ok');
    lab.core.setActivity(0, 'running');
  }
  if (cpl === 3) {
    lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: mode === 'long' ? 0xa0fb : 0xc0fb });
    lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
  }
  const { efer } = lab.core.state(0);
  const registers = { rax: 0n, rcx: TARGET, rdx: TARGET, r11: 2n };
  return lab.set(registers, { rip: CODE, efer: sce ? efer | 1n : efer });
}
/** The state at the target. */
function arrival(lab: Lab, code: string): VcpuState {
  const { fault } = lab.run(code);
  assert.deepEqual([fault?.vector, fault?.state.rip], [6, TARGET]);
  return fault!.state;
}
const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});

// ---- Where they exist ----
const SYSCALL = '0f05';
const SYSRET = '0f07';
const SYSRETQ = '480f07';
const SYSENTER = '0f34';
const SYSEXIT = '0f35';
const SYSEXITQ = '480f35';
const SWAPGS = '0f01f8';
for (const [name, code, mode, cpl, intel, amd] of [
  ['SYSCALL', SYSCALL, 'real', 0, '#UD', '#UD'],
  ['SYSCALL', SYSCALL, 'protected-32', 0, '#UD', 'ok'],
  ['SYSCALL', SYSCALL, 'compatibility', 3, '#UD', 'ok'],
  ['SYSCALL', SYSCALL, 'long', 0, 'ok', 'ok'],
  ['SYSCALL', SYSCALL, 'long', 3, 'ok', 'ok'],
  ['SYSRET', SYSRET, 'real', 0, '#UD', '#UD'],
  ['SYSRET', SYSRET, 'protected-32', 0, '#UD', 'ok'],
  ['SYSRET', SYSRET, 'protected-32', 3, '#UD', '#GP(0)'],
  ['SYSRET', SYSRET, 'compatibility', 0, '#UD', 'ok'],
  ['SYSRET', SYSRET, 'compatibility', 3, '#UD', '#GP(0)'],
  ['SYSRET', SYSRET, 'long', 0, 'ok', 'ok'],
  ['SYSRET', SYSRET, 'long', 3, '#GP(0)', '#GP(0)'],
  ['SYSENTER', SYSENTER, 'real', 0, '#GP', '#GP'],
  ['SYSENTER', SYSENTER, 'protected-32', 0, 'ok', 'ok'],
  ['SYSENTER', SYSENTER, 'protected-32', 3, 'ok', 'ok'],
  ['SYSENTER', SYSENTER, 'compatibility', 3, 'ok', '#UD'],
  ['SYSENTER', SYSENTER, 'long', 3, 'ok', '#UD'],
  ['SYSEXIT', SYSEXIT, 'real', 0, '#GP', '#GP'],
  ['SYSEXIT', SYSEXIT, 'protected-32', 0, 'ok', 'ok'],
  ['SYSEXIT', SYSEXIT, 'protected-32', 3, '#GP(0)', '#GP(0)'],
  ['SYSEXIT', SYSEXIT, 'compatibility', 0, 'ok', '#UD'],
  ['SYSEXIT', SYSEXIT, 'long', 0, 'ok', '#UD'],
  ['SYSEXIT', SYSEXIT, 'long', 3, '#GP(0)', '#GP(0)'],
  ['SWAPGS', SWAPGS, 'real', 0, '#UD', '#UD'],
  ['SWAPGS', SWAPGS, 'protected-32', 0, '#UD', '#UD'],
  ['SWAPGS', SWAPGS, 'protected-32', 3, '#UD', '#UD'],
  ['SWAPGS', SWAPGS, 'compatibility', 3, '#UD', '#UD'],
  ['SWAPGS', SWAPGS, 'long', 0, 'ok', 'ok'],
  ['SWAPGS', SWAPGS, 'long', 3, '#GP(0)', '#GP(0)'],
] as const)
  test(`${name} in ${mode} at CPL ${cpl}: Intel ${intel}, AMD ${amd}`, () => {
    for (const [vendor, expected] of [
      ['intel', intel],
      ['amd', amd],
    ] as const) {
      // UD2 behind it, or at its target.
      const outcome = machine({ mode, vendor, cpl }).run(`${code} 0f0b`);
      assert.equal(outcomeText(outcome), expected === 'ok' ? '#UD' : expected, vendor);
      assert.equal(outcome.fault?.state.rip === CODE, expected !== 'ok', vendor);
    }
  });
for (const [name, code, cpl] of [
  ['SYSCALL', SYSCALL, 3],
  ['SYSRET', SYSRET, 0],
  ['SYSRET at CPL 3: before the privilege', SYSRET, 3],
] as const)
  test(`${name} without EFER.SCE: #UD`, () => {
    for (const vendor of ['intel', 'amd'] as const) {
      const outcome = machine({ vendor, cpl, sce: false }).run(code);
      assert.deepEqual([outcomeText(outcome), outcome.fault?.state.rip], ['#UD', CODE]);
    }
  });
for (const [name, code] of [
  ['SYSENTER', SYSENTER],
  ['SYSEXIT', SYSEXIT],
] as const)
  for (const [value, expected] of [
    [0n, '#GP(0)'],
    [3n, '#GP(0)'],
    [4n, '#UD'],
    [0x10000n, '#GP(0)'],
  ] as const)
    test(`${name} with IA32_SYSENTER_CS ${value.toString(16)}: ${expected === '#UD' ? 'goes on' : expected}`, () => {
      const outcome = machine({ mode: 'protected-32', msrs: [[SYSENTER_CS, value]] }).run(code);
      assert.equal(outcomeText(outcome), expected);
      assert.equal(outcome.fault?.state.rip, expected === '#UD' ? TARGET : CODE);
    });

// ---- What they load ----
test('SYSCALL: RCX, R11, flat CS and SS from STAR[47:32], RPL cleared; RSP stays', () => {
  const state = arrival(machine({ cpl: 3, msrs: [[STAR, 0x0033_002b_00000000n]] }), SYSCALL);
  assert.deepEqual(state.segments.cs, flat(0x28, 0xa09b));
  assert.deepEqual(state.segments.ss, flat(0x30, 0xc093));
  assert.deepEqual([state.general.rcx, state.general.r11, state.general.rsp], [CODE + 2n, 2n, STACK]);
});
test('SYSCALL reads no descriptor: selectors beyond the GDT are as good', () => {
  const state = arrival(machine({ msrs: [[STAR, 0x0000_fff0_00000000n]] }), SYSCALL);
  assert.deepEqual([state.segments.cs.selector, state.segments.ss.selector], [0xfff0, 0xfff8]);
});
test('SYSCALL: each flag that FMASK names is cleared; R11 has them as they were', () => {
  for (const bit of [0, 2, 4, 6, 7, 9, 10, 11, 12, 14, 18, 21]) {
    const flags = 0x247ed7n & ~0x100n;
    const lab = machine({ msrs: [[FMASK, 1n << BigInt(bit)]] }).set({}, { rflags: flags });
    const state = arrival(lab, SYSCALL);
    assert.equal(state.rflags, flags & ~(1n << BigInt(bit)), `bit ${bit}`);
    assert.equal(state.general.r11, flags);
  }
});
test('RF before SYSCALL is in neither R11 nor RFLAGS behind it', () => {
  for (const vendor of ['intel', 'amd'] as const) {
    const state = arrival(machine({ vendor }).set({}, { rflags: 0x10002n }), SYSCALL);
    assert.deepEqual([state.general.r11, state.rflags & 0x10000n], [2n, 0n], vendor);
  }
});
for (const [name, code, cs, attributes] of [
  ['SYSRETQ', SYSRETQ, 0x43, 0xa0fb],
  ['SYSRET', SYSRET, 0x33, 0xc0fb],
] as const)
  test(`${name}: CS from STAR[63:48]${code === SYSRETQ ? ' + 16' : ''}, SS + 8, RIP from RCX, RFLAGS from R11`, () => {
    const rcx = code === SYSRETQ ? TARGET : 0xffff_ffff_0000_0000n | TARGET;
    const lab = machine().set({ rcx, r11: 0xffff_ffff_fffc_7fd7n & ~0x100n });
    const state = arrival(lab, code);
    assert.deepEqual(state.segments.cs, flat(cs, attributes));
    assert.deepEqual(state.segments.ss, flat(0x3b, 0xc0f3));
    // VM and RF are cleared, bit 1 is 1.
    assert.equal(state.rflags, 0x3c7ed7n);
    assert.equal(state.general.rsp, STACK);
  });
for (const [mode, code, attributes, sp, ip] of [
  ['protected-32', SYSENTER, 0xc09b, 0x6000n, TARGET],
  ['compatibility', SYSENTER, 0xa09b, 0x6000n, TARGET],
  ['long', SYSENTER, 0xa09b, 0x6000n, TARGET],
] as const)
  test(`SYSENTER from ${mode}: flat CS and SS + 8, ESP and EIP of the MSRs, IF and VM cleared`, () => {
    const lab = machine({ mode, cpl: 3, msrs: [[SYSENTER_CS, 0x2bn]] }).set({}, { rflags: 0x40a46n });
    const state = arrival(lab, code);
    assert.deepEqual(state.segments.cs, flat(0x28, attributes));
    assert.deepEqual(state.segments.ss, flat(0x30, 0xc093));
    assert.deepEqual([state.general.rsp, state.rip], [sp, ip]);
    assert.equal(state.rflags, 0x40846n);
  });
for (const [name, mode, code, cs, attributes] of [
  ['SYSEXIT', 'protected-32', SYSEXIT, 0x3b, 0xc0fb],
  ['SYSEXIT', 'long', SYSEXIT, 0x3b, 0xc0fb],
  ['SYSEXITQ', 'long', SYSEXITQ, 0x4b, 0xa0fb],
] as const)
  test(`${name} in ${mode}: CS and SS behind IA32_SYSENTER_CS, RSP from RCX, RIP from RDX`, () => {
    const state = arrival(machine({ mode }).set({ rcx: 0x6000n, rdx: TARGET }), code);
    assert.deepEqual(state.segments.cs, flat(cs, attributes));
    assert.deepEqual(state.segments.ss, flat(cs + 8, 0xc0f3));
    assert.equal(state.general.rsp, 0x6000n);
  });
for (const [title, code, rcx, rdx, expected] of [
  ['SYSEXITQ with RDX not canonical', SYSEXITQ, 0n, 0x8000_0000_0000n, '#GP(0)'],
  ['SYSEXITQ with RCX not canonical', SYSEXITQ, 0x8000_0000_0000n, TARGET, '#GP(0)'],
  ['SYSEXIT cuts both to 32 bits', SYSEXIT, 0x8000_0000_6000n, 0x8000_0000_8800n, '#UD'],
] as const)
  test(`${title}: ${expected}`, () => {
    const outcome = machine().set({ rcx, rdx }).run(code);
    assert.equal(outcomeText(outcome), expected);
    assert.equal(outcome.fault?.state.rip, expected === '#UD' ? TARGET : CODE);
  });
test('SWAPGS exchanges the base of GS and IA32_KERNEL_GS_BASE', () => {
  const msrs = [
    [0xc0000101, 0xffff_8000_0000_1000n],
    [0xc0000102, 0x2000n],
  ] as const;
  const { state } = machine({ msrs }).run(`${SWAPGS} ${rdmsr(0xc0000102)}`);
  assert.equal(state.segments.gs.base, 0x2000n);
  assert.equal((state.general.rdx << 32n) | state.general.rax, 0xffff_8000_0000_1000n);
  assert.equal(state.segments.gs.selector, SELECTOR.data);
});

/** Indirect branch tracking at the entry points (SDM vol. 1, 17.3 or 18.3; vol. 2, SYSCALL, SYSENTER). */
const ENDBR64 = 0xfa1e0ff3n;
const ENDBR32 = 0xfb1e0ff3n;
for (const [name, code, mode, first, enabled, expected] of [
  ['SYSCALL', SYSCALL, 'long', ENDBR64, true, 'ok'],
  ['SYSCALL', SYSCALL, 'long', ENDBR32, true, '#CP(3)'],
  ['SYSCALL', SYSCALL, 'long', 0x90909090n, true, '#CP(3)'],
  ['SYSCALL', SYSCALL, 'long', 0x90909090n, false, 'ok'],
  ['SYSENTER', SYSENTER, 'long', ENDBR64, true, 'ok'],
  ['SYSENTER', SYSENTER, 'long', ENDBR32, true, '#CP(3)'],
  ['SYSENTER', SYSENTER, 'protected-32', ENDBR32, true, 'ok'],
  ['SYSENTER', SYSENTER, 'protected-32', ENDBR64, true, '#CP(3)'],
  ['SYSENTER', SYSENTER, 'protected-32', 0x90909090n, true, '#CP(3)'],
  ['SYSENTER', SYSENTER, 'protected-32', 0x90909090n, false, 'ok'],
  // To CPL 3 nothing is tracked: S_CET has no say there.
  ['SYSRETQ', SYSRETQ, 'long', 0x90909090n, true, 'ok'],
  ['SYSEXITQ', SYSEXITQ, 'long', 0x90909090n, true, 'ok'],
] as const)
  test(`${name} in ${mode} to ${first === ENDBR64 ? 'ENDBR64' : first === ENDBR32 ? 'ENDBR32' : 'NOP'}, tracking ${enabled ? 'on' : 'off'} at CPL 0: ${expected}`, () => {
    const lab = machine({ mode, ibt: true, msrs: [[0x6a2, enabled ? 4n : 0n]] });
    const { cr4, cr0 } = lab.core.state(0);
    lab.set({}, { cr4: cr4 | 0x800000n, cr0: cr0 | 0x10000n });
    lab.put(TARGET, first, 4);
    lab.put(TARGET + 4n, 0x0b0f, 2);
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), expected === 'ok' ? '#UD' : expected);
    assert.equal(outcome.fault?.state.rip, expected === 'ok' ? TARGET + 4n : TARGET);
  });
