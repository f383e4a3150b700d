/** Guests of Cloud Hypervisor on the real core: a kernel by PVH, raw firmware, what a triple fault and the second vCPU come to. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { Machine } from '../../../server/src/machine/machine';
import type { SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { CLOUD_HYPERVISOR } from '../../../server/src/vmm/cloud-hypervisor/model';
import { noteBytes, noteFile, number } from '../../unit/image/noteFile';
import { MIB, sized } from '../../unit/vmm/cloudHypervisorGuest';

function boot(machine: Machine, asked: Partial<SimulationRequest>) {
  const request = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 100_000,
  };
  return simulate(
    machine,
    CLOUD_HYPERVISOR,
    machine.version!,
    { ...request, reboots: 0, ...asked },
    {
      createCore,
      cancelled: () => false,
      progress: () => undefined,
    },
  );
}

/** 32-bit code that is entered at 1 MiB by PVH. */
const kernel = (...code: number[]) =>
  noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) }]), {
    code: Uint8Array.from(code),
  });

/** mov dx, port; mov al, [esi]; out dx, al; inc esi until a zero; hlt. ESI from the start information's command line. */
const PRINT_COMMAND_LINE = kernel(
  ...[0x8b, 0x73, 0x18], // mov esi, [ebx+24]
  ...[0x66, 0xba, 0xf8, 0x03], // mov dx, 0x3f8
  ...[0xac], // lodsb
  ...[0x84, 0xc0], // test al, al
  ...[0x74, 0x03], // jz +3
  ...[0xee], // out dx, al
  ...[0xeb, 0xf8], // jmp lodsb
  ...[0xfa, 0xf4], // cli; hlt
);

test('a PVH kernel finds its command line through EBX and writes it to COM1', () => {
  const report = boot(sized('2026-08', 512n * MIB), { kernel: PRINT_COMMAND_LINE });
  assert.equal(report.console, 'console=ttyS0');
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[0]!.mode, 'protected-32');
});

for (const [version, reason] of [
  ['v48.0', /logs only "VmExit::Reset"/],
  ['v52.0', /"Guest likely triple-faulted" in the log/],
] as const) {
  test(`an exception before the guest has an IDT is a triple fault, and restarts the VM under ${version}`, () => {
    const report = boot(sized(version, 512n * MIB), { kernel: kernel(0x0f, 0x0b) });
    assert.equal(report.outcome, 'triple-fault');
    assert.match(report.reason, reason);
    // #UD, whose gate is beyond the one descriptor of the IDT, and so are those of #GP and #DF.
    assert.deepEqual(
      report.faultChain.map(({ vector }) => vector),
      [6, 13, 13, 13],
    );
  });
}

test('raw firmware starts at the reset vector with the registers of RESET, until v27.0', () => {
  const firmware = new Uint8Array(0x10000);
  // At 0xfffffff0: mov al, 0xfe; out 0x64, al; hlt.
  firmware.set([0xb0, 0xfe, 0xe6, 0x64, 0xf4], 0xfff0);
  const report = boot(sized('v20.0', 512n * MIB), { firmware });
  assert.equal(report.outcome, 'reset');
  assert.match(report.reason, /i8042 reset signalled/);
  assert.equal(boot(sized('v28.0', 512n * MIB), { firmware }).outcome, 'vmm-exit');
});

test('the second vCPU waits for INIT and SIPI although it has the registers of the entry', () => {
  // ICR high: APIC ID 1; INIT; code for the other vCPU; start-up at 0x8000; wait for its byte; cli; hlt.
  const code = [
    ...[0xc7, 0x05, 0x10, 0x03, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x01],
    ...[0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0x00, 0x00],
    // At 0x8000, for real mode: mov byte [0x1000], 0x2a; hlt.
    ...[0xc7, 0x05, 0x00, 0x80, 0x00, 0x00, 0xc6, 0x06, 0x00, 0x10],
    ...[0xc7, 0x05, 0x04, 0x80, 0x00, 0x00, 0x2a, 0xf4, 0x00, 0x00],
    ...[0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x08, 0x46, 0x00, 0x00],
    ...[0x80, 0x3d, 0x00, 0x10, 0x00, 0x00, 0x2a], // cmp byte [0x1000], 0x2a
    ...[0x75, 0xf7], // jne
    ...[0xfa, 0xf4],
  ];
  const report = boot(sized('2026-08', 512n * MIB, 2), { kernel: kernel(...code) });
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[1]!.mode, 'real');
});

for (const [probe, outcome, console] of [
  [
    'boot-path',
    'halted',
    /e820 0xe8000000 length 0x10000000 type 0x2[\s\S]*touch 0x13ffff000 ok[\s\S]*status complete/,
  ],
  ['ap-start', 'halted', /started: real 0x1 protected-32 0x1 long 0x1[\s\S]*status complete/],
  ['reset-triple-fault', 'triple-fault', /./],
  ['reset-i8042', 'reset', /port 0x64 reads 0x0/],
  // A byte of the PCI address register, and nothing.
  ['reset-cf9', 'halted', /status still-running/],
  ['reset-port92', 'halted', /status still-running/],
] as const) {
  test(`probe ${probe} ends in ${outcome}`, () => {
    const machine = sized('2026-08', 4096n * MIB, 2);
    const report = boot(machine, { probe, maxInstructions: 50_000_000 });
    assert.equal(report.outcome, outcome, `${report.reason}\n${report.console}`);
    assert.match(report.console, console);
  });
}
