/**
 * The TypeScript face of the core: one WebAssembly instance per machine. A guest fault or a refused access unwinds by a throw
 * of UNWIND, which `run` catches.
 */
import wasm from '../../dist/core.wasm';
import { SEGMENTS } from '../src/x86/state';
import type { VcpuState } from '../src/x86/state';
import * as L from './assembly/layout';
import { busImports, UNWIND } from './busImports';
import { featureBits, offerCpuid, physicalWidth } from './cpuProfile';
import type { Core, CoreOptions, CoreSnapshot, Exit, FaultRecord, SavedPage, SlotKind, Ticks } from './face';
import { reasonText } from './reasons';
import { SlotTable } from './slots';
import { restoreTranslations, saveTranslations } from './translations';
import type { Exports } from './wasmExports';
import { readState, writeRegisters } from './vcpuState';

const ACTIVITIES = ['running', 'halted', 'wait-for-sipi', 'shutdown'] as const;

/** A prime: a loop whose length divides the quantum would be left at the same place every time. */
const DEFAULT_QUANTUM = 997;
/** The turn of a vCPU that is alone. */
const ONE_TURN = 2 ** 52;

let compiled: WebAssembly.Module | undefined;

/** A machine of `options.vcpus` vCPUs in their RESET state, without memory. Works in Node, a worker and a browser. */
export function createCore(options: CoreOptions): Core {
  return new WasmCore(options);
}

class WasmCore implements Core {
  readonly vcpus: number;
  private readonly wasm: Exports;
  private readonly slots = new SlotTable();
  private readonly options: CoreOptions;
  /** Pages of the last snapshot, in order of their allocation. */
  private saved: SavedPage[] = [];
  private viewOf: ArrayBuffer | undefined;
  private cached!: DataView;
  private bytes!: Uint8Array;

  constructor(options: CoreOptions) {
    this.options = options;
    this.vcpus = options.vcpus;
    if (!Number.isInteger(options.vcpus) || options.vcpus < 1 || options.vcpus > L.MAX_VCPUS)
      throw new RangeError(`1 to ${L.MAX_VCPUS} vCPUs, not ${options.vcpus}`);
    compiled ??= new WebAssembly.Module(wasm as BufferSource);
    const instance = new WebAssembly.Instance(compiled, { bus: this.imports(), env: { abort } });
    this.wasm = instance.exports as unknown as Exports;
    offerCpuid(this.view, options.profile);
    const quantum = options.quantum ?? DEFAULT_QUANTUM;
    if (!Number.isInteger(quantum) || quantum < 1)
      throw new RangeError(`a quantum of 1 at least, not ${quantum}`);
    this.wasm.create(
      options.vcpus,
      featureBits(options.profile),
      physicalWidth(options.profile),
      options.vcpus === 1 ? ONE_TURN : quantum,
    );
    this.view.setUint32(L.TRACE, options.bus.trace ? 1 : 0, true);
  }

  /** The imports look at the memory, which is there when they are called. */
  private imports(): WebAssembly.ModuleImports {
    return busImports(this.options, {
      view: () => this.view,
      current: () => this.current,
      now: () => this.now,
    });
  }

  // ---- Memory of the instance ----
  /** A view that follows the growth of the memory. */
  private get view(): DataView {
    const buffer = this.wasm.memory.buffer;
    if (buffer !== this.viewOf) {
      this.viewOf = buffer;
      this.cached = new DataView(buffer);
      this.bytes = new Uint8Array(buffer);
    }
    return this.cached;
  }
  private get memory(): Uint8Array {
    return this.view && this.bytes;
  }
  private get current(): number {
    return this.view.getUint32(L.CURRENT, true);
  }

  // ---- Clock ----
  get now(): Ticks {
    return this.wasm.now();
  }
  get instructions(): number {
    return this.wasm.now() - this.wasm.idle();
  }
  skipIdle(until: Ticks): void {
    this.wasm.skipIdle(until);
  }

  // ---- Guest memory ----
  get touchedPages(): number {
    return this.view.getUint32(L.PAGE_COUNT, true);
  }

  touchedIn(start: bigint, end: bigint): readonly bigint[] {
    const { view, touchedPages } = this;
    const found: bigint[] = [];
    for (let i = 0; i < touchedPages; i++) {
      const address = view.getBigUint64(L.PAGES + 8 * i, true);
      if (address >= start && address < end) found.push(address);
    }
    return found.sort((a, b) => (a < b ? -1 : 1));
  }

  map(start: bigint, end: bigint, kind: SlotKind): void {
    this.slots.set(start, end, kind);
    this.storeSlots();
    this.wasm.slotsChanged();
  }

