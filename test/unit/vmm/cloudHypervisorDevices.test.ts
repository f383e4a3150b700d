/** How the devices of Cloud Hypervisor answer, and what it does where none does, by version (devices/src, vmm/src/vm.rs). */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { cloudHypervisorCpu } from '../../../server/src/vmm/cloud-hypervisor/cpuProfile';
import { cloudHypervisorVersion } from '../../../server/src/vmm/cloud-hypervisor/versions';
import type { CpuVendor } from '../../../server/src/x86/cpuid/answers';
import type { ScriptedCore, Step } from '../simulation/scriptedCore';
import { guestOf, GIB, MIB, powerOn, sized } from './cloudHypervisorGuest';

const NOW = '2026-08';

/** What a guest reads, by port and size. */
function read(version: string, accesses: (cpu: ScriptedCore) => number[], config?: object): string[] {
  const values: number[] = [];
  const machine = config ? guestOf(version, config) : sized(version, 512n * MIB);
  const { report } = powerOn(machine, {
    program: function* (cpu): Generator<Step, void, void> {
      values.push(...accesses(cpu));
      yield 'halt';
    },
  });
  assert.equal(report.outcome, 'halted', report.reason);
  return values.map((value) => value.toString(16));
}

for (const [version, byte, word, double, mmio] of [
  ['v52.0', '0', '0', '0', 0n],
  ['v53.0', 'ff', 'ffff', 'ffffffff', 0xffffffffn],
] as const) {
  test(`what nobody answers reads ${byte} in ${version}`, () => {
    const values = read(version, (cpu) => [cpu.in(0x300), cpu.in(0x300, 2), cpu.in(0x300, 4)]);
    assert.deepEqual(values, [byte, word, double]);
    // Between the 32-bit device area and 4 GiB.
    assert.deepEqual(
      read(version, (cpu) => [Number(cpu.load(0xf9000000n))]),
      [mmio.toString(16)],
    );
  });
}

const NOWHERE = 0xf9000000n;
const IOAPIC = 0xfec00000n;
/** The configuration space of the host bridge 8086:0d57, in the ECAM. */
const HOST_BRIDGE = 0xe8000000n;

for (const [version, expected] of [
  // io.data_offset; the written bytes, also where a part of them is replaced; what a device in the VMM answered.
  ['v52.0', [0x1000, 0x12345678, 0x123456aa, 0x170011, 0xd578086]],
  ['v53.0', [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]],
] as const) {
  test(`a read that nobody answers, behind other accesses, gives ${expected.map((value) => value.toString(16)).join()} in ${version}`, () => {
    const values = read(version, (cpu) => {
      const seen: bigint[] = [];
      const look = (): unknown => seen.push(cpu.load(NOWHERE));
      cpu.out(0x80, 1);
      look();
      cpu.store(NOWHERE + 0x1000n, 0x12345678n);
      look();
      cpu.store(NOWHERE + 0x1000n, 0xaan, 1);
      look();
      cpu.store(IOAPIC, 1n);
      cpu.load(IOAPIC + 0x10n);
      look();
      cpu.load(HOST_BRIDGE);
      look();
      return seen.map(Number);
    });
    assert.deepEqual(
      values,
      expected.map((value) => value.toString(16)),
    );
  });
}

test('the I/O APIC leaves other sizes and other places alone, and what was in the buffer is read', () => {
  const values = read(NOW, (cpu) => {
    cpu.store(IOAPIC, 1n);
    // Neither selects register 0.
    cpu.store(IOAPIC, 0n, 1);
    cpu.store(IOAPIC, 0n, 8);
    const version = cpu.load(IOAPIC + 0x10n);
    const narrow = cpu.load(IOAPIC, 2);
    cpu.store(NOWHERE, 0x55667788n);
    return [version, narrow, cpu.load(IOAPIC + 4n)].map(Number);
  });
  assert.deepEqual(values, ['170011', '11', '55667788']);
});

test('a split irqchip: neither 8259s nor an 8254 answer, port 0x61 reads 0x20', () => {
  const ports = [0x20, 0x21, 0x40, 0x43, 0xa1];
  assert.deepEqual(
    read(NOW, (cpu) => ports.map((port) => cpu.in(port))),
    ports.map(() => 'ff'),
  );
  assert.deepEqual(
    read(NOW, (cpu) => [0x61, 0x62, 0x63, 0x64].map((port) => cpu.in(port))),
    ['20', '0', '0', '0'],
  );
});

