/** The local APIC, INIT and SIPI, and the turns of several vCPUs (SDM vol. 3, 8.4, chapter 10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REFUSED } from '../../server/emulator/face';
import { CODE, IDT, Lab, SELECTOR, outcomeText } from './lab';
import { testProfile } from './oracle/profile';

/** mov dword [address], value */
const poke = (address: number, value: number): string => `c705${dword(address)}${dword(value)}`;
const dword = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join('');
const ICR_LOW = 0xfee00300;
const ICR_HIGH = 0xfee00310;

function pair(options: ConstructorParameters<typeof Lab>[0] = {}): Lab {
  const lab = new Lab({ vcpus: 2, ...options });
  // The application processor's code at 0x5000: mov byte [0x9000], 1; hlt
  lab.core.write(0x5000n, Uint8Array.from([0xc6, 0x06, 0x00, 0x90, 0x01, 0xf4]));
  return lab;
}

test('INIT and SIPI to all but self start the other vCPU in real mode', () => {
  const lab = pair();
  assert.equal(lab.core.activity(1), 'wait-for-sipi');
  assert.equal(outcomeText(lab.run(poke(ICR_LOW, 0xc4500) + poke(ICR_LOW, 0xc4605), 20000)), 'ok');
  assert.equal(lab.get(0x9000n, 1), 1n);
  const state = lab.core.state(1);
  assert.deepEqual([state.segments.cs.selector, state.segments.cs.base], [0x500, 0x5000n]);
  assert.equal(lab.core.activity(1), 'halted');
  const events = lab.trace.filter(({ event }) => event === 'init' || event === 'sipi' || event === 'ipi');
  assert.deepEqual(
    events.map(({ event, vcpu }) => `${event} ${vcpu}`),
    ['ipi 0', 'ipi 0', 'init 1', 'sipi 1'],
  );
});

test('a second SIPI is dropped, and one without INIT outside wait-for-SIPI too', () => {
  const lab = pair();
  lab.run(poke(ICR_LOW, 0xc4500) + poke(ICR_LOW, 0xc4605) + '90'.repeat(10), 20000);
  lab.put(0x9000n, 0, 1);
  lab.core.setActivity(0, 'running');
  lab.set({}, { rip: CODE }).run(poke(ICR_LOW, 0xc4606), 20000);
  assert.equal(lab.core.activity(1), 'halted');
  assert.equal(lab.core.state(1).segments.cs.selector, 0x500);
});

test('INIT by physical destination only reaches that vCPU; INIT level de-assert does nothing', () => {
  const lab = pair();
  lab.run(poke(ICR_HIGH, 0x01000000) + poke(ICR_LOW, 0x4500) + poke(ICR_LOW, 0x4605), 20000);
  assert.equal(lab.get(0x9000n, 1), 1n);
  const before = lab.core.state(1).rip;
  lab.core.setActivity(0, 'running');
  lab.set({}, { rip: CODE }).run(poke(ICR_LOW, 0x8500), 20000);
  assert.equal(lab.core.activity(1), 'halted');
  assert.equal(lab.core.state(1).rip, before);
});

test('INIT keeps CD and NW, and the state is that of Table 9-1', () => {
  const lab = pair();
  const state = lab.core.state(1);
  lab.core.setState(1, {
    ...state,
    cr0: 0x60000011n,
    cr4: 0x20n,
    efer: 0n,
    rip: 0x1234n,
    dr: state.dr.map(() => 5n),
  });
  lab.core.setActivity(1, 'halted');
  lab.run(poke(ICR_LOW, 0xc4500), 20000);
  const after = lab.core.state(1);
  assert.equal(after.cr0, 0x60000010n);
  assert.deepEqual([after.cr4, after.rip, after.rflags], [0n, 0xfff0n, 2n]);
  assert.deepEqual([after.segments.cs.selector, after.segments.cs.base], [0xf000, 0xffff0000n]);
  assert.deepEqual(after.dr.slice(6), [0xffff0ff0n, 0x400n]);
  assert.equal(after.general.rdx, BigInt(testProfile().cpuid(1, 0, 0)[0]));
});

test('the bus may refuse an IPI: the write is rolled back', () => {
  const seen: bigint[] = [];
  const lab = pair({
    bus: {
      interprocessorInterrupt(icr) {
        seen.push(icr);
        return REFUSED;
      },
    },
  });
  const outcome = lab.run(poke(ICR_LOW, 0xc4500));
  assert.equal(outcome.exit.reason, 'refused');
  assert.deepEqual(seen, [0xc4500n]);
  assert.equal(outcome.state.rip, CODE);
  assert.equal(lab.core.activity(1), 'wait-for-sipi');
});

