/**
 * A bare machine for tests of single instructions: RAM, flat tables, code bytes at CODE, and an empty IDT, so that the first
 * fault of the code becomes the first link of a triple fault.
 */
import { createCore } from '../../server/emulator/core';
import type { Bus, Core, CpuProfile, Exit, FaultRecord, TraceEvent } from '../../server/emulator/face';
import { GENERAL_REGISTERS } from '../../server/src/x86/state';
import type { GeneralRegister, SegmentState, VcpuState } from '../../server/src/x86/state';
import { testProfile } from './oracle/profile';

export type LabMode =
  'real' | 'protected-16' | 'protected-32' | 'paging-32' | 'pae' | 'compatibility' | 'long';

export const GDT = 0x1000n;
export const IDT = 0x2000n;
export const TSS = 0x3000n;
export const STACK = 0x7000n;
export const CODE = 0x8000n;
export const DATA = 0x9000n;
/** The top-level table; what follows it depends on the mode. */
export const TABLES = 0x10000n;
const RAM = 0x400000n;

/** Selectors of the GDT that the lab writes. */
export const SELECTOR = {
  code16: 0x08,
  data16: 0x10,
  code32: 0x18,
  data: 0x20,
  code64: 0x28,
  user32: 0x30,
  userData: 0x38,
  tss: 0x40,
  spare: 0x50,
} as const;

const DESCRIPTORS: readonly bigint[] = [
  0n,
  0x00009b000000ffffn,
  0x000093000000ffffn,
  0x00cf9b000000ffffn,
  0x00cf93000000ffffn,
  0x00af9b000000ffffn,
  0x00cffb000000ffffn,
  0x00cff3000000ffffn,
  0x0000890030000067n,
  0n,
  0n,
  0n,
];

const flat = (selector: number, attributes: number, limit = 0xffffffff): SegmentState => ({
  selector,
  base: 0n,
  limit,
  attributes,
});

export interface LabOptions {
  readonly mode?: LabMode;
  readonly profile?: CpuProfile;
  readonly vcpus?: number;
  readonly quantum?: number;
  readonly bus?: Partial<Bus>;
}

/** What became of some code: the first fault, or null when HLT was reached. */
export interface Outcome {
  readonly fault: FaultRecord | null;
  readonly exit: Exit;
  readonly state: VcpuState;
}

export class Lab {
  readonly core: Core;
  readonly mode: LabMode;
  readonly trace: TraceEvent[] = [];

  constructor(options: LabOptions = {}) {
    this.mode = options.mode ?? 'protected-32';
    this.core = createCore({
      vcpus: options.vcpus ?? 1,
      profile: options.profile ?? testProfile(),
      ...(options.quantum === undefined ? {} : { quantum: options.quantum }),
      bus: {
        readPort: (_, size) => (size === 4 ? 0xffffffff : (1 << (8 * size)) - 1),
        writePort: () => undefined,
        readMmio: (_, size) => (1n << BigInt(8 * size)) - 1n,
        writeMmio: () => undefined,
        acknowledge: () => 0x20,
        readMsr: () => null,
        writeMsr: () => false,
        trace: (event) => this.trace.push(event),
        ...options.bus,
      },
    });
    this.core.map(0n, RAM, 'ram');
    DESCRIPTORS.forEach((descriptor, i) => this.put(GDT + BigInt(8 * i), descriptor, 8));
    this.writeTables();
    this.enter();
  }

