/**
 * The TypeScript face of the core: one WebAssembly instance per machine, its imports answered by a `Bus`. A guest fault or
 * a refused access unwinds by a throw of UNWIND, which `run` catches.
 */
import wasm from '../../dist/core.wasm';
import { SEGMENTS, GENERAL_REGISTERS } from '../src/x86/state';
import type { CpuMode, SegmentName, SegmentState, VcpuState } from '../src/x86/state';
import * as E from './assembly/events';
import * as L from './assembly/layout';
import { REFUSED } from './face';
import type {
  Core,
  CoreOptions,
  CoreSnapshot,
  CpuProfile,
  Exit,
  FaultRecord,
  SlotKind,
  Ticks,
  TraceEvent,
} from './face';
import { reasonText } from './reasons';
import { SlotTable } from './slots';
import { restoreTranslations, saveTranslations } from './translations';
import type { TranslationSink } from './translations';

/** The one object that unwinds; cheap because it is made once. */
const UNWIND = new Error('unwinding the instruction in progress');

const CPU_MODES: readonly CpuMode[] = [
  'real',
  'v86',
  'protected-16',
  'protected-32',
  'compatibility',
  'long',
];
const ACTIVITIES = ['running', 'halted', 'wait-for-sipi', 'shutdown'] as const;
const TABLES = ['gdtr', 'idtr', 'ldtr', 'tr'] as const;
const SOURCES = ['pic', 'apic', 'nmi', 'software'] as const;

