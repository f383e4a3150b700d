/** What INIT changes and what it keeps, and which events end HLT, wait-for-SIPI and shutdown (SDM vol. 3, 9.1, 8.4, 10.4.7). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, IDT, SELECTOR, bytesOf } from './lab';
import { ApicLab, dword, poke, rdmsr, wrmsr, write } from './apic/bench';
import { testProfile } from './oracle/profile';

const INIT_TO_1 = write('icrHigh', 1 << 24) + write('icr', 0x4500);
const SIPI_TO_1 = write('icrHigh', 1 << 24) + write('icr', 0x4605);
const NMI_TO_1 = write('icrHigh', 1 << 24) + write('icr', 0x4400);
const TRAMPOLINE = 0x5000n;

test('INIT sets registers as RESET does, but for CD and NW', () => {
  const lab = new ApicLab({ vcpus: 2 });
  const fresh = lab.core.state(1);
  for (const cacheBits of [0n, 0x40000000n, 0x60000000n]) {
    const old = lab.core.state(0);
    const general = Object.fromEntries(Object.keys(old.general).map((name, i) => [name, BigInt(i) + 5n]));
    lab.core.setState(1, {
      ...old,
      general: { ...old.general, ...general },
      rip: CODE,
      rflags: 0x40ad7n,
      cr0: 0x8005003fn | cacheBits,
      cr2: 0x1234n,
      cr3: 0x10000n,
      cr4: 0xb0n,
      cr8: 5n,
      efer: 0xd01n,
      dr: [1n, 2n, 3n, 4n, 0n, 0n, 0xffff4ffan, 0x7ffn],
    });
    lab.core.setActivity(1, 'halted');
    lab.runOn(0, INIT_TO_1);
    assert.deepEqual(lab.core.state(1), { ...fresh, cr0: 0x10n | cacheBits });
    assert.equal(lab.core.activity(1), 'wait-for-sipi');
  }
});

/** MSRs and state that INIT keeps: written before, read behind it in real mode. */
const KEPT = [
  ['IA32_SYSENTER_CS', 0x174, 0x1234],
  ['IA32_SYSENTER_ESP', 0x175, 0x5678],
  ['IA32_SYSENTER_EIP', 0x176, 0x9abc],
  ['IA32_PAT', 0x277, 0x00010406],
  ['MTRRphysBase0', 0x200, 0x00100006],
  ['MTRRdefType', 0x2ff, 0xc06],
  ['STAR', 0xc0000081, 0x12345678],
  ['LSTAR', 0xc0000082, 0x87654321],
  ['FMASK', 0xc0000084, 0x700],
  ['KernelGSbase', 0xc0000102, 0x13579],
  ['IA32_TSC_AUX', 0xc0000103, 7],
] as const;
for (const [name, index, value] of KEPT)
  test(`INIT keeps ${name}`, () => {
    const profile = testProfile({ with: ['MTRR', 'PAT', 'RDTSCP', 'SEP', 'SYSCALL', 'LM'] });
    const lab = new ApicLab({ vcpus: 2, profile });
    lab.runOn(1, wrmsr(index, value));
    // mov ecx, index; rdmsr; hlt, in 16-bit code
    lab.core.write(TRAMPOLINE, Uint8Array.from(bytesOf(`66b9${dword(index)}0f32f4`)));
    lab.runOn(0, INIT_TO_1);
    lab.runOn(0, SIPI_TO_1);
    const state = lab.core.state(1);
    assert.deepEqual([state.segments.cs.selector, state.rip], [0x500, 9n]);
    assert.equal(Number(state.general.rax), value);
  });

test('INIT keeps the TSC running, x87, MXCSR and XMM; bases of FS and GS go', () => {
  const lab = new ApicLab({ vcpus: 2 });
  const osfxsr = '0f20e0 80cc02 0f22e0'; // mov eax, cr4; or ah, 2; mov cr4, eax
  const before = [
    wrmsr(0xc0000100, 0x1000),
    wrmsr(0x10, 0, 5),
    osfxsr,
    'dbe3 d9e8', // fninit; fld1
    `${poke(Number(DATA), 0x1fa0)} 0fae15${dword(Number(DATA))}`, // ldmxcsr [DATA]
    '660f76c0', // pcmpeqd xmm0, xmm0
  ];
  const after = [
    'dfe0 89c3', // fnstsw ax; mov bx, ax
    osfxsr,
    '0fae1e0090', // stmxcsr [DATA]
    '660fd6060890', // movq [DATA + 8], xmm0
    '0f31 89d7', // rdtsc; mov di, dx
    '66b9000100c0 0f32 f4', // mov ecx, FS base; rdmsr; hlt
  ];
  lab.runOn(1, before.join(' '));
  lab.core.write(TRAMPOLINE, Uint8Array.from(bytesOf(after.join(''))));
  lab.runOn(0, INIT_TO_1);
  lab.runOn(0, SIPI_TO_1);
  const { general } = lab.core.state(1);
  assert.equal(general.rbx & 0x3800n, 0x3800n, 'TOP is 7: 1.0 is on the stack');
  assert.equal(lab.get(DATA, 4), 0x1fa0n, 'MXCSR');
  assert.equal(lab.get(DATA + 8n, 8), 0xffffffffffffffffn, 'XMM0');
  assert.equal(general.rdi & 0xffffn, 5n, 'TSC');
  assert.equal(general.rax, 0n, 'FS base');
});