  /** Little-endian bytes of a number to guest memory. */
  put(address: bigint, value: bigint | number, size: number): void {
    const bytes = Uint8Array.from({ length: size }, (_, i) =>
      Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * i)) & 0xffn),
    );
    if (!this.core.write(address, bytes)) throw new Error(`no memory at 0x${address.toString(16)}`);
  }

  get(address: bigint, size: number): bigint {
    const bytes = this.core.read(address, size);
    if (!bytes) throw new Error(`no memory at 0x${address.toString(16)}`);
    return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  /** Identity maps of the first 4 MiB in 4 KiB pages, for each kind of paging. */
  private writeTables(): void {
    const leaf = TABLES + 0x4000n;
    const wide = this.mode !== 'paging-32';
    const size = wide ? 8 : 4;
    for (let i = 0; i < 1024; i++) this.put(leaf + BigInt(size * i), BigInt(i) * 0x1000n + 7n, size);
    if (!wide) this.put(TABLES, leaf + 7n, 4);
    else if (this.mode === 'pae') {
      this.put(TABLES, TABLES + 0x3001n, 8);
    } else {
      this.put(TABLES, TABLES + 0x2007n, 8);
      this.put(TABLES + 0x2000n, TABLES + 0x3007n, 8);
    }
    if (wide) {
      this.put(TABLES + 0x3000n, leaf + 7n, 8);
      this.put(TABLES + 0x3008n, leaf + 0x1007n, 8);
    }
  }

  /** Where the paging entry of a 4 KiB page lies. */
  entryOf(address: bigint): bigint {
    return TABLES + 0x4000n + (address >> 12n) * (this.mode === 'paging-32' ? 4n : 8n);
  }

  private enter(): void {
    const { mode } = this;
    const state = this.core.state(0);
    const long = mode === 'long' || mode === 'compatibility';
    const paging = long || mode === 'pae' || mode === 'paging-32';
    if (mode === 'real') {
      const segment = flat(0, 0x93, 0xffff);
      const segments = { ...state.segments, cs: segment, ds: segment, es: segment, ss: segment };
      const general = { ...state.general, rsp: STACK };
      this.core.setState(0, { ...state, rip: CODE, segments, general, idtr: { base: IDT, limit: 0 } });
      return;
    }
    const cs =
      mode === 'protected-16'
        ? flat(SELECTOR.code16, 0x9b, 0xffff)
        : mode === 'long'
          ? flat(SELECTOR.code64, 0xa09b)
          : flat(SELECTOR.code32, 0xc09b);
    const data = mode === 'protected-16' ? flat(SELECTOR.data16, 0x93, 0xffff) : flat(SELECTOR.data, 0xc093);
    this.core.setState(0, {
      ...state,
      rip: CODE,
      cr0: paging ? 0x80010031n : 0x31n,
      cr3: TABLES,
      cr4: mode === 'pae' || long ? 0x20n : 0n,
      efer: long ? 0xd00n : 0n,
      gdtr: { base: GDT, limit: DESCRIPTORS.length * 8 - 1 },
      idtr: { base: IDT, limit: 0 },
      general: { ...state.general, rsp: STACK },
      segments: {
        ...state.segments,
        cs,
        ss: data,
        ds: data,
        es: data,
        fs: data,
        gs: data,
        tr: { selector: SELECTOR.tss, base: TSS, limit: 0x67, attributes: 0x8b },
      },
    });
  }

  /** Changes the state: general registers by name, and anything else of it. */
  set(registers: Partial<Record<GeneralRegister, bigint>>, rest: Partial<VcpuState> = {}, vcpu = 0): this {
    const state = this.core.state(vcpu);
    this.core.setState(vcpu, { ...state, ...rest, general: { ...state.general, ...registers } });
    return this;
  }

  segment(name: keyof VcpuState['segments'], change: Partial<SegmentState>): this {
    const state = this.core.state(0);
    const segments = { ...state.segments, [name]: { ...state.segments[name], ...change } };
    return this.set({}, { segments });
  }

  /** Runs code bytes (hex) from CODE, with HLT behind them, until HLT, a triple fault or `limit` instructions. */
  run(hex: string, limit = 1000): Outcome {
    const code = [...bytesOf(hex), 0xf4];
    if (!this.core.write(CODE, Uint8Array.from(code))) throw new Error('no memory for the code');
    return this.go(limit);
  }

  go(limit = 1000): Outcome {
    const exit = this.core.run(this.core.now + limit);
    const chain = exit.reason === 'shutdown' ? exit.faults : [];
    return { fault: chain[0] ?? null, exit, state: this.core.state(0) };
  }
}

export function bytesOf(hex: string): number[] {
  const digits = hex.replace(/\s/g, '');
  return Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** `#GP(0)` and the like; `ok` where no fault came. */
export function outcomeText({ fault, exit }: Outcome): string {
  if (!fault) return exit.reason === 'idle' ? 'ok' : exit.reason;
  const names: Record<number, string> = {
    0: '#DE',
    1: '#DB',
    5: '#BR',
    6: '#UD',
    7: '#NM',
    10: '#TS',
    11: '#NP',
    12: '#SS',
    13: '#GP',
    14: '#PF',
    16: '#MF',
    17: '#AC',
    19: '#XM',
    21: '#CP',
  };
  const name = names[fault.vector] ?? `#${fault.vector}`;
  return fault.errorCode === null ? name : `${name}(${fault.errorCode.toString(16)})`;
}

export const registersOf = (state: VcpuState): Record<string, bigint> =>
  Object.fromEntries(GENERAL_REGISTERS.map((name) => [name, state.general[name]]));