test('the bus may send an IPI itself: it is written down, and the local APIC sends nothing', () => {
  const lab: Lab = pair({
    bus: {
      interprocessorInterrupt(icr) {
        if (icr !== 0x2000000000c4500n) return;
        lab.core.deliver(0, 1, false, 4, false);
        return 'sent';
      },
    },
  });
  const outcome = lab.run(poke(ICR_HIGH, 0x02000000) + poke(ICR_LOW, 0xc4500) + `a1${dword(ICR_LOW)}`, 20000);
  assert.equal(outcomeText(outcome), 'ok');
  assert.equal(outcome.state.general.rax, 0xc4500n);
  assert.deepEqual(
    lab.trace.filter(({ event }) => event === 'ipi' || event === 'init').map(({ event }) => event),
    ['ipi'],
  );
});

test('without a local APIC its page is ordinary address space and its MSR is #GP', () => {
  const reads: bigint[] = [];
  const lab = new Lab({
    profile: testProfile({ localApic: false }),
    bus: {
      readMmio(address) {
        reads.push(address);
        return 7n;
      },
    },
  });
  assert.equal(lab.run('a12000e0fe').state.general.rax, 7n);
  assert.deepEqual(reads, [0xfee00020n]);
  assert.equal(
    outcomeText(new Lab({ profile: testProfile({ localApic: false }) }).set({ rcx: 0x1bn }).run('0f32')),
    '#GP(0)',
  );
});

for (const [title, x2apic, from, to, expected] of [
  ['to x2APIC', true, 0xfee00900n, 0xfee00d00n, 'ok'],
  ['back to xAPIC', true, 0xfee00d00n, 0xfee00900n, '#GP(0)'],
  ['disabled to x2APIC', true, 0xfee00100n, 0xfee00d00n, '#GP(0)'],
  ['EXTD without EN', true, 0xfee00900n, 0xfee00500n, '#GP(0)'],
  ['EXTD on a CPU without x2APIC', false, 0xfee00900n, 0xfee00d00n, '#GP(0)'],
  ['a reserved bit', true, 0xfee00900n, 0xfee00901n, '#GP(0)'],
  ['off', true, 0xfee00900n, 0xfee00100n, 'ok'],
] as const)
  test(`IA32_APIC_BASE, ${title}: ${expected}`, () => {
    const lab = new Lab({ profile: testProfile({ x2apic }) });
    const low = (value: bigint): bigint => value & 0xffffffffn;
    lab.set({ rcx: 0x1bn, rax: low(from), rdx: from >> 32n, rsi: low(to), rdi: to >> 32n });
    assert.equal(outcomeText(lab.run('0f30 89f0 89fa 0f30')), expected);
  });

test('the x2APIC ID is that of the reset, whatever was written to the xAPIC’s; a disabled APIC forgets it too (10.12.5.4)', () => {
  const lab = new Lab({ profile: testProfile({ x2apic: true }) });
  const base = (value: number): string => `b91b000000 b8${dword(value)} 31d2 0f30`;
  // mov ecx, 0x802; rdmsr; mov ebx, eax; and at the end mov eax, [ID]
  const wide = 'b902080000 0f32 89c3';
  const write = poke(0xfee00020, 0x05000000);
  const page = `a1${dword(0xfee00020)}`;
  const code = `${write} ${base(0xfee00d00)} ${wide} ${base(0xfee00100)} ${base(0xfee00900)} ${page}`;
  const outcome = lab.set({ rbx: 9n }).run(code);
  assert.equal(outcomeText(outcome), 'ok');
  assert.deepEqual([outcome.state.general.rbx, outcome.state.general.rax], [0n, 0n]);
});

test('x2APIC: the ICR is one MSR, self IPI another, reserved registers are #GP', () => {
  const enter = (lab: Lab): string => {
    lab.set({ rcx: 0x1bn, rax: 0xfee00d00n, rdx: 0n });
    return '0f30';
  };
  const lab = pair({ profile: testProfile({ x2apic: true }) });
  // wrmsr 0x830 with destination 1: INIT, SIPI
  const code = `${enter(lab)} b930080000 ba01000000 b800450000 0f30 b805460000 0f30`;
  // vCPU 1 is still in xAPIC mode with id 1.
  assert.equal(outcomeText(lab.run(code, 20000)), 'ok');
  assert.equal(lab.get(0x9000n, 1), 1n);
  const wrong = new Lab({ profile: testProfile({ x2apic: true }) });
  assert.equal(outcomeText(wrong.run(`${enter(wrong)} b931080000 0f32`)), '#GP(0)');
});

