/** A machine that another program ran goes on in the emulator, from registers and memory alone. */
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { CapturedState } from '../../../server/src/machine/captured/capturedState';
import { readQemuCore } from '../../../server/src/machine/captured/qemuCore';
import type { SavedRun } from '../../../server/src/simulation/savedRun';
import type { SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { capturedPc } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import { coreFile, type CoreVcpu } from '../../unit/simulation/coreFile';

const PRINTER = join(process.env.BOOTPATH_ROOT!, 'test/fixtures/state/printer.bin');

function run(captured: CapturedState, asked: Partial<SimulationRequest> = {}) {
  const saved: SavedRun[] = [];
  const ranges = captured.memory.map(({ range }) => range);
  const report = simulate(
    capturedPc('capture', captured.vcpus.length, ranges, null),
    PC,
    PC.versions.at(-1)!.id,
    {
      machine: null,
      firmware: null,
      kernel: null,
      probe: null,
      taps: [],
      maxInstructions: 100_000,
      reboots: 0,
      captured,
      ...asked,
    },
    {
      createCore,
      cancelled: () => false,
      progress: () => undefined,
      saved: (state) => saved.push(structuredClone(state)),
    },
  );
  return { report, saved };
}

function stateOf(file: Uint8Array): CapturedState {
  const state = readQemuCore(file);
  if ('problem' in state) throw new Error(state.problem);
  return state;
}

const FLAT: CoreVcpu = {
  rip: 0x1000n,
  cr0: 0x11n,
  general: { rax: 0x41n, rdx: 0x3f8n },
  cs: [8, 0n, 0xffffffff, 0x00cf9a00],
};
const memoryWith = (code: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(0x200000);
  bytes.set(code, 0x1000);
  return bytes;
};
/** `out dx, al; inc eax; cmp al, 'F'; jb back; cli; hlt`. */
const LETTERS = [0xee, 0x40, 0x3c, 0x46, 0x72, 0xfa, 0xfa, 0xf4];

test('it goes on at its instruction with its registers', () => {
  const file = coreFile({
    machine: 3,
    vcpus: [FLAT],
    memory: [{ physical: 0n, bytes: memoryWith(LETTERS) }],
  });
  const { report } = run(stateOf(file));
  assert.equal(report.outcome, 'halted');
  assert.equal(report.console, 'ABCDE');
  assert.match(
    report.notModelled.join('\n'),
    /local APICs, interrupt controllers, timers and all other devices/,
  );
});

test('memory costs what is not zero', () => {
  const file = coreFile({
    machine: 3,
    vcpus: [FLAT],
    memory: [{ physical: 0n, bytes: memoryWith(LETTERS) }],
  });
  const { saved } = run(stateOf(file), { save: { at: 0 } });
  assert.ok(saved[0]!.snapshot.core.pages.length < 8, String(saved[0]!.snapshot.core.pages.length));
});

test('SWAPGS finds the base that the dump has', () => {
  // Page tables at 0x10000: the first 2 MiB.
  const memory = memoryWith([0x0f, 0x01, 0xf8, 0xf4]);
  const view = new DataView(memory.buffer);
  view.setBigUint64(0x10000, 0x11003n, true);
  view.setBigUint64(0x11000, 0x12003n, true);
  view.setBigUint64(0x12000, 0x83n, true);
  const long = {
    ...FLAT,
    cr0: 0x80000011n,
    cr3: 0x10000n,
    cr4: 0x20n,
    cs: [8, 0n, 0xffffffff, 0x00af9a00],
  } as const;
  const file = coreFile({
    vcpus: [long],
    memory: [{ physical: 0n, bytes: memory }],
    kernelGsBase: 0xffff888000000000n,
  });
  const { report } = run(stateOf(file));
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[0]!.registers.segments.gs.base, 0xffff888000000000n);
});