  private storeSlots(): void {
    const { view, slots } = this;
    slots.entries.forEach((slot, i) => {
      const at = L.SLOTS + i * L.SLOT_SIZE;
      view.setBigUint64(at, slot.start, true);
      view.setBigUint64(at + 8, slot.end, true);
      view.setUint32(at + 16, slot.kind === 'ram' ? L.SLOT_RAM : L.SLOT_ROM, true);
    });
    view.setUint32(L.SLOT_COUNT, slots.entries.length, true);
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    if (!this.slots.covers(address, address + BigInt(bytes.length))) return false;
    for (let done = 0; done < bytes.length;) {
      const gpa = address + BigInt(done);
      const offset = Number(gpa & 0xfffn);
      const size = Math.min(4096 - offset, bytes.length - done);
      const page = this.wasm.pageForHost(gpa) >>> 0;
      if (page <= 1) return false;
      this.wasm.beforeHostWrite(gpa, size);
      this.memory.set(bytes.subarray(done, done + size), page + offset);
      done += size;
    }
    return true;
  }

  read(address: bigint, length: number): Uint8Array | null {
    if (!this.slots.covers(address, address + BigInt(length))) return null;
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const gpa = address + BigInt(done);
      const offset = Number(gpa & 0xfffn);
      const size = Math.min(4096 - offset, length - done);
      // A page that nobody touched reads as zeros, and stays untouched.
      const page = this.wasm.allocatedPage(gpa) >>> 0;
      if (page !== 0) out.set(this.memory.subarray(page + offset, page + offset + size), done);
      done += size;
    }
    return out;
  }

  // ---- vCPU state ----
  private check(vcpu: number): void {
    if (!Number.isInteger(vcpu) || vcpu < 0 || vcpu >= this.vcpus) throw new RangeError(`no vCPU ${vcpu}`);
  }

  state(vcpu: number): VcpuState {
    this.check(vcpu);
    return readState(this.view, this.wasm.stateOf(vcpu), vcpu);
  }

  setState(vcpu: number, state: VcpuState): void {
    this.check(vcpu);
    const current = this.current;
    this.wasm.switchTo(vcpu);
    writeRegisters(this.view, vcpu, state);
    SEGMENTS.forEach((name, i) => {
      const s = state.segments[name];
      this.wasm.setSegment(i, s.selector, BigInt.asUintN(64, s.base), s.limit, s.attributes);
    });
    if ((state.cr0 & 0x80000000n) !== 0n && (state.cr4 & 0x20n) !== 0n && (state.efer & 0x400n) === 0n)
      this.wasm.refreshPdptes();
    this.wasm.stateChanged(Number(BigInt.asUintN(32, state.rflags)));
    this.wasm.switchTo(current);
  }

  setMsr(vcpu: number, index: number, value: bigint): boolean {
    this.check(vcpu);
    const current = this.current;
    this.wasm.switchTo(vcpu);
    const set = this.wasm.setMsr(index, BigInt.asUintN(64, value)) !== 0;
    this.wasm.switchTo(current);
    return set;
  }

  reset(): void {
    this.wasm.reset();
  }

  activity(vcpu: number): 'running' | 'halted' | 'wait-for-sipi' | 'shutdown' {
    this.check(vcpu);
    return ACTIVITIES[this.view.getUint32(L.VCPUS + vcpu * L.VCPU_SIZE + L.ACTIVITY, true)] ?? 'shutdown';
  }
  setActivity(vcpu: number, activity: 'running' | 'halted' | 'wait-for-sipi'): void {
    this.check(vcpu);
    this.view.setUint32(L.VCPUS + vcpu * L.VCPU_SIZE + L.ACTIVITY, ACTIVITIES.indexOf(activity), true);
    this.view.setUint8(L.VCPUS + vcpu * L.VCPU_SIZE + L.MONITOR_STATE, 0);
  }
  wakesByInterrupt(vcpu: number): boolean {
    return this.activity(vcpu) === 'halted' && this.wasm.wakesByInterrupt(vcpu) !== 0;
  }

  // ---- Lines and messages ----
  setInterruptLine(up: boolean): void {
    this.wasm.setInterruptLine(up ? 1 : 0);
  }
  setNmiLine(up: boolean): void {
    this.wasm.setNmiLine(up ? 1 : 0);
  }
  enterVirtualWireMode(): void {
    this.wasm.enterVirtualWireMode(0);
  }
  deliver(vector: number, destination: number, logical: boolean, mode: number, level: boolean): boolean {
    return this.wasm.deliverMessage(vector & 0xff, destination, logical ? 1 : 0, mode, level ? 1 : 0) !== 0;
  }
  setA20(on: boolean): void {
    this.wasm.setA20(on ? 1 : 0);
  }

  // ---- Running ----
  run(deadline: Ticks): Exit {
    this.wasm.setDeadline(deadline);
    for (;;) {
      let code: number;
      try {
        code = this.wasm.run();
      } catch (thrown) {
        if (thrown !== UNWIND) throw thrown;
        code = this.wasm.unwound();
        if (code < 0) continue;
      }
      return this.exit(code);
    }
  }

  private exit(code: number): Exit {
    const vcpu = this.current;
    switch (code) {
      case L.EXIT_DEADLINE:
        return { reason: 'deadline' };
      case L.EXIT_IDLE:
        return { reason: 'idle' };
      case L.EXIT_SHUTDOWN:
        return { reason: 'shutdown', vcpu, faults: this.faults(vcpu) };
      case L.EXIT_STOPPED:
        return { reason: 'stopped', vcpu };
      case L.EXIT_BREAKPOINT:
        return { reason: 'breakpoint', vcpu };
      case L.EXIT_REFUSED:
        return { reason: 'refused', vcpu };
      default:
        return { reason: 'memory' };
    }
  }

  requestStop(): void {
    this.wasm.stop();
  }

  setBreakpoints(addresses: readonly bigint[]): void {
    if (addresses.length > L.MAX_BREAKPOINTS)
      throw new RangeError(`at most ${L.MAX_BREAKPOINTS} breakpoints`);
    addresses.forEach((address, i) =>
      this.view.setBigUint64(L.BREAKPOINTS + 8 * i, BigInt.asUintN(64, address), true),
    );
    this.view.setUint32(L.BREAKPOINT_COUNT, addresses.length, true);
  }

  faults(vcpu: number): readonly FaultRecord[] {
    this.check(vcpu);
    const { view } = this;
    const length = view.getUint32(this.wasm.stateOf(vcpu) + L.CHAIN_LENGTH - L.CPU, true);
    return Array.from({ length }, (_, i) => {
      const base = L.VCPUS + vcpu * L.VCPU_SIZE + L.CHAIN + i * L.CPU_SIZE;
      const u32 = (address: number): number => view.getUint32(base + address - L.CPU, true);
      const u64 = (address: number): bigint => view.getBigUint64(base + address - L.CPU, true);
      const vector = u32(L.FAULT_VECTOR);
      const state = readState(view, base, vcpu);
      return {
        at: Number(u64(L.FAULT_AT)),
        vcpu,
        vector,
        errorCode: u32(L.FAULT_HAS_ERROR) !== 0 ? u32(L.FAULT_ERROR) : null,
        cr2: vector === 14 ? state.cr2 : null,
        reason:
          reasonText(u32(L.FAULT_REASON), u64(L.FAULT_DETAIL_1), u64(L.FAULT_DETAIL_2)) +
          during(u32(L.FAULT_DURING)),
        state,
      };
    });
  }

  // ---- Snapshots ----
  snapshot(): CoreSnapshot {
    const { view } = this;
    const pages = this.savePages();
    const translations = saveTranslations(view, this.vcpus);
    const size = this.areas().reduce((sum, [, bytes]) => sum + bytes, 0);
    const internal = new Uint8Array(size + translations.length);
    internal.set(translations, size);
    let at = 0;
    for (const [address, size] of this.areas()) {
      internal.set(this.memory.subarray(address, address + size), at);
      at += size;
    }
    return { kind: 'core', pages, internal };
  }

  /** Only what was written since the snapshot before is copied; the others are that one's. */
  private savePages(): readonly SavedPage[] {
    const { saved, view, memory } = this;
    for (let i = 0; i < this.touchedPages; i++) {
      const page = this.wasm.takePage(i) >>> 0;
      if ((page & 1) === 0 && saved[i]) continue;
      const host = page & ~0xfff;
      const address = view.getBigUint64(L.PAGES + 8 * i, true);
      saved[i] = { address, bytes: memory.slice(host >>> 0, (host >>> 0) + 4096) };
    }
    this.wasm.snapshotTaken();
    return saved.slice();
  }

  restore(snapshot: CoreSnapshot): void {
    this.wasm.clear();
    let at = 0;
    for (const [address, size] of this.areas()) {
      this.memory.set(snapshot.internal.subarray(at, at + size), address);
      at += size;
    }
    for (const { address, bytes } of snapshot.pages) {
      const page = this.wasm.restorePage(address) >>> 0;
      if (page === 0) throw new RangeError('the snapshot does not fit into the memory of the core');
      this.memory.set(bytes, page);
    }
    this.saved = snapshot.pages.slice();
    this.slots.replace(this.storedSlots());
    this.wasm.restored();
    restoreTranslations(snapshot.internal.subarray(at), this.wasm);
  }

  /** What a snapshot holds besides the pages: the running vCPU, the machine, the slots, all vCPUs. */
  private areas(): readonly (readonly [number, number])[] {
    return [
      [L.CPU, L.CPU_SIZE],
      [L.MACHINE, L.MACHINE_SIZE],
      [L.SLOT_COUNT, 4],
      [L.SLOTS, L.MAX_SLOTS * L.SLOT_SIZE],
      [L.VCPUS, this.vcpus * L.VCPU_SIZE],
    ];
  }

  private storedSlots(): readonly { start: bigint; end: bigint; kind: 'ram' | 'rom' }[] {
    const { view } = this;
    return Array.from({ length: view.getUint32(L.SLOT_COUNT, true) }, (_, i) => {
      const at = L.SLOTS + i * L.SLOT_SIZE;
      return {
        start: view.getBigUint64(at, true),
        end: view.getBigUint64(at + 8, true),
        kind: view.getUint32(at + 16, true) === L.SLOT_RAM ? ('ram' as const) : ('rom' as const),
      };
    });
  }
}

/** What the CPU was doing when a fault was raised, where it was delivering an exception. */
function during(vector: number): string {
  return vector === L.EVENT_NONE ? '' : `, while exception ${vector} was being delivered`;
}

function abort(): never {
  throw new Error('the core met a state that it should never meet');
}