test('a fixed IPI to self is delivered by priority, EOI makes room for the lower one', () => {
  const lab = new Lab();
  lab.set({ rbx: 0n }, { idtr: { base: IDT, limit: 0xfff } });
  for (const [vector, target] of [
    [0x41, 0x8800n],
    [0x51, 0x8900n],
  ] as const)
    lab.put(IDT + BigInt(8 * vector), target | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
  // Each handler notes its number in EBX and ends its interrupt.
  const handler = (number: number): Uint8Array =>
    Uint8Array.from(
      `c1e304 83c3${dword(number).slice(0, 2)} ${poke(0xfee000b0, 0)} cf`
        .replace(/\s/g, '')
        .match(/../g)
        ?.map((byte) => parseInt(byte, 16)) ?? [],
    );
  lab.core.write(0x8800n, handler(1));
  lab.core.write(0x8900n, handler(2));
  const code = `${poke(0xfee000f0, 0x1ff)} ${poke(ICR_LOW, 0x44041)} ${poke(ICR_LOW, 0x44051)} fb 90 90 90`;
  assert.equal(lab.run(code).state.general.rbx, 0x21n);
});

test('the timer wakes a halted vCPU at its tick, again and again in periodic mode', () => {
  const lab = new Lab();
  lab.set({ rbx: 0n }, { idtr: { base: IDT, limit: 0xfff } });
  lab.put(IDT + 8n * 0x41n, 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
  lab.core.write(
    0x8800n,
    Uint8Array.from([
      0x43,
      ...(poke(0xfee000b0, 0).match(/../g) ?? []).map((byte) => parseInt(byte, 16)),
      0xcf,
    ]),
  );
  const code = `${poke(0xfee000f0, 0x1ff)} ${poke(0xfee003e0, 0xb)} ${poke(0xfee00320, 0x20041)} ${poke(0xfee00380, 100000)} fb f4 ebfd`;
  const { exit, state } = lab.run(code, 1_050_000);
  assert.equal(exit.reason, 'deadline');
  assert.equal(state.general.rbx, 10n);
  assert.ok(lab.core.instructions < 200, 'idle time is skipped, not executed');
});

test('the 8259 line reaches vCPU 0 through LINT0 as ExtINT once the APIC is on', () => {
  for (const [lint0, taken] of [
    [0x700, 1n],
    [0x10700, 0n],
    [0x00041, 0n],
  ] as const) {
    const lab = new Lab().set({ rbx: 0n }, { idtr: { base: IDT, limit: 0xfff } });
    lab.put(IDT + 8n * 0x20n, 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
    lab.core.write(0x8800n, Uint8Array.from([0x43, 0xf4]));
    lab.core.setInterruptLine(true);
    assert.equal(
      lab.run(`${poke(0xfee000f0, 0x1ff)} ${poke(0xfee00350, lint0)} fb 90 90`).state.general.rbx,
      taken,
    );
  }
});

test('an interrupt message from an IOAPIC; a level-triggered one ends with a notice to the bus', () => {
  const ended: number[] = [];
  const lab = new Lab({ bus: { endOfInterrupt: (vector) => ended.push(vector) } });
  lab.set({ rbx: 0n }, { idtr: { base: IDT, limit: 0xfff } });
  lab.put(IDT + 8n * 0x41n, 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
  lab.core.write(
    0x8800n,
    Uint8Array.from([
      0x43,
      ...(poke(0xfee000b0, 0).match(/../g) ?? []).map((byte) => parseInt(byte, 16)),
      0xcf,
    ]),
  );
  assert.equal(outcomeText(lab.run(`${poke(0xfee000f0, 0x1ff)} fb`)), 'ok');
  lab.core.deliver(0x41, 0, false, 0, true);
  assert.equal(lab.go().state.general.rbx, 1n);
  assert.deepEqual(ended, [0x41]);
});

test('the trigger mode of a vector is that of its last acceptance: EOI leaves the TMR as it is (10.8.4)', () => {
  const lab = new Lab();
  // mov eax, [TMR 95:64]
  const readTmr = `a1${dword(0xfee001a0)}`;
  lab.set({}, { idtr: { base: IDT, limit: 0xfff } });
  lab.put(IDT + 8n * 0x41n, 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
  lab.put(0x8800n, 0xcf, 1);
  const tmr = () => {
    lab.core.setActivity(0, 'running');
    return lab.set({}, { rip: CODE }).run(`fb 90 ${poke(0xfee000b0, 0)} ${readTmr} fa`).state.general.rax;
  };
  lab.run(poke(0xfee000f0, 0x1ff));
  for (const [level, expected] of [
    [true, 2n],
    [false, 0n],
  ] as const) {
    lab.core.deliver(0x41, 0, false, 0, level);
    assert.equal(tmr(), expected);
  }
});

test('two vCPUs take turns by the quantum, the same on every run', () => {
  const orders = [1, 1, 7].map((quantum) => {
    const order: number[] = [];
    const lab = new Lab({
      vcpus: 2,
      quantum,
      bus: { writePort: (_port, _size, _value, vcpu) => void order.push(vcpu) },
    });
    lab.core.setState(1, { ...lab.core.state(0), rip: CODE });
    lab.core.setActivity(1, 'running');
    lab.run('e680'.repeat(14), 200);
    return order.join('');
  });
  assert.equal(orders[0], '01'.repeat(14));
  assert.equal(orders[1], orders[0]);
  assert.equal(orders[2], '0000000111111100000001111111');
});