test('after a reset there is nothing to boot, so the run ends there', () => {
  // mov al, 0xe; mov dx, 0xcf9; out dx, al
  const code = [0xb0, 0x0e, 0x66, 0xba, 0xf9, 0x0c, 0xee, 0xf4];
  const file = coreFile({ machine: 3, vcpus: [FLAT], memory: [{ physical: 0n, bytes: memoryWith(code) }] });
  const { report } = run(stateOf(file), { reboots: 3 });
  assert.equal(report.outcome, 'reset');
});

test('a state that the CPU would refuse is told by the checks of VM entry', () => {
  const file = coreFile({
    machine: 3,
    vcpus: [{ ...FLAT, cr0: 0x80000010n }],
    memory: [{ physical: 0n, bytes: memoryWith(LETTERS) }],
  });
  const { report } = run(stateOf(file));
  assert.equal(report.outcome, 'invalid-entry');
  assert.match(report.reason, /CR0/);
});

test('a captured machine can be saved, and goes on from there', () => {
  const file = coreFile({
    machine: 3,
    vcpus: [FLAT],
    memory: [{ physical: 0n, bytes: memoryWith(LETTERS) }],
  });
  const { report, saved } = run(stateOf(file), { save: { at: 9 } });
  const [state] = saved;
  const { captured, ...request } = state!.request;
  assert.deepEqual(captured?.memory, [], 'its memory is in the snapshot, once');
  const again = run(captured, { ...request, captured: captured, resume: state! }).report;
  assert.equal(again.console, 'ABCDE');
  assert.deepEqual({ ...again, milliseconds: 0 }, { ...report, milliseconds: 0, instructionsBefore: 9 });
});

const qemu = spawnSync('qemu-system-x86_64', ['--version']).status === 0;

test(
  'a guest of QEMU is dumped between two instructions and prints on in the emulator',
  qemu ? { timeout: 120_000 } : { skip: 'qemu-system-x86_64 is not installed' },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootpath-dump-'));
    try {
      const { core, serial } = await dumped(folder);
      const captured = stateOf(core);
      assert.equal(captured.vcpus[0]!.state.general.r15, 0x123456789abcdef0n);
      assert.equal(captured.vcpus[0]!.state.efer, 0xd00n, 'LMA by CS.L, NXE by the guest’s page tables');
      const { report } = run(captured, { maxInstructions: 1_000_000 });
      const lines = (serial + report.console).trimEnd().split('\n');
      lines.forEach((line, index) => {
        if (index < lines.length - 1 || line.length === 16)
          assert.equal(BigInt(`0x${line}`), BigInt(index + 1) << 10n);
      });
      assert.ok(report.console.split('\n').length > 100, report.reason);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** Runs the printing guest until it has printed, stops it, and dumps its memory. */
async function dumped(folder: string): Promise<{ core: Uint8Array; serial: string }> {
  const [socket, serial, core] = ['monitor', 'serial', 'core'].map((name) => join(folder, name));
  const child = spawn(
    'qemu-system-x86_64',
    [
      '-accel',
      'tcg',
      '-m',
      '32',
      '-display',
      'none',
      '-kernel',
      PRINTER,
      '-serial',
      `file:${serial!}`,
    ].concat(['-qmp', `unix:${socket!},server=on,wait=off`]),
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.on('exit', resolve));
  try {
    await until(() => existsSync(socket!) && existsSync(serial!) && readFileSync(serial!).length > 1000);
    const monitor = connect(socket!);
    let answers = '';
    monitor.on('data', (data) => (answers += String(data)));
    const execute = async (command: object, returns: number) => {
      monitor.write(JSON.stringify(command));
      await until(() => answers.split('"return"').length > returns);
    };
    await execute({ execute: 'qmp_capabilities' }, 1);
    await execute({ execute: 'stop' }, 2);
    await execute(
      { execute: 'dump-guest-memory', arguments: { paging: false, protocol: `file:${core!}` } },
      3,
    );
    monitor.write(JSON.stringify({ execute: 'quit' }));
    await ended;
    monitor.destroy();
    return { core: readFileSync(core!), serial: readFileSync(serial!, 'latin1') };
  } finally {
    child.kill('SIGKILL');
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
