/** What the VMMs on KVM share. Values are those of Linux arch/x86/kvm, read in 2026. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { I8254 } from '../../../server/src/devices/i8254';
import { MinimalI8042 } from '../../../server/src/devices/minimalI8042';
import type { Device } from '../../../server/src/devices/device';
import { kvmCpuProfile, KVM_DEFAULT_CPU } from '../../../server/src/vmm/kvm/cpuProfile';
import { kvmIrqchip } from '../../../server/src/vmm/kvm/irqchip';
import { KvmMsrs } from '../../../server/src/vmm/kvm/msrs';
import { KvmRunData } from '../../../server/src/vmm/kvm/runData';
import { ParavirtualClock } from '../../../server/src/vmm/kvm/paravirtualClock';
import { HandClock } from '../devices/clock';

interface Message {
  readonly vector: number;
  readonly destination: number;
}

function irqchip() {
  const lines: boolean[] = [];
  const messages: Message[] = [];
  const clock = new HandClock();
  const chip = kvmIrqchip(
    {
      clock,
      setInterruptLine: (up) => lines.push(up),
      deliver: (vector, destination) => {
        messages.push({ vector, destination });
        return true;
      },
    },
    { pit: true, speaker: true },
  );
  const device = (name: string): Device => chip.devices.find((one) => one.name.startsWith(name))!;
  return {
    chip,
    lines,
    messages,
    clock,
    pic: device('8259A'),
    ioapic: device('82093AA'),
    port61: device('system'),
  };
}

test('a GSI below 16 reaches the 8259 pair and the input of the same number of the IOAPIC (default_routing)', () => {
  const { chip, lines, messages, pic, ioapic } = irqchip();
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x30],
    [0x21, 0x04],
    [0x21, 0x01],
    [0x21, 0x00],
  ] as const)
    pic.writePort!(port, 1, value);
  ioapic.writeMmio!(0xfec00000n, 4, 0x18n);
  ioapic.writeMmio!(0xfec00010n, 4, 0x31n);
  chip.line(4)(true);
  assert.deepEqual([lines.at(-1), messages.at(-1)?.vector], [true, 0x31]);
  assert.equal(chip.acknowledge(), 0x34);
});

test('the PIT is GSI 0: input 0 of the IOAPIC, not 2 as on a PC', () => {
  const { clock, messages, ioapic, chip } = irqchip();
  ioapic.writeMmio!(0xfec00000n, 4, 0x10n);
  ioapic.writeMmio!(0xfec00010n, 4, 0x30n);
  const pit = chip.devices.find((device) => device instanceof I8254)!;
  pit.writePort(0x43, 1, 0x34);
  pit.writePort(0x40, 1, 0);
  pit.writePort(0x40, 1, 0);
  clock.advance(120_000_000);
  assert.deepEqual(
    messages.map(({ vector }) => vector),
    [0x30, 0x30],
  );
});

test('the IOAPIC has ID 0, version 0x11, 24 inputs and 256 bytes', () => {
  const { ioapic } = irqchip();
  const read = (index: bigint) => {
    ioapic.writeMmio!(0xfec00000n, 4, index);
    return ioapic.readMmio!(0xfec00010n, 4);
  };
  assert.deepEqual([read(0n), read(1n)], [0n, 0x170011n]);
  assert.deepEqual(ioapic.mmio, [{ start: 0xfec00000n, end: 0xfec00100n }]);
});

test('port 0x61 keeps two bits, and its bit 4 toggles every 16384 ns (speaker_ioport_read)', () => {
  const { port61, clock } = irqchip();
  port61.writePort!(0x61, 1, 0xff);
  assert.equal(port61.readPort!(0x61, 1) & 0x1f, 0x03);
  clock.advance(16_383);
  assert.equal(port61.readPort!(0x61, 1) & 0x10, 0);
  clock.advance(1);
  assert.equal(port61.readPort!(0x61, 1) & 0x10, 0x10);
});

for (const [name, index, read, writes] of [
  ['an index that KVM does not know', 0x1234, null, [[0n, false]]],
  ['energy counters read as zero', 0x606, 0n, [[0n, false]]],
  [
    'IA32_MISC_ENABLE keeps what is unavailable',
    0x1a0,
    0x1800n,
    [
      [0x1801n, true],
      [1n, false],
    ],
  ],
  [
    'IA32_FEATURE_CONTROL can only be locked, once',
    0x3a,
    0n,
    [
      [5n, false],
      [1n, true],
      [1n, false],
    ],
  ],
  ['the microcode revision is KVM’s, and writes are lost', 0x8b, 0x100000000n, [[7n, true]]],
  ['IA32_BIOS_UPDT_TRIG can only be written', 0x79, null, [[1n, true]]],
  [
    'HWCR takes TscFreqSel in either vendor’s guest',
    0xc0010015,
    0n,
    [
      [1n << 24n, true],
      [1n << 20n, false],
    ],
  ],
  [
    'IA32_DEBUGCTL drops LBR',
    0x1d9,
    0n,
    [
      [1n, true],
      [1n << 6n, false],
    ],
  ],
] as const) {
  test(`MSR ${index.toString(16)}: ${name}`, () => {
    const msrs = new KvmMsrs('intel', null);
    assert.equal(msrs.read(index, 0), read);
    for (const [value, taken] of writes) assert.equal(msrs.write(index, value, 0), taken, String(value));
  });
}

test('what a VMM sets with KVM_SET_MSRS is there on every vCPU, and a guest changes its own', () => {
  const msrs = new KvmMsrs('intel', null, new Map([[0x1a0, 1n]]));
  assert.equal(msrs.write(0x1a0, 0n, 1), true);
  assert.deepEqual([msrs.read(0x1a0, 0), msrs.read(0x1a0, 1)], [1n, 0n]);
});

test('kvm-clock writes its page when it is switched on: nanoseconds equal TSC ticks of 1 GHz', () => {
  const clock = new HandClock();
  clock.advance(5_000);
  const memory = new Map<bigint, Uint8Array>();
  const paravirtual = new ParavirtualClock(clock, {
    epoch: 1_767_225_600,
    writeMemory: (address, bytes) => memory.set(address, bytes).size > 0,
  });
  const msrs = new KvmMsrs('intel', paravirtual);
  assert.ok(msrs.write(0x4b564d01, 0x2001n, 0));
  assert.ok(msrs.write(0x4b564d00, 0x3000n, 0));
  const page = new DataView(memory.get(0x2000n)!.buffer);
  const [version, tsc, time] = [
    page.getUint32(0, true),
    page.getBigUint64(8, true),
    page.getBigUint64(16, true),
  ];
  assert.deepEqual([version % 2, tsc, time], [0, 5000n, 5000n]);
  const later = 1_234_567_890n;
  const scaled = ((later - tsc) << BigInt(page.getInt8(28))) * BigInt(page.getUint32(24, true));
  assert.equal(time + (scaled >> 32n), later);
  assert.equal(new DataView(memory.get(0x3000n)!.buffer).getUint32(4, true), 1_767_225_600);
});

test('CPUID tells KVM by its signature, and of its features only kvm-clock', () => {
  const profile = kvmCpuProfile(KVM_DEFAULT_CPU, 2);
  const [eax, ...words] = profile.cpuid(0x40000000, 0, 0);
  const text = String.fromCharCode(
    ...words.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >> shift) & 0xff)),
  );
  assert.deepEqual([eax, text], [0x40000001, 'KVMKVMKVM\0\0\0']);
  assert.equal(profile.cpuid(0x40000001, 0, 0)[0], 0x0100000b);
  assert.equal(profile.cpuid(1, 0, 1)[1] >>> 24, 1);
});

function i8042() {
  const seen: string[] = [];
  const device = new MinimalI8042({
    interrupt: (up) => seen.push(up ? 'up' : 'down'),
    reset: () => seen.push('reset'),
  });
  return { device, seen };
}

for (const [name, writes, status, data, seen] of [
  ['after power-on', [], 0x10, 0, []],
  ['0xFE resets', [[0x64, 0xfe]], 0x10, 0, ['reset']],
  ['0x20 reads the control register', [[0x64, 0x20]], 0x11, 0x05, []],
  [
    '0x60 writes it',
    [
      [0x64, 0x60],
      [0x60, 0x41],
      [0x64, 0x20],
    ],
    0x11,
    0x41,
    [],
  ],
  [
    '0xD1 with bit 0 low resets nothing',
    [
      [0x64, 0xd1],
      [0x60, 0x02],
      [0x64, 0xd0],
    ],
    0x11,
    0x02,
    [],
  ],
  ['a parameter is awaited', [[0x64, 0xd1]], 0x18, 0, []],
  ['the keyboard acknowledges whatever it is, with an interrupt', [[0x60, 0xf4]], 0x11, 0xfa, ['up', 'down']],
  [
    'without one while interrupts are off',
    [
      [0x64, 0x60],
      [0x60, 0x04],
      [0x60, 0xf4],
    ],
    0x11,
    0xfa,
    [],
  ],
  ['the self test is unknown', [[0x64, 0xaa]], 0x10, 0, []],
] as const) {
  test(`the i8042 of Firecracker and libkrun: ${name}`, () => {
    const { device, seen: happened } = i8042();
    for (const [port, value] of writes) device.writePort(port, 1, value);
    assert.deepEqual([device.readPort(0x64, 1), device.readPort(0x60, 1), happened], [status, data, seen]);
    assert.equal(device.readPort(0x64, 1) & 1, 0);
  });
}

test('the i8042 of Firecracker and libkrun takes bytes only', () => {
  const { device, seen } = i8042();
  device.writePort(0x64, 2, 0xfe);
  assert.deepEqual([device.readPort(0x64, 2), seen], [0, []]);
});

test('a read that nobody answers has what is left in kvm_run: of a write its bytes, of a port access the data offset', () => {
  const data = new KvmRunData();
  assert.equal(data.mmioRead(4), 0n);
  data.mmioWrite(0x1122334455667788n, 8);
  data.mmioWrite(0xaan, 1);
  assert.deepEqual([data.mmioRead(8), data.mmioRead(2)], [0x11223344556677aan, 0x77aan]);
  const saved = data.save();
  data.portExit();
  assert.equal(data.mmioRead(8), 0x1000n);
  data.restore(saved);
  assert.equal(data.mmioRead(1), 0xaan);
  data.reset();
  assert.equal(data.mmioRead(8), 0n);
});
