/** REP on MMIO and ports: stopped in the middle, rCX, rSI and rDI hold exactly the iterations that were done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCore } from '../../../server/emulator/core';
import { REFUSED, type Bus, type Core } from '../../../server/emulator/face';
import type { SegmentState, VcpuState } from '../../../server/src/x86/state';
import { testProfile } from './profile';

const CODE = 0x1000n;
const VGA = 0xb8000n;
const TABLES = 0x10000;
/** Linear addresses: a page of MMIO, then one that is absent. */
const WINDOW = 0x800000n;
const PAGE = 0x1000n;

interface Access {
  readonly address: bigint;
  readonly write: boolean;
}

/** Answers everything, remembers MMIO, and refuses the access with that number. */
class RecordingBus implements Bus {
  readonly accesses: Access[] = [];
  refuse = Infinity;
  private allowed(access: Access): boolean {
    if (this.accesses.length === this.refuse) return false;
    this.accesses.push(access);
    return true;
  }
  readPort(port: number): number | typeof REFUSED {
    return this.allowed({ address: BigInt(port), write: false }) ? 0x5a : REFUSED;
  }
  writePort(port: number): void | typeof REFUSED {
    if (!this.allowed({ address: BigInt(port), write: true })) return REFUSED;
  }
  readMmio(address: bigint): bigint | typeof REFUSED {
    return this.allowed({ address, write: false }) ? address & 0xffn : REFUSED;
  }
  writeMmio(address: bigint): void | typeof REFUSED {
    if (!this.allowed({ address, write: true })) return REFUSED;
  }
  acknowledge(): number {
    return 0;
  }
  readMsr(): bigint | null {
    return null;
  }
  writeMsr(): boolean {
    return false;
  }
}

const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});

/** A core in flat 32-bit protected mode at CODE, with the general registers given. */
function protectedCore(
  bus: Bus,
  code: readonly number[],
  general: Partial<VcpuState['general']>,
  paging: boolean,
): Core {
  const core = createCore({ vcpus: 1, profile: testProfile(), bus });
  core.map(0n, 0xa0000n, 'ram');
  core.write(CODE, new Uint8Array([...code, 0xf4]));
  core.reset();
  const state = core.state(0);
  const data = flat(0x18, 0xc093);
  if (paging) {
    const tables = new DataView(new ArrayBuffer(0x3000));
    tables.setUint32(0, (TABLES + 0x1000) | 3, true);
    tables.setUint32(8, (TABLES + 0x2000) | 3, true);
    for (let page = 0; page < 1024; page++) tables.setUint32(0x1000 + 4 * page, (page << 12) | 3, true);
    tables.setUint32(0x2000, Number(VGA) | 3, true);
    core.write(BigInt(TABLES), new Uint8Array(tables.buffer));
  }
  core.setState(0, {
    ...state,
    general: { ...state.general, rsp: 0x7000n, ...general },
    rip: CODE,
    cr0: paging ? 0x80000011n : 0x11n,
    cr3: BigInt(TABLES),
    segments: { ...state.segments, cs: flat(8, 0xc09b), ss: data, ds: data, es: data, fs: data, gs: data },
    idtr: { base: 0n, limit: 0 },
  });
  return core;
}

/** Encodings for 32-bit code, with element size and what moves. */
const INSTRUCTIONS = [
  { name: 'rep stosb', code: [0xf3, 0xaa], size: 1, source: false, destination: true },
  { name: 'rep stosd', code: [0xf3, 0xab], size: 4, source: false, destination: true },
  { name: 'rep movsb to MMIO', code: [0xf3, 0xa4], size: 1, source: true, destination: true, to: true },
  { name: 'rep movsd from MMIO', code: [0xf3, 0xa5], size: 4, source: true, destination: true, from: true },
  { name: 'rep lodsw', code: [0xf3, 0x66, 0xad], size: 2, source: true, destination: false },
  { name: 'rep outsb', code: [0xf3, 0x6e], size: 1, source: true, destination: false, port: true },
  { name: 'rep insb', code: [0xf3, 0x6c], size: 1, source: false, destination: true, port: true },
] as const;