test('the x2APIC mode survives INIT, with its id and its logical id', () => {
  const profile = testProfile({ x2apic: true });
  const lab = new ApicLab({ vcpus: 2, profile });
  lab.runOn(1, `${wrmsr(0x1b, 0xfee00c00)} ${wrmsr(0x80f, 0x1ff)}`);
  const reading = (index: number): bigint => {
    lab.core.write(TRAMPOLINE, Uint8Array.from(bytesOf(`66b9${dword(index)}0f32f4`)));
    lab.runOn(0, INIT_TO_1);
    lab.runOn(0, SIPI_TO_1);
    return lab.core.state(1).general.rax;
  };
  assert.deepEqual([0x1b, 0x802, 0x80d, 0x80f, 0x835].map(reading), [0xfee00c00n, 1n, 2n, 0xffn, 0x10000n]);
});

test('the BSP flag decides what INIT leads to: the reset vector or wait-for-SIPI (8.4.3)', () => {
  const lab = new ApicLab({ vcpus: 2 });
  lab.runOn(1, wrmsr(0x1b, 0xfee00900));
  lab.core.map(0xfffff000n, 0x100000000n, 'rom');
  lab.core.write(0xfffffff0n, Uint8Array.from([0xf4]));
  lab.runOn(0, INIT_TO_1);
  assert.equal(lab.core.state(1).rip, 0xfff1n);
  assert.equal(lab.core.activity(1), 'halted');
  lab.runOn(1, `${rdmsr(0x1b)}`);
  assert.equal(lab.core.state(1).general.rax, 0xfee00900n);
});

// ---- Shutdown ----
/** vCPU 1 in shutdown: UD2 without an IDT. */
function shutDown(inNmi: boolean): ApicLab {
  const lab = new ApicLab({ vcpus: 2 });
  lab.runOn(1, 'fb 90');
  if (inNmi) lab.runOn(0, NMI_TO_1);
  const state = lab.core.state(1);
  lab.core.setState(1, { ...state, rip: 0xb000n, idtr: { base: IDT, limit: 0 } });
  lab.put(0xb000n, 0x0b0f, 2);
  lab.core.setActivity(0, 'halted');
  lab.core.setActivity(1, 'running');
  const { exit } = lab.go();
  assert.equal(exit.reason, 'shutdown');
  const dead = lab.core.state(1);
  lab.core.setState(1, { ...dead, rflags: 0x202n, idtr: { base: IDT, limit: 0x7ff } });
  lab.taken();
  return lab;
}
for (const [title, ipi, inNmi, expected, activity] of [
  ['an interrupt does not end it', write('icr', 0xc4041), false, [], 'shutdown'],
  ['a start-up IPI does not', SIPI_TO_1, false, [], 'shutdown'],
  ['an NMI does', NMI_TO_1, false, ['nmi on 1'], 'halted'],
  ['not if an NMI handler led there', NMI_TO_1, true, [], 'shutdown'],
  ['INIT does', INIT_TO_1, false, ['init on 1'], 'wait-for-sipi'],
  ['INIT does, out of an NMI handler too', INIT_TO_1, true, ['init on 1'], 'wait-for-sipi'],
] as const)
  test(`shutdown: ${title} (6.15, double fault)`, () => {
    const lab = shutDown(inNmi);
    assert.equal(lab.core.activity(1), 'shutdown');
    lab.runOn(0, ipi);
    assert.deepEqual(lab.taken(), [...expected]);
    assert.equal(lab.core.activity(1), activity);
  });

test('an NMI out of shutdown: its frame returns to the instruction whose fault could not be delivered', () => {
  const lab = shutDown(false);
  lab.runOn(0, NMI_TO_1);
  assert.equal(lab.get(lab.core.state(1).general.rsp, 4), 0xb000n);
  assert.equal(lab.core.state(1).segments.cs.selector, SELECTOR.code32);
});
