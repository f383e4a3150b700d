/** What bhyve does with accesses, by its handlers (inout.c, pm.c, pci_lpc.c, atkbdc.c, fwctl.c) and its kernel module. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { GIB } from '../../../server/src/address/range';
import type { BhyveGuest } from '../vmm/bhyveMachine';
import type { ScriptedCore } from '../simulation/scriptedCore';
import { powerOn, rom } from './poweredGuest';

const ROM = { firmware: rom(0x1000) };
type Size = 1 | 2 | 4;

function run(version: string, guest: BhyveGuest, program: (cpu: ScriptedCore) => void) {
  return powerOn(version, guest, ROM, function* (cpu) {
    program(cpu);
    yield 'halt';
  }).report;
}

/** Direction, port, width: the message that bhyve prints before it aborts, or null where it goes on. */
const PORTS: readonly (readonly ['in' | 'out', number, Size, string | null])[] = [
  // default_inout.
  ['in', 0x402 + 1, 1, null],
  ['out', 0xe9, 1, null],
  ['out', 0x80, 1, null],
  ['in', 0x2000, 4, null],
  // pm1_enable_handler: the port of a debug log elsewhere takes words.
  ['out', 0x402, 1, 'Unhandled outb 0x0402'],
  ['in', 0x402, 1, 'Unhandled inb 0x0402'],
  ['in', 0x402, 2, null],
  ['in', 0x400, 4, 'Unhandled inl 0x0400'],
  ['out', 0x404, 1, 'Unhandled outb 0x0404'],
  ['in', 0x404, 2, null],
  ['in', 0xcf9, 2, 'Unhandled inw 0x0cf9'],
  ['in', 0xb2, 1, 'Unhandled inb 0x00b2'],
  ['out', 0xb2, 1, null],
  ['out', 0x84, 1, 'Unhandled outb 0x0084'],
  ['in', 0x84, 1, null],
  ['in', 0x60, 4, 'Unhandled inl 0x0060'],
  ['in', 0x3f8, 4, 'Unhandled inl 0x03f8'],
  ['in', 0x3f8, 2, null],
  ['out', 0x511, 1, 'Unhandled outb 0x0511'],
  ['in', 0x511, 1, null],
  // pci_emul_cfgaddr answers narrow accesses.
  ['in', 0xcf8, 1, null],
];

for (const version of ['illumos-2021-08', 'freebsd-15']) {
  for (const [direction, port, size, message] of PORTS) {
    const access = `${direction} of ${size} bytes at 0x${port.toString(16)}`;
    test(`${version}: ${access} ${message ? `ends bhyve: ${message}` : 'is answered'}`, () => {
      const report = run(version, {}, (cpu) => {
        if (direction === 'in') cpu.in(port, size);
        else cpu.out(port, 0, size);
      });
      if (message === null) return assert.equal(report.outcome, 'halted', report.reason);
      assert.equal(report.outcome, 'vmm-exit');
      assert.ok(report.reason.includes(`bhyve prints "${message}" and aborts`), report.reason);
    });
  }
}

test('a port that nobody has reads as all ones, and with x86.strictio ends bhyve', () => {
  run('freebsd-15', {}, (cpu) => {
    assert.deepEqual([cpu.in(0x300), cpu.in(0x300, 2), cpu.in(0x300, 4)], [0xff, 0xffff, 0xffffffff]);
  });
  const strict = run('freebsd-15', { settings: { 'x86.strictio': 'true' } }, (cpu) => cpu.in(0x300));
  assert.match(strict.reason, /x86\.strictio is true\. bhyve prints "Unhandled inb 0x0300"/);
});

test('the 8259 takes no words: illumos hands that to userland since issue 13253, which aborts', () => {
  const outcome = (version: string) => run(version, {}, (cpu) => cpu.out(0x20, 0, 2)).outcome;
  assert.deepEqual(['illumos-2020-09', 'illumos-2020-12', 'illumos-2025', 'freebsd-15'].map(outcome), [
    'halted',
    'vmm-exit',
    'vmm-exit',
    'halted',
  ]);
});

test('reset and power-off have the exit statuses of bhyverun.h', () => {
  const cf9 = run('freebsd-15', {}, (cpu) => cpu.out(0xcf9, 6));
  assert.equal(cf9.outcome, 'reset');
  assert.match(cf9.reason, /VM_SUSPEND_RESET\) and bhyve ends with status 0/);
  const off = run('freebsd-15', {}, (cpu) => cpu.out(0x404, (5 << 10) | 0x2000, 2));
  assert.deepEqual([off.outcome, off.exitStatus], ['shutdown', 1]);
  // Another sleep type does nothing.
  assert.equal(run('freebsd-15', {}, (cpu) => cpu.out(0x404, (1 << 10) | 0x2000, 2)).outcome, 'halted');
});

test('SCI_EN is what the SMI command port says, and PM1 enable takes three bits', () => {
  run('freebsd-15', {}, (cpu) => {
    const control = [cpu.in(0x404, 2)];
    cpu.out(0xb2, 0xa0);
    control.push(cpu.in(0x404, 2));
    cpu.out(0x404, 0, 2);
    control.push(cpu.in(0x404, 2));
    cpu.out(0xb2, 0xa1);
    control.push(cpu.in(0x404, 2));
    assert.deepEqual(control, [0, 1, 1, 0]);
    cpu.out(0x402, 0xffff, 2);
    assert.equal(cpu.in(0x402, 2), 0x0520);
  });
});

