/** A core whose instructions are the steps of a generator: enough of the boundary to test what runs it. */
import {
  REFUSED,
  type Core,
  type CoreOptions,
  type Exit,
  type FaultRecord,
  type SlotKind,
} from '../../../server/emulator/face';
import { NO_REGISTERS, RESET_DEBUG_REGISTERS, type VcpuState } from '../../../server/src/x86/state';

/** What a step asks for after its instruction. */
export type Step = void | 'halt' | 'shutdown' | 'memory';
export type Program = (cpu: ScriptedCore) => Generator<Step, void, void>;

class RefusedAccess extends Error {}

const PAGE = 4096n;

export class ScriptedCore implements Core {
  readonly vcpus: number;
  instructions = 0;
  now = 0;
  interruptLine = false;
  readonly acknowledged: number[] = [];
  faultChain: FaultRecord[] = [];
  private vcpu: VcpuState = ZERO;
  /** Of vCPUs that never run. */
  private readonly others = new Map<number, VcpuState>();
  private halted = false;
  private stop = false;
  private readonly pages = new Map<bigint, Uint8Array>();
  private readonly slots: { start: bigint; end: bigint; kind: SlotKind }[] = [];
  private readonly steps: Generator<Step, void, void>;

  constructor(
    private readonly options: CoreOptions,
    program: Program,
  ) {
    this.vcpus = options.vcpus;
    this.steps = program(this);
  }

  // What a program does.

  in(port: number, size: 1 | 2 | 4 = 1, flags = 0): number {
    const value = this.options.bus.readPort(port, size, 0, flags);
    if (value === REFUSED) throw new RefusedAccess();
    return value;
  }

  out(port: number, value: number, size: 1 | 2 | 4 = 1, flags = 0): void {
    if (this.options.bus.writePort(port, size, value, 0, flags) === REFUSED) throw new RefusedAccess();
  }

  load(address: bigint, size: 1 | 2 | 4 | 8 = 4): bigint {
    const value = this.options.bus.readMmio(address, size, 0);
    if (value === REFUSED) throw new RefusedAccess();
    return value;
  }

  store(address: bigint, value: bigint, size: 1 | 2 | 4 | 8 = 4): void {
    if (this.options.bus.writeMmio(address, size, value, 0) === REFUSED) throw new RefusedAccess();
  }

  print(text: string): void {
    for (const character of text) this.out(0x3f8, character.charCodeAt(0));
  }

  setFlags(rflags: bigint): void {
    this.vcpu = { ...this.vcpu, rflags };
  }

  // The boundary.

  get touchedPages(): number {
    return this.pages.size;
  }

  touchedIn(start: bigint, end: bigint): readonly bigint[] {
    return [...this.pages.keys()]
      .map((number) => number * PAGE)
      .filter((at) => at >= start && at < end)
      .sort((a, b) => (a < b ? -1 : 1));
  }

  map(start: bigint, end: bigint, kind: SlotKind): void {
    this.slots.push({ start, end, kind });
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    const inside = bytes.every((_, i) => this.mapped(address + BigInt(i)));
    if (inside)
      bytes.forEach(
        (byte, i) => (this.page(address + BigInt(i))[Number((address + BigInt(i)) % PAGE)] = byte),
      );
    return inside;
  }