test('debug ports: 0x402 reads 0xe9, 0x80 reads what KVM cleared, 0xe9 is there where it is turned on', () => {
  assert.deepEqual(
    read(NOW, (cpu) => [cpu.in(0x402), cpu.in(0x80), cpu.in(0xe9)]),
    ['e9', '0', 'ff'],
  );
  const on = { cpus: { boot_vcpus: 1, max_vcpus: 1 }, debug_console: { mode: 'Tty' } };
  assert.deepEqual(
    read(NOW, (cpu) => [cpu.in(0xe9)], on),
    ['0'],
  );
  const moved = { ...on, debug_console: { mode: 'Tty', iobase: 0x700 } };
  assert.deepEqual(
    read(NOW, (cpu) => [cpu.in(0x700), cpu.in(0xe9)], moved),
    ['0', 'ff'],
  );
});

test('the serial port takes bytes alone, and is not there when it is off', () => {
  assert.deepEqual(
    read(NOW, (cpu) => [cpu.in(0x3fd), cpu.in(0x3fd, 2), cpu.in(0x3fc, 4)]),
    ['60', '0', '0'],
  );
  const off = { cpus: { boot_vcpus: 1, max_vcpus: 1 }, serial: { mode: 'Off' } };
  assert.deepEqual(
    read(NOW, (cpu) => [cpu.in(0x3fd)], off),
    ['ff'],
  );
});

test('what goes to the serial port and to 0x402 is shown; a serial port without a reader is told of', () => {
  const shown = (config: object) => {
    const machine = guestOf(NOW, { cpus: { boot_vcpus: 1, max_vcpus: 1 }, ...config });
    const { report } = powerOn(machine, {
      program: function* (cpu): Generator<Step, void, void> {
        cpu.out(0x3f8, 0x41);
        cpu.out(0x402, 0x42);
        yield 'halt';
      },
    });
    return [
      report.console,
      report.firmwareLog,
      report.notModelled.some((line) => line.startsWith('serial.mode is Null')),
    ];
  };
  assert.deepEqual(shown({ serial: { mode: 'Tty' } }), ['A', 'B', false]);
  // SerialConfig::default.
  assert.deepEqual(shown({}), ['A', 'B', true]);
});

const cmos = (cpu: ScriptedCore, index: number) => {
  cpu.out(0x70, index);
  return cpu.in(0x71);
};

test('CMOS: the date in BCD, memory in units of 64 KiB, and an index with bit 7 that misses the clock', () => {
  const machine = (size: bigint) => ({
    cpus: { boot_vcpus: 1, max_vcpus: 1 },
    memory: { size: Number(size) },
  });
  const all = (cpu: ScriptedCore) =>
    [0x32, 0x09, 0x08, 0x07, 0x06, 0x0d, 0x0a, 0x34, 0x35, 0x5b, 0x5c, 0x5d].map((at) => cmos(cpu, at));
  // 2026-01-01, a Thursday. 512 MiB - 16 MiB are 0x1f00 units.
  const small = read(NOW, all, machine(512n * MIB));
  assert.deepEqual(small, ['20', '26', '1', '1', '5', '80', '20', '0', '1f', '0', '0', '0']);
  // 3 GiB - 16 MiB are 0xbf00 units, and 13 GiB from 4 GiB on 0x34000.
  const large = read(NOW, all, machine(16n * GIB));
  assert.deepEqual(large.slice(7), ['0', 'bf', '0', '40', '3']);
  assert.deepEqual(
    read(NOW, (cpu) => [cmos(cpu, 0x8d), cmos(cpu, 0x80)]),
    ['0', '0'],
  );
});

test('CMOS by version: register D from v20.0 on, an index of eight bits from v23.0 on', () => {
  const values = (version: string) => read(version, (cpu) => [cmos(cpu, 0x0d), cmos(cpu, 0xb2)]);
  assert.deepEqual(values('v16.0'), ['0', '20']);
  assert.deepEqual(values('v21.0'), ['80', '20']);
  assert.deepEqual(values('v23.0'), ['80', '0']);
});

test('a read of the PM timer in another size ends the vCPU of v16.0', () => {
  const { report } = powerOn(sized('v16.0', 512n * MIB), {
    program: function* (cpu): Generator<Step, void, void> {
      cpu.in(0xb008);
      yield;
      yield 'halt';
    },
  });
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /PM timer at 0xb008 in another size than four bytes/);
});

test('the PM timer counts at 3.579545 MHz in 32 bits, and reads 0 in other sizes', () => {
  const values = read(NOW, (cpu) => {
    cpu.now = 1_000_000_000;
    return [cpu.in(0x608, 4), cpu.in(0x608), cpu.in(0x608, 2)];
  });
  assert.deepEqual(values, [(3579545).toString(16), '0', '0']);
});