interface Exports extends TranslationSink {
  readonly memory: WebAssembly.Memory;
  create(vcpus: number, features: number, width: number, quantum: number): void;
  reset(): void;
  run(): number;
  unwound(): number;
  now(): number;
  idle(): number;
  setDeadline(ticks: number): void;
  skipIdle(until: number): void;
  stop(): void;
  stateOf(vcpu: number): number;
  switchTo(vcpu: number): void;
  slotsChanged(): void;
  pageForHost(gpa: bigint): number;
  allocatedPage(gpa: bigint): number;
  beforeHostWrite(gpa: bigint, size: number): void;
  setA20(on: number): void;
  setInterruptLine(up: number): void;
  deliverMessage(vector: number, destination: number, logical: number, mode: number, level: number): void;
  raiseNmi(vcpu: number): void;
  rflagsOf(vcpu: number): number;
  stateChanged(flags: number): void;
  setSegment(number: number, selector: number, base: bigint, limit: number, attributes: number): void;
  refreshPdptes(): void;
  clear(): void;
  restored(): void;
  restorePage(gpa: bigint): number;
}

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
    this.offerCpuid(options.profile);
    const quantum = options.vcpus === 1 ? 2 ** 52 : (options.quantum ?? 1000);
    this.wasm.create(options.vcpus, featureBits(options.profile), options.profile.physicalWidth, quantum);
    this.view.setUint32(L.TRACE, options.bus.trace ? 1 : 0, true);
  }

  // ---- The bus ----
  private imports(): WebAssembly.ModuleImports {
    const { bus, profile } = this.options;
    const refuse = (): never => {
      this.view.setUint32(L.UNWIND_CAUSE, L.CAUSE_REFUSED, true);
      throw UNWIND;
    };
    return {
      unwind: () => {
        throw UNWIND;
      },
      readPort: (port: number, size: 1 | 2 | 4, flags: number) => {
        const value = bus.readPort(port, size, this.current, flags);
        return value === REFUSED ? refuse() : value;
      },
      writePort: (port: number, size: 1 | 2 | 4, value: number, flags: number) => {
        if (bus.writePort(port, size, value >>> 0, this.current, flags) === REFUSED) refuse();
      },
      readMmio: (address: bigint, size: 1 | 2 | 4 | 8) => {
        const value = bus.readMmio(BigInt.asUintN(64, address), size, this.current);
        return value === REFUSED ? refuse() : value;
      },
      writeMmio: (address: bigint, size: 1 | 2 | 4 | 8, value: bigint) => {
        const result = bus.writeMmio(
          BigInt.asUintN(64, address),
          size,
          BigInt.asUintN(size * 8, value),
          this.current,
        );
        if (result === REFUSED) refuse();
      },
      acknowledge: () => bus.acknowledge(this.current) & 0xff,
      readMsr: (index: number) => {
        const value = bus.readMsr(index >>> 0, this.current);
        if (value === null) return 0;
        this.view.setBigUint64(L.CPUID_ANSWER, BigInt.asUintN(64, value), true);
        return 1;
      },
      writeMsr: (index: number, value: bigint) =>
        bus.writeMsr(index >>> 0, BigInt.asUintN(64, value), this.current) ? 1 : 0,
      cpuid: (leaf: number, subleaf: number) => {
        const answer = profile.cpuid(leaf >>> 0, subleaf >>> 0, this.current);
        answer.forEach((word, i) => this.view.setUint32(L.CPUID_ANSWER + 4 * i, word, true));
      },
      interprocessorInterrupt: (icr: bigint) => {
        if (bus.interprocessorInterrupt?.(BigInt.asUintN(64, icr), this.current) === REFUSED) refuse();
      },
      endOfInterrupt: (vector: number) => bus.endOfInterrupt?.(vector, this.current),
      trace: (kind: number, vcpu: number, a: bigint, b: bigint, c: bigint) =>
        this.trace(kind, vcpu, BigInt.asUintN(64, a), BigInt.asUintN(64, b), BigInt.asUintN(64, c)),
    };
  }

  /** The CPUID words that decide what decodes and what is reserved. */
  private offerCpuid(profile: CpuProfile): void {
    const cpuid = (leaf: number): readonly [number, number, number, number] => profile.cpuid(leaf, 0, 0);
    const [signature, , ecx1, edx1] = cpuid(1);
    const [, ebx7, ecx7, edx7] = cpuid(0)[0] >= 7 ? cpuid(7) : [0, 0, 0, 0];
    const extended = cpuid(0x80000000)[0] >>> 0;
    const [, , ecx81, edx81] = extended > 0x80000000 ? cpuid(0x80000001) : [0, 0, 0, 0];
    const words: readonly (readonly [number, number])[] = [
      [L.CPUID_SIGNATURE, signature],
      [L.CPUID_1_ECX, ecx1],
      [L.CPUID_1_EDX, edx1],
      [L.CPUID_7_EBX, ebx7],
      [L.CPUID_7_ECX, ecx7],
      [L.CPUID_7_EDX, edx7],
      [L.CPUID_81_ECX, ecx81],
      [L.CPUID_81_EDX, edx81],
    ];
    for (const [address, word] of words) this.view.setUint32(address, word, true);
  }

  private trace(kind: number, where: number, a: bigint, b: bigint, c: bigint): void {
    const emit = (event: TraceEvent): void => this.options.bus.trace?.(event);
    const vcpu = where & 0xff;
    const which = where >> 8;
    const at = this.now;
    switch (kind) {
      case E.TRACE_MODE:
        emit({
          event: 'mode',
          at,
          vcpu,
          from: CPU_MODES[Number(b)] ?? 'real',
          to: CPU_MODES[Number(c)] ?? 'real',
          rip: a,
          paging: this.paging(),
        });
        break;
      case E.TRACE_CR:
        emit({ event: 'cr-write', at, vcpu, register: `cr${which}`, value: b, previous: c, rip: a });
        break;
      case E.TRACE_MSR:
        emit({ event: 'msr-write', at, vcpu, index: Number(b), value: c, rip: a });
        break;
      case E.TRACE_TABLE:
        emit({
          event: 'table-load',
          at,
          vcpu,
          table: TABLES[which] ?? 'gdtr',
          selector: which < 2 ? null : Number(c >> 32n),
          base: b,
          limit: Number(c & 0xffffffffn),
          rip: a,
        });
        break;
      case E.TRACE_EXCEPTION: {
        const vector = Number(a & 0xffn);
        emit({
          event: 'exception',
          at,
          vcpu,
          vector,
          errorCode: (a & 0x100n) !== 0n ? Number(a >> 32n) : null,
          rip: b,
          cr2: vector === 14 ? c : null,
        });
        break;
      }
      case E.TRACE_INTERRUPT:
        emit({ event: 'interrupt', at, vcpu, vector: Number(a), source: SOURCES[Number(b)] ?? 'pic' });
        break;
      case E.TRACE_IPI:
        emit({ event: 'ipi', at, vcpu, icr: b, rip: a });
        break;
      case E.TRACE_INIT:
        emit({ event: 'init', at, vcpu });
        break;
      case E.TRACE_SIPI:
        emit({ event: 'sipi', at, vcpu, vector: Number(a) });
        break;
      case E.TRACE_HALT:
        emit({ event: 'halt', at, vcpu, rip: a });
        break;
    }
  }

  /** The paging mode in force on the current vCPU (SDM vol. 3, 4.1.1). */
  private paging(): string {
    const view = this.view;
    const cr4 = view.getUint32(L.CR4, true);
    if (view.getInt32(L.CR0, true) >= 0) return 'off';
    if ((cr4 & 0x20) === 0) return '32-bit';
    if ((view.getUint32(L.EFER, true) & 0x400) === 0) return 'PAE';
    return (cr4 & 0x1000) === 0 ? '4-level' : '5-level';
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
    return this.stateAt(this.wasm.stateOf(vcpu), vcpu);
  }

  /** Reads a copy of the vCPU area at `base`. */
  private stateAt(base: number, vcpu: number): VcpuState {
    const { view } = this;
    const at = (address: number): number => base + address - L.CPU;
    const u64 = (address: number): bigint => view.getBigUint64(at(address), true);
    const u32 = (address: number): number => view.getUint32(at(address), true);
    const general = Object.fromEntries(
      GENERAL_REGISTERS.map((name, i) => [name, u64(L.REGS + 8 * i)]),
    ) as VcpuState['general'];
    const segments = Object.fromEntries(
      SEGMENTS.map((name, i) => {
        const s = at(L.SEGMENTS) + i * L.SEGMENT_SIZE;
        const segment: SegmentState = {
          selector: view.getUint16(s + L.SEG_SELECTOR, true),
          base: view.getBigUint64(s + L.SEG_BASE, true),
          limit: view.getUint32(s + L.SEG_LIMIT, true),
          attributes: view.getUint32(s + L.SEG_ATTRIBUTES, true),
        };
        return [name, segment];
      }),
    ) as VcpuState['segments'];
    const tpr = view.getUint32(L.VCPUS + vcpu * L.VCPU_SIZE + L.APIC_TPR, true);
    return {
      general,
      rip: u64(L.RIP),
      rflags: BigInt((arithmeticFlags(view, at(L.FLAG_RESULT), at(L.FLAG_AUX)) | u32(L.SYSTEM_FLAGS)) >>> 0),
      cr0: u64(L.CR0),
      cr2: u64(L.CR2),
      cr3: u64(L.CR3),
      cr4: u64(L.CR4),
      cr8: BigInt(tpr >> 4),
      efer: u64(L.EFER),
      segments,
      gdtr: { base: u64(L.GDTR_BASE), limit: u32(L.GDTR_LIMIT) },
      idtr: { base: u64(L.IDTR_BASE), limit: u32(L.IDTR_LIMIT) },
      dr: Array.from({ length: 8 }, (_, i) => u64(L.DR + 8 * i)),
    };
  }

  setState(vcpu: number, state: VcpuState): void {
    this.check(vcpu);
    const current = this.current;
    this.wasm.switchTo(vcpu);
    const { view } = this;
    const u64 = (address: number, value: bigint): void =>
      view.setBigUint64(address, BigInt.asUintN(64, value), true);
    GENERAL_REGISTERS.forEach((name, i) => u64(L.REGS + 8 * i, state.general[name]));
    u64(L.RIP, state.rip);
    u64(L.START, state.rip);
    u64(L.CR0, state.cr0);
    u64(L.CR2, state.cr2);
    u64(L.CR3, state.cr3);
    u64(L.CR4, state.cr4);
    u64(L.EFER, state.efer);
    u64(L.GDTR_BASE, state.gdtr.base);
    u64(L.IDTR_BASE, state.idtr.base);
    view.setUint32(L.GDTR_LIMIT, state.gdtr.limit, true);
    view.setUint32(L.IDTR_LIMIT, state.idtr.limit, true);
    state.dr.forEach((value, i) => u64(L.DR + 8 * i, value));
    view.setUint32(L.VCPUS + vcpu * L.VCPU_SIZE + L.APIC_TPR, Number(state.cr8 & 15n) << 4, true);
    // CPL is the DPL of SS, but for real mode (0) and virtual-8086 mode (3).
    const real = (state.cr0 & 1n) === 0n;
    const v86 = (state.rflags & 0x20000n) !== 0n;
    view.setUint8(L.CPL, real ? 0 : v86 ? 3 : (state.segments.ss.attributes >> 5) & 3);
    view.setUint8(L.SHADOW, 0);
    view.setUint32(L.PENDING, L.EVENT_NONE, true);
    SEGMENTS.forEach((name: SegmentName, i) => {
      const s = state.segments[name];
      this.wasm.setSegment(i, s.selector, BigInt.asUintN(64, s.base), s.limit, s.attributes);
    });
    if ((state.cr0 & 0x80000000n) !== 0n && (state.cr4 & 0x20n) !== 0n && (state.efer & 0x400n) === 0n)
      this.wasm.refreshPdptes();
    this.wasm.stateChanged(Number(BigInt.asUintN(32, state.rflags)));
    this.wasm.switchTo(current);
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
  }

  // ---- Lines and messages ----
  setInterruptLine(up: boolean): void {
    this.wasm.setInterruptLine(up ? 1 : 0);
  }
  deliver(vector: number, destination: number, logical: boolean, mode: number, level: boolean): void {
    this.wasm.deliverMessage(vector & 0xff, destination, logical ? 1 : 0, mode, level ? 1 : 0);
  }
  raiseNmi(vcpu: number): void {
    this.check(vcpu);
    this.wasm.raiseNmi(vcpu);
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
      const state = this.stateAt(base, vcpu);
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
    const pages = Array.from({ length: this.touchedPages }, (_, i) => {
      const address = view.getBigUint64(L.PAGES + 8 * i, true);
      const page = this.wasm.allocatedPage(address) >>> 0;
      return { address, bytes: this.memory.slice(page, page + 4096) };
    });
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

function featureBits({ vendor, localApic, x2apic, ibt, features }: CpuProfile): number {
  const bits: readonly (readonly [boolean, number])[] = [
    [vendor === 'amd', L.HAS_AMD],
    [localApic, L.HAS_LOCAL_APIC],
    [localApic && x2apic, L.HAS_X2APIC],
    [ibt, L.HAS_IBT],
    [features.longMode, L.HAS_LONG_MODE],
    [features.nx, L.HAS_NX],
    [features.pages1g, L.HAS_1G],
    [features.smep, L.HAS_SMEP],
    [features.smap, L.HAS_SMAP],
    [features.umip, L.HAS_UMIP],
    [features.fsgsbase, L.HAS_FSGSBASE],
    [features.pcid, L.HAS_PCID],
    [features.xsave, L.HAS_XSAVE],
  ];
  return bits.reduce((sum, [has, bit]) => (has ? sum | bit : sum), 0);
}

/** The six arithmetic flags from their lazy form (assembly/flags.ts). */
function arithmeticFlags(view: DataView, resultAt: number, auxAt: number): number {
  const result = view.getBigInt64(resultAt, true);
  const aux = view.getUint32(auxAt, true);
  const carry = aux >>> 31;
  const overflow = carry ^ ((aux >>> 30) & 1);
  const sign = (result < 0n ? 1 : 0) ^ (aux & 1);
  let low = (Number(result & 0xffn) ^ (aux >>> 8)) & 0xff;
  let parity = 1;
  for (; low !== 0; low &= low - 1) parity ^= 1;
  const adjust = (aux >>> 3) & 1;
  return (
    carry | (parity << 2) | (adjust << 4) | ((result === 0n ? 1 : 0) << 6) | (sign << 7) | (overflow << 11)
  );
}
