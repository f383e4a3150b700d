/** Every device of the plain PC: saved in the middle of anything and restored into a fresh board, it goes on as if nothing was. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { I8042 } from '../../../server/src/devices/i8042';
import { Uart16550 } from '../../../server/src/devices/uart16550';
import type { BoardInputs } from '../../../server/src/vmm/model';
import { pcBoard } from '../../../server/src/vmm/pc/board';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { HandClock } from './clock';

const MEMORY = 0x10000;

/** A board whose outputs are written down. */
function powered(firmware: boolean) {
  const clock = new HandClock();
  const events: string[] = [];
  const memory = new Uint8Array(MEMORY);
  const inside = (at: bigint, length: number) => at + BigInt(length) <= BigInt(MEMORY);
  const note = (...words: unknown[]) => {
    events.push([clock.now(), ...words].join(' '));
  };
  const inputs: BoardInputs = {
    machine: pcMachine({ name: 'image', memory: 128n << 20n, vcpus: 2 }),
    version: 'i440fx',
    clock,
    firmware: firmware ? new Uint8Array(0x20000) : null,
    kernel: null,
    initrd: null,
    cpu: null,
    boot: null,
    observed: false,
    console: (text) => note('console', text),
    debugLog: () => undefined,
    setInterruptLine: (up) => note('INTR', up),
    setA20: (on) => note('A20', on),
    deliver: (...message) => {
      note('message', ...message);
      // Some are accepted, some wait.
      return message[0] % 2 === 0;
    },
    readMemory: (at, length) => (inside(at, length) ? memory.slice(Number(at), Number(at) + length) : null),
    writeMemory: (at, bytes) => {
      if (!inside(at, bytes.length)) return false;
      memory.set(bytes, Number(at));
      return true;
    },
    portsMoved: () => note('ports moved'),
    request: (verdict) => note('verdict', verdict.kind),
  };
  return { board: pcBoard(inputs), clock, events, memory };
}

type Powered = ReturnType<typeof powered>;

/** What is done to a board; numbers pick a place among what the devices answer. */
type Step =
  | {
      readonly kind: 'read' | 'write';
      readonly place: number;
      readonly size: 1 | 2 | 4;
      readonly value: number;
    }
  | {
      readonly kind: 'mmio-read' | 'mmio-write';
      readonly place: number;
      readonly size: 4 | 8;
      readonly offset: number;
      readonly value: bigint;
    }
  /** To a port or an address of any device. */
  | { readonly kind: 'out' | 'store'; readonly at: number; readonly value: number }
  | { readonly kind: 'pass'; readonly time: number }
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'end of interrupt'; readonly vector: number }
  | { readonly kind: 'character' | 'key'; readonly byte: number };

/** Registers of the I/O APIC and the HPET that do something. */
const REGISTERS = [0x00, 0x10, 0x10, 0x20, 0xf0, 0x100, 0x100, 0x108, 0x120, 0x128, 0x140, 0x148] as const;

const out = (at: number, value: number): Step => ({ kind: 'out', at, value });
const store = (at: number, value: number): Step => ({ kind: 'store', at, value });

/** What kernels do to chips, so that chance does not have to find it. */
const PROGRAMS: readonly (readonly Step[])[] = [
  [out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x01), out(0x21, 0x00)],
  [out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 0x02), out(0xa1, 0x01), out(0xa1, 0x00)],
  [out(0x43, 0x34), out(0x40, 0x9c), out(0x40, 0x2e)],
  [out(0x43, 0x30), out(0x40, 0x10), out(0x40, 0x00)],
  [out(0x43, 0xb0), out(0x42, 0xff), out(0x42, 0x00), out(0x61, 0x01)],
  [out(0x70, 0x0a), out(0x71, 0x26), out(0x70, 0x0b), out(0x71, 0x72)],
  [out(0x3f9, 0x0f), out(0x3fc, 0x0b), out(0x3fa, 0x07)],
  [out(0x3fc, 0x1b), out(0x3f8, 0x41)],
  [out(0x64, 0x60), out(0x60, 0x47), out(0x60, 0xf2)],
  [out(0x602, 0x01), out(0x602, 0x21)],
  [out(0xcf8, 0x80000b40), out(0xcfc, 0xb001)],
  [out(0x510, 0x22), out(0x514, 0)],
  [store(0xfed00010, 1), store(0xfed00100, 0x0504), store(0xfed00108, 3000)],
  [store(0xfed00010, 3), store(0xfed00120, 0x014e), store(0xfed00128, 20_000), store(0xfed00128, 5000)],
  [store(0xfec00000, 0x14), store(0xfec00010, 0x31)],
  [store(0xfec00000, 0x18), store(0xfec00010, 0x8034)],
];