test('PCI: the host bridge 8086:0d57 by ports and by the ECAM, and nothing else', () => {
  const config = (cpu: ScriptedCore, address: number, size: 1 | 2 | 4 = 4) => {
    cpu.out(0xcf8, address, 4);
    return cpu.in(0xcfc, size);
  };
  assert.deepEqual(
    read(NOW, (cpu) => [
      config(cpu, 0x80000000),
      config(cpu, 0x80000008),
      config(cpu, 0x80000800),
      config(cpu, 0x80000100),
      config(cpu, 0x80010000),
      config(cpu, 0),
    ]),
    ['d578086', '6000000', 'ffffffff', 'ffffffff', 'ffffffff', 'ffffffff'],
  );
  assert.deepEqual(
    read(NOW, (cpu) => [0xe8000000n, 0xe8008000n, 0xe8100000n].map((at) => Number(cpu.load(at)))),
    // Behind the first MiB no segment decodes.
    ['d578086', 'ffffffff', 'ffffffff'],
  );
});

test('0xcf9 is a byte of the PCI address register: a write of 6 restarts nothing', () => {
  assert.deepEqual(
    read(NOW, (cpu) => {
      cpu.out(0xcf8, 0x80000000, 4);
      cpu.out(0xcf9, 6);
      return [cpu.in(0xcf8, 4)];
    }),
    ['80000600'],
  );
});

const ENDS: readonly (readonly [
  version: string,
  port: number,
  value: number,
  outcome: string,
  reason: RegExp,
])[] = [
  [NOW, 0x64, 0xfe, 'reset', /ommand 0xfe at port 0x64.*makes the VM anew and boots it/],
  [NOW, 0x600, 0x01, 'reset', /ACPI reset register at 0x600/],
  [NOW, 0x600, 0x34, 'shutdown', /ACPI sleep register at 0x600/],
  ['v16.0', 0x3c0, 0x01, 'reset', /ACPI reset register at 0x3c0/],
  ['v26.0', 0x3c0, 0x34, 'shutdown', /ACPI sleep register at 0x3c0/],
  ['v28.0', 0x3c0, 0x34, 'halted', /halted/i],
  [NOW, 0x64, 0xd1, 'halted', /halted/i],
  [NOW, 0x92, 0x01, 'halted', /halted/i],
];

for (const [version, port, value, outcome, reason] of ENDS) {
  test(`0x${value.toString(16)} at port 0x${port.toString(16)} under ${version}: ${outcome}`, () => {
    const { report } = powerOn(sized(version, 512n * MIB), {
      program: function* (cpu): Generator<Step, void, void> {
        cpu.out(port, value);
        yield;
        yield 'halt';
      },
    });
    assert.equal(report.outcome, outcome);
    assert.match(report.reason, reason);
  });
}

for (const [version, outcome] of [
  ['v21.0', 'halted'],
  ['v23.0', 'reset'],
] as const) {
  test(`0 into CMOS register 0x8f under ${version}: ${outcome}`, () => {
    const { report } = powerOn(sized(version, 512n * MIB), {
      program: function* (cpu): Generator<Step, void, void> {
        cpu.out(0x70, 0x8f);
        cpu.out(0x71, 0);
        yield;
        yield 'halt';
      },
    });
    assert.equal(report.outcome, outcome);
  });
}

test('CPUID: the physical widths by host, version and option', () => {
  const widths = (version: string, vendor: CpuVendor, cpus: object = {}) => {
    const machine = guestOf(version, { cpus: { boot_vcpus: 1, max_vcpus: 1, ...cpus } });
    const cpu = { vendor, added: [], removed: [] };
    const [eax] = cloudHypervisorCpu(cloudHypervisorVersion(version), machine, cpu).cpuid(0x80000008, 0, 0);
    return [eax & 0xff, (eax >> 16) & 0xff];
  };
  assert.deepEqual(widths('v53.0', 'intel'), [46, 46]);
  assert.deepEqual(widths('v52.0', 'intel'), [46, 46]);
  // The default limit of 46 bits; before v53.0, SME takes 5 of the host's 48, and GuestPhysAddrSize stays 48.
  assert.deepEqual(widths('v53.0', 'amd'), [46, 46]);
  assert.deepEqual(widths('v52.0', 'amd'), [43, 48]);
  assert.deepEqual(widths('v53.0', 'intel', { max_phys_bits: 39 }), [39, 39]);
  assert.deepEqual(widths('v52.0', 'intel', { max_phys_bits: 39 }), [39, 46]);
});