/** pci_emul.c: what is not registered below 4 GiB is the fallback handler's; above it nobody's. */
const MEMORY: readonly (readonly [version: string, address: bigint, aborts: boolean])[] = [
  ['freebsd-15', 0x40000000n, false],
  ['freebsd-15', 0xfed40000n, false],
  ['freebsd-15', 0xff000000n, false],
  ['freebsd-15', 2n * GIB + 0xfffffff0n, true],
  ['illumos-2025', 2n * GIB + 0xfffffff0n, false],
];

for (const [version, address, aborts] of MEMORY) {
  test(`${version}: reading 0x${address.toString(16)} of a 1 GiB guest ${aborts ? 'ends bhyve' : 'gives all ones'}`, () => {
    const seen: bigint[] = [];
    const report = run(version, { memory: GIB }, (cpu) => seen.push(cpu.load(address)));
    assert.equal(report.outcome, aborts ? 'vmm-exit' : 'halted', report.reason);
    if (aborts) assert.match(report.reason, /Unhandled memory access to/);
    else assert.deepEqual(seen, [0xffffffffn]);
  });
}

test('the host bridge and the ISA bridge answer in both configuration spaces', () => {
  run('freebsd-15', {}, (cpu) => {
    const config = (address: number) => {
      cpu.out(0xcf8, address, 4);
      return cpu.in(0xcfc, 4);
    };
    assert.deepEqual([config(0x80000000), config(0x8000f800)], [0x12751275, 0x70008086]);
    assert.equal(config(0x80000800), 0xffffffff);
    assert.deepEqual([cpu.load(0xe0000000n), cpu.load(0xe00f8000n)], [0x12751275n, 0x70008086n]);
    assert.deepEqual([cpu.load(0xe0000100n), cpu.load(0xe0008000n)], [0n, 0xffffffffn]);
  });
});

test('a config without an lpc device has neither serial port nor firmware interface', () => {
  const settings = { 'pci.0.0.0.device': 'hostbridge' };
  const report = run('freebsd-15', { settings }, (cpu) => {
    assert.deepEqual([cpu.in(0x3fd), cpu.in(0x511)], [0xff, 0xff]);
  });
  assert.ok(report.notModelled.some((gap) => gap.includes('there is no lpc device')));
});

test('devices of a config that the model lacks are named', () => {
  const settings = { 'pci.0.31.0.device': 'lpc', 'pci.0.3.0.device': 'virtio-blk' };
  const { notModelled } = run('freebsd-15', { settings }, () => undefined);
  assert.ok(notModelled.includes('PCI devices of the config: virtio-blk at 0:3:0'));
  // The run of a guest that halts for good is told as halted, though bhyve with -H ends then.
  assert.ok(notModelled.some((gap) => gap.includes('VM_SUSPEND_HALT') && gap.includes('status 2')));
});

test('the serial port of the lowest number with a backend is the console', () => {
  const settings = { 'pci.0.31.0.device': 'lpc', 'lpc.com2.path': '/dev/nmdm1A' };
  const report = run('freebsd-15', { settings }, (cpu) => {
    cpu.out(0x3f8, 0x41);
    cpu.out(0x2f8, 0x42);
  });
  assert.equal(report.console, 'B');
});

/** fwctl.c: signature by bytes, then requests of {size, operation, transaction, name} by double words. */
test('fwctl says BHYV and tells hw.ncpu', () => {
  run('freebsd-15', { vcpus: 3 }, (cpu) => {
    cpu.out(0x510, 0, 2);
    assert.equal(String.fromCharCode(...[0, 1, 2, 3].map(() => cpu.in(0x511))), 'BHYV');
    const ask = (operation: number, name: readonly number[]) => {
      for (const word of [12 + 4 * name.length, operation, 7, ...name]) cpu.out(0x510, word, 4);
      const size = cpu.in(0x511, 4);
      return [size, ...Array.from({ length: size / 4 - 1 }, () => cpu.in(0x511, 4))];
    };
    // "hw.n" "cpu\0".
    const name = [0x6e2e7768, 0x00757063];
    assert.deepEqual(ask(3, name), [28, 3, 7, 0, 4, 0, 3]);
    assert.deepEqual(ask(4, name), [24, 4, 7, 0, 4, 0]);
    assert.deepEqual(ask(3, [0x41414141]), [16, 3, 7, 2]);
    assert.deepEqual(ask(9, []), [16, 9, 7, 2]);
  });
  const short = run('freebsd-15', {}, (cpu) => {
    for (let i = 0; i < 4; i++) cpu.in(0x511);
    cpu.out(0x510, 8, 4);
  });
  assert.match(short.reason, /"msg size error" and ends with status 4/);
});

test('lpc.fwcfg=qemu puts fw_cfg there, with etc/e820 where bhyve keeps a map', () => {
  run('freebsd-15', { settings: { 'lpc.fwcfg': 'qemu' } }, (cpu) => {
    cpu.out(0x510, 0, 2);
    assert.equal(String.fromCharCode(...[0, 1, 2, 3].map(() => cpu.in(0x511))), 'QEMU');
    cpu.out(0x510, 0x19, 2);
    assert.deepEqual(
      [0, 1, 2, 3].map(() => cpu.in(0x511)),
      [0, 0, 0, 2],
    );
  });
});