  read(address: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const at = address + BigInt(i);
      if (!this.mapped(at)) return null;
      bytes[i] = this.page(at)[Number(at % PAGE)]!;
    }
    return bytes;
  }

  state(vcpu = 0): VcpuState {
    const other = this.others.get(vcpu);
    if (other) return other;
    return this.vcpu;
  }

  readonly msrs = new Map<number, bigint>();

  setMsr(_vcpu: number, index: number, value: bigint): boolean {
    this.msrs.set(index, value);
    return true;
  }

  setState(vcpu: number, state: VcpuState): void {
    if (vcpu === 0) this.vcpu = state;
    else this.others.set(vcpu, state);
  }

  reset(): void {
    this.halted = false;
  }

  activity(vcpu: number): 'running' | 'halted' | 'wait-for-sipi' | 'shutdown' {
    if (vcpu > 0) return 'wait-for-sipi';
    return this.halted ? 'halted' : 'running';
  }

  wakesByInterrupt(vcpu: number): boolean {
    return vcpu === 0 && this.halted && (this.vcpu.rflags & 0x200n) !== 0n;
  }

  setActivity(): void {
    // vCPU 0 runs, the others wait.
  }

  setInterruptLine(up: boolean): void {
    this.interruptLine = up;
  }

  enterVirtualWireMode(): void {
    // There is no local APIC.
  }

  deliver(): boolean {
    throw new Error('the scripted core has no local APIC');
  }

  setNmiLine(): void {
    throw new Error('the scripted core takes no NMI');
  }

  setA20(): void {
    // Every address is as it is.
  }

  run(deadline: number): Exit {
    this.stop = false;
    while (this.now < deadline) {
      if (this.halted && !this.takeInterrupt()) return { reason: 'idle' };
      const exit = this.step();
      if (exit) return exit;
      if (this.stop) return { reason: 'stopped', vcpu: 0 };
    }
    return { reason: 'deadline' };
  }

  skipIdle(until: number): void {
    this.now = until;
  }

  requestStop(): void {
    this.stop = true;
  }

  setBreakpoints(): void {
    throw new Error('the scripted core has no breakpoints');
  }

  faults(): readonly FaultRecord[] {
    return this.faultChain;
  }

  snapshot(): never {
    throw new Error('the scripted core has no snapshots');
  }

  restore(): never {
    throw new Error('the scripted core has no snapshots');
  }

  private step(): Exit | null {
    let result: IteratorResult<Step, void>;
    try {
      result = this.steps.next();
    } catch (error) {
      if (error instanceof RefusedAccess) return { reason: 'refused', vcpu: 0 };
      throw error;
    }
    this.now++;
    this.instructions++;
    const step = result.done ? 'halt' : result.value;
    if (step === 'halt') {
      this.halted = true;
      this.options.bus.trace?.({ event: 'halt', at: this.now, vcpu: 0, rip: this.vcpu.rip });
    } else if (step === 'shutdown') {
      return { reason: 'shutdown', vcpu: 0, faults: this.faultChain };
    } else if (step === 'memory') {
      return { reason: 'memory' };
    }
    return null;
  }

  private takeInterrupt(): boolean {
    if (!this.interruptLine || (this.vcpu.rflags & 0x200n) === 0n) return false;
    const vector = this.options.bus.acknowledge(0);
    this.acknowledged.push(vector);
    this.options.bus.trace?.({ event: 'interrupt', at: this.now, vcpu: 0, vector, source: 'pic' });
    this.halted = false;
    return true;
  }

  private mapped(address: bigint): boolean {
    return this.slots.some(({ start, end, kind }) => kind !== 'mmio' && address >= start && address < end);
  }

  private page(address: bigint): Uint8Array {
    const number = address / PAGE;
    let page = this.pages.get(number);
    if (!page) this.pages.set(number, (page = new Uint8Array(Number(PAGE))));
    return page;
  }
}

const SEGMENT = { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 };

const ZERO: VcpuState = {
  general: NO_REGISTERS,
  rip: 0n,
  rflags: 2n,
  cr0: 0n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 0n,
  efer: 0n,
  segments: {
    es: SEGMENT,
    cs: SEGMENT,
    ss: SEGMENT,
    ds: SEGMENT,
    fs: SEGMENT,
    gs: SEGMENT,
    ldtr: SEGMENT,
    tr: { ...SEGMENT, attributes: 0x8b },
  },
  gdtr: { base: 0n, limit: 0 },
  idtr: { base: 0n, limit: 0 },
  dr: RESET_DEBUG_REGISTERS,
};
