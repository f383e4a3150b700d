/** RESET, INIT and start-up: the state that each leaves (SDM vol. 3, Table 9-1 and 8.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { Bus, Core } from '../../../server/emulator/face';
import { testProfile } from './profile';

const BUS: Bus = {
  readPort: () => 0xff,
  writePort: () => undefined,
  readMmio: () => 0n,
  writeMmio: () => undefined,
  acknowledge: () => 0,
  readMsr: () => null,
  writeMsr: () => false,
};

function machine(vcpus: number, code: readonly number[] = []): Core {
  const core = createCore({ vcpus, profile: testProfile(), bus: BUS, quantum: 1 });
  core.map(0n, 0xa0000n, 'ram');
  core.map(0xfffff000n, 0x100000000n, 'rom');
  core.write(0xfffffff0n, new Uint8Array(code.length > 0 ? code : [0xeb, 0xfe]));
  core.reset();
  return core;
}

test('after RESET vCPU 0 is at the reset vector with the architectural state', () => {
  const core = machine(2);
  const state = core.state(0);
  assert.equal(state.rip, 0xfff0n);
  assert.deepEqual(state.segments.cs, {
    selector: 0xf000,
    base: 0xffff0000n,
    limit: 0xffff,
    attributes: 0x93,
  });
  for (const name of ['ds', 'es', 'fs', 'gs', 'ss'] as const) {
    assert.deepEqual(state.segments[name], { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 }, name);
  }
  for (const name of ['ldtr', 'tr'] as const) {
    assert.equal(state.segments[name].selector, 0, name);
    assert.equal(state.segments[name].limit, 0xffff, name);
  }
  assert.deepEqual(state.gdtr, { base: 0n, limit: 0xffff });
  assert.deepEqual(state.idtr, { base: 0n, limit: 0xffff });
  assert.equal(state.rflags, 2n);
  assert.equal(state.cr0, 0x60000010n);
  for (const name of ['cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const) assert.equal(state[name], 0n, name);
  // RDX identifies the CPU as CPUID.1:EAX does.
  for (const [name, value] of Object.entries(state.general)) {
    assert.equal(value, name === 'rdx' ? BigInt(testProfile().cpuid(1, 0, 0)[0]) : 0n, name);
  }
  assert.equal(state.dr.at(6), 0xffff0ff0n);
  assert.equal(state.dr.at(7), 0x400n);
  assert.equal(core.activity(0), 'running');
  assert.equal(core.activity(1), 'wait-for-sipi');
});

test('the first instruction comes from the ROM below 4 GiB', () => {
  const core = machine(1, [0xb8, 0x34, 0x12, 0xf4]); // mov ax, 0x1234; hlt
  assert.equal(core.run(100).reason, 'idle');
  assert.equal(core.state(0).general.rax, 0x1234n);
  assert.equal(core.activity(0), 'halted');
});

/** Flat 32-bit code at 0x1000 on vCPU 0 that stores to the local APIC; then it spins. */
function withCode(core: Core, stores: readonly (readonly [number, number])[]): void {
  const bytes = stores.flatMap(([at, value]) => {
    const cell = new DataView(new ArrayBuffer(10));
    cell.setUint16(0, 0xc705); // mov dword [disp32], imm32
    cell.setUint32(2, 0xfee00000 + at, true);
    cell.setUint32(6, value, true);
    return [...new Uint8Array(cell.buffer)];
  });
  core.write(0x1000n, new Uint8Array([...bytes, 0xeb, 0xfe]));
  const state = core.state(0);
  const data = { selector: 0x18, base: 0n, limit: 0xffffffff, attributes: 0xc093 };
  core.setState(0, {
    ...state,
    rip: 0x1000n,
    cr0: 0x11n,
    segments: {
      ...state.segments,
      cs: { ...data, selector: 8, attributes: 0xc09b },
      ds: data,
      es: data,
      ss: data,
    },
  });
}

const INIT: readonly [number, number] = [0x300, 0xc4500];
const sipi = (vector: number): readonly [number, number] => [0x300, 0xc4600 | vector];

test('a start-up IPI starts the others at its page in real mode; the second one changes nothing', () => {
  const core = machine(3);
  core.write(0x9000n, new Uint8Array([0x40, 0xeb, 0xfe])); // inc ax; jmp to itself
  withCode(core, [INIT, sipi(9), sipi(9)]);
  core.run(100);
  for (const vcpu of [1, 2]) {
    const state = core.state(vcpu);
    assert.deepEqual(state.segments.cs, { selector: 0x900, base: 0x9000n, limit: 0xffff, attributes: 0x93 });
    assert.equal(state.rip, 1n);
    assert.equal(state.general.rax, 1n, 'it ran once');
    assert.equal(core.activity(vcpu), 'running');
  }
  assert.equal(core.state(0).rip, 0x1000n + 30n);
});

test('a start-up IPI to a CPU that runs is dropped', () => {
  const core = machine(2);
  core.write(0x9000n, new Uint8Array([0xeb, 0xfe]));
  core.write(0xa000n, new Uint8Array([0xf4]));
  withCode(core, [INIT, sipi(9), sipi(10)]);
  core.run(100);
  assert.equal(core.state(1).segments.cs.selector, 0x900);
  assert.equal(core.activity(1), 'running');
});

test('INIT brings a running CPU back to wait for start-up, with the cache bits of CR0 kept', () => {
  const core = machine(2);
  // In real mode: mov eax, cr0; and eax, ~0x60000000; mov cr0, eax; jmp to itself
  const code = [0x0f, 0x20, 0xc0, 0x66, 0x25, 0xff, 0xff, 0xff, 0x9f, 0x0f, 0x22, 0xc0, 0xeb, 0xfe];
  core.write(0x9000n, new Uint8Array(code));
  withCode(core, [INIT, sipi(9), [0x80, 0], [0x80, 0], [0x80, 0], [0x80, 0], [0x80, 0], [0x80, 0], INIT]);
  core.run(100);
  assert.equal(core.activity(1), 'wait-for-sipi');
  const state = core.state(1);
  assert.equal(state.cr0, 0x10n, 'CD and NW stay as they were');
  assert.equal(state.general.rax, 0n);
  assert.equal(state.rip, 0xfff0n);
});

test('INIT without the assert level does nothing', () => {
  const core = machine(2);
  core.write(0x9000n, new Uint8Array([0xeb, 0xfe]));
  withCode(core, [INIT, sipi(9), [0x300, 0xc8500]]);
  core.run(100);
  assert.equal(core.activity(1), 'running');
});

test('INIT of the BSP: it fetches from the reset vector at once, in real mode', () => {
  const core = machine(2, [0xb8, 0x34, 0x12, 0xf4]); // mov ax, 0x1234; hlt
  withCode(core, []);
  core.run(10);
  core.deliver(0, 0, false, 5, false);
  core.run(100);
  const state = core.state(0);
  assert.equal(core.activity(0), 'halted');
  assert.equal(state.cr0 & 1n, 0n);
  assert.equal(state.general.rax, 0x1234n);
  assert.equal(core.activity(1), 'wait-for-sipi');
});