const bytes = fc.integer({ min: 0, max: 0xff });
const single = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('read' as const, 'write' as const),
      place: fc.nat(0xffff),
      size: fc.constantFrom(1 as const, 1 as const, 1 as const, 2 as const, 4 as const),
      value: fc.oneof(bytes, fc.integer({ min: 0, max: 0xffffffff })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('mmio-read' as const, 'mmio-write' as const),
      place: fc.nat(0xffff),
      size: fc.constantFrom(4 as const, 8 as const),
      offset: fc.oneof(
        fc.constantFrom(...REGISTERS),
        fc.nat(0x3f).map((word) => 8 * word),
      ),
      value: fc.oneof(fc.bigInt(0n, 0x3fffn), fc.bigInt(0n, (1n << 64n) - 1n)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      time: fc.oneof(fc.nat(30_000), fc.nat(3_000_000), fc.nat(1_100_000_000)),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end of interrupt' as const), vector: bytes }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('character' as const, 'key' as const), byte: bytes }),
  },
);

const steps = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: single.map((step): readonly Step[] => [step]) },
      { weight: 1, arbitrary: fc.constantFrom(...PROGRAMS) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.flat());

/** Does a step and gives what came of it, for the device `only` or for all of them. */
function take({ board, clock }: Powered, step: Step, only: string | null): unknown {
  const devices = board.devices.filter(({ name }) => only === null || name === only);
  switch (step.kind) {
    case 'pass':
      return clock.advance(step.time);
    case 'out':
      return board.devices
        .find(({ ports }) => ports?.some(({ start, end }) => start <= step.at && step.at < end))
        ?.writePort?.(step.at, step.at === 0x510 ? 2 : step.value > 0xff ? 4 : 1, step.value);
    case 'store':
      return board.devices
        .find(({ mmio }) => mmio?.some(({ start, end }) => start <= step.at && step.at < end))
        ?.writeMmio?.(BigInt(step.at), 8, BigInt(step.value));
    case 'acknowledge':
      return board.acknowledge(0);
    case 'end of interrupt':
      return board.endOfInterrupt?.(step.vector, 0);
    case 'character':
      return board.devices.find((device) => device instanceof Uart16550)!.receive(step.byte);
    case 'key':
      return board.devices.find((device) => device instanceof I8042)!.type([step.byte]);
    case 'read':
    case 'write': {
      const spans = devices.flatMap((device) => (device.ports ?? []).map((span) => ({ ...span, device })));
      const ports = spans.flatMap(({ start, end, device }) =>
        Array.from({ length: Math.min(end - start, 32) }, (_, index) => ({ port: start + index, device })),
      );
      const found = ports[step.place % ports.length];
      if (step.kind === 'read') return found?.device.readPort?.(found.port, step.size);
      return found?.device.writePort?.(found.port, step.size, step.value);
    }
    default: {
      const spans = devices.flatMap((device) => (device.mmio ?? []).map((span) => ({ ...span, device })));
      const found = spans[step.place % spans.length];
      const offset = BigInt(step.offset);
      if (step.kind === 'mmio-read') return found?.device.readMmio?.(found.start + offset, step.size);
      return found?.device.writeMmio?.(found.start + offset, step.size, step.value);
    }
  }
}

function goesOnAlike(
  before: readonly Step[],
  after: readonly Step[],
  only: string | null,
  firmware: boolean,
): void {
  const first = powered(firmware);
  for (const step of before) take(first, step, only);
  const saved = structuredClone(first.board.devices.map((device) => device.save()));
  const second = powered(firmware);
  second.clock.advance(first.clock.now());
  second.memory.set(first.memory);
  second.events.length = 0;
  first.events.length = 0;
  second.board.devices.forEach((device, index) => device.restore(saved[index]!));
  assert.deepEqual(second.events, [], 'restoring drives something');
  assert.equal(second.clock.next, first.clock.next, 'an alarm is missing, or rings at another time');
  for (const step of after) {
    assert.deepEqual(take(second, step, only), take(first, step, only), `a ${step.kind} differs`);
    assert.deepEqual(second.events, first.events);
  }
  assert.deepEqual(
    second.board.devices.map((device) => device.save()),
    first.board.devices.map((device) => device.save()),
  );
}

for (const { name, ports, mmio } of powered(false).board.devices) {
  if (!ports && !mmio) continue;
  test(`${name} goes on alike after save and restore`, () =>
    fc.assert(
      fc.property(steps, steps, (before, after) => goesOnAlike(before, after, name, false)),
      { numRuns: mmio ? 200 : 60 },
    ));
}

for (const firmware of [true, false]) {
  test(`the board goes on alike ${firmware ? 'under a firmware' : 'without a firmware'}`, () =>
    fc.assert(
      fc.property(steps, steps, (before, after) => goesOnAlike(before, after, null, firmware)),
      { numRuns: 150 },
    ));
}