const COUNT = 20;
const RAM_BUFFER = 0x8000n;

for (const instruction of INSTRUCTIONS) {
  const { name, code, size, source, destination } = instruction;
  test(`${name}: refused at any iteration, then continued`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: COUNT - 1 }), fc.boolean(), (refuse, backward) => {
        const bus = new RecordingBus();
        bus.refuse = refuse;
        const port = 'port' in instruction;
        const sourceMmio = source && !('to' in instruction) && !port;
        const destinationMmio = destination && !('from' in instruction) && !port;
        const start = (mmio: boolean): bigint => (mmio ? VGA : RAM_BUFFER) + (backward ? 0x200n : 0n);
        const general = {
          rcx: BigInt(COUNT),
          rdx: 0x300n,
          rsi: start(sourceMmio),
          rdi: start(destinationMmio),
        };
        const core = protectedCore(bus, code, general, false);
        if (backward) core.setState(0, { ...core.state(0), rflags: 0x402n });
        const step = BigInt(backward ? -size : size);
        const check = (done: number, rip: bigint): void => {
          const state = core.state(0);
          assert.equal(state.general.rcx, BigInt(COUNT - done), 'rcx');
          assert.equal(state.general.rsi, general.rsi + (source ? step * BigInt(done) : 0n), 'rsi');
          assert.equal(state.general.rdi, general.rdi + (destination ? step * BigInt(done) : 0n), 'rdi');
          assert.equal(state.rip, rip, 'rip');
        };
        assert.equal(core.run(1000).reason, 'refused');
        check(refuse, CODE);
        bus.refuse = Infinity;
        assert.equal(core.run(1000).reason, 'idle');
        check(COUNT, CODE + BigInt(code.length) + 1n);
        assert.equal(bus.accesses.length, COUNT, 'accesses');
      }),
      { numRuns: 40, seed: 1 },
    );
  });
}

test('a page fault in the middle of REP on MMIO leaves the finished iterations, and nothing of the next', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1, 2, 4), (before, size) => {
      const bus = new RecordingBus();
      const code = size === 1 ? [0xf3, 0xaa] : size === 2 ? [0x66, 0xf3, 0xab] : [0xf3, 0xab];
      const general = { rcx: 100n, rdi: WINDOW + PAGE - BigInt(before * size), rax: 0x11223344n };
      const core = protectedCore(bus, code, general, true);
      const exit = core.run(1000);
      // No interrupt table: the chain ends in a shutdown, and its first link is the page fault.
      assert.equal(exit.reason, 'shutdown');
      const first = exit.reason === 'shutdown' ? exit.faults[0] : undefined;
      assert.equal(first?.vector, 14);
      assert.equal(first.errorCode, 2);
      assert.equal(first.cr2, WINDOW + PAGE);
      assert.equal(first.state.general.rcx, BigInt(100 - before));
      assert.equal(first.state.general.rdi, WINDOW + PAGE);
      assert.equal(first.state.rip, CODE);
      assert.equal(bus.accesses.length, before);
    }),
    { numRuns: 60, seed: 1 },
  );
});

test('an element that crosses from MMIO into an absent page is not partly written', () => {
  const bus = new RecordingBus();
  const core = protectedCore(bus, [0xf3, 0xab], { rcx: 10n, rdi: WINDOW + PAGE - 6n }, true);
  const exit = core.run(1000);
  assert.equal(exit.reason, 'shutdown');
  const first = exit.reason === 'shutdown' ? exit.faults[0] : undefined;
  assert.equal(first?.state.general.rcx, 9n);
  assert.equal(first.state.general.rdi, WINDOW + PAGE - 2n);
  assert.equal(first.cr2, WINDOW + PAGE);
  assert.deepEqual(
    bus.accesses.map(({ address }) => address),
    [VGA + 0xffan],
  );
});
