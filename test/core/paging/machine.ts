/**
 * A machine for tests of paging: a code page that every paging mode maps, a pool of page tables, and a bus that answers
 * every physical address outside RAM and remembers who asked.
 */
import { CODE, Lab, TABLES, bytesOf } from '../lab';
import { testProfile } from '../oracle/profile';
import type { CpuProfile, FaultRecord } from '../../../server/emulator/face';
import { BIT, modeOf, type Cpu, type Paging } from './walker';

/** Physical addresses: the tables that map the code, then the pool for what a test invents. */
export const CODE_TABLES = TABLES;
export const POOL = TABLES + 0x6000n;
export const POOL_PAGES = 8;
export const TABLES_END = POOL + BigInt(POOL_PAGES) * 0x1000n;
/** RAM of the lab ends here; leaves point into [DATA_RAM, RAM_END) or beyond. */
export const DATA_RAM = 0x200000n;
export const RAM_END = 0x400000n;

const FLAGS = 0x67n; // P, R/W, U/S, A, D

/** A profile with everything that paging can use; CPUID says the same as the features. */
export function pagingProfile(cpu: Cpu): CpuProfile {
  return testProfile({
    vendor: cpu.amd ? 'amd' : 'intel',
    physicalWidth: cpu.width,
    features: { pages1g: cpu.pages1g, smep: true, smap: true, pcid: true },
    with: ['PKU', 'LA57', 'PKS', 'INVPCID', ...(cpu.pse36 ? (['PSE-36'] as const) : [])],
    without: cpu.pse36 ? [] : ['PSE-36'],
  });
}

/** One access of the CPU outside RAM. */
export interface BusAccess {
  readonly address: bigint;
  readonly size: number;
  /** Null for a read. */
  readonly value: bigint | null;
}

export class PagingMachine {
  readonly lab: Lab;
  readonly cpu: Cpu;
  readonly log: BusAccess[] = [];
  /** What device memory answers, byte by byte. */
  answers = new Map<bigint, number>();
  /** PKRU or IA32_PKRS is not zero. */
  keysSet = false;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.lab = new Lab({
      mode: 'protected-32',
      profile: pagingProfile(cpu),
      bus: {
        readMmio: (address, size) => {
          this.log.push({ address, size, value: null });
          let value = 0n;
          for (let i = 0; i < size; i++)
            value |= BigInt(this.answers.get(address + BigInt(i)) ?? 0) << BigInt(8 * i);
          return value;
        },
        writeMmio: (address, size, value) => void this.log.push({ address, size, value }),
      },
    });
  }

  /** PKRU and IA32_PKRS, by instructions: they are no part of the state that a test can set. */
  setKeys(pkru: bigint, pkrs: bigint): void {
    const { lab } = this;
    const state = lab.core.state(0);
    const segments = { ...state.segments };
    segments.cs = { ...segments.cs, attributes: 0xc09b };
    segments.ss = { ...segments.ss, attributes: 0xc093 };
    for (const [code, value, rcx] of [
      ['0f01ef', pkru, 0n],
      ['0f30', pkrs, 0x6e1n],
    ] as const) {
      const general = { ...state.general, rax: value, rcx, rdx: 0n };
      lab.core.setState(0, {
        ...state,
        segments,
        general,
        rip: CODE,
        cr0: 0x31n,
        cr4: BIT(22),
        efer: 0n,
        rflags: 2n,
      });
      this.step(code);
    }
    this.keysSet = (pkru | pkrs) !== 0n;
  }

  /** The byte that was written last to a device address. */
  lastWritten(address: bigint): bigint | null {
    for (const { address: at, size, value } of [...this.log].reverse())
      if (value !== null && address >= at && address < at + BigInt(size))
        return (value >> (8n * (address - at))) & 0xffn;
    return null;
  }

  /** Executes one instruction at CODE (or wherever RIP is, without code). Returns its fault. */
  step(code = ''): FaultRecord | null {
    const { core } = this.lab;
    if (code !== '') core.write(CODE, Uint8Array.from(bytesOf(code)));
    const before = core.now;
    core.run(before + 1);
    const last = core.faults(0).at(-1);
    return last && last.at >= before ? last : null;
  }

  /** The tables that map linear CODE onto itself, as a supervisor or user page. Returns the address of each entry. */
  mapCode(paging: Pick<Paging, 'cr0' | 'cr3' | 'cr4' | 'efer'>, user: boolean): Set<bigint> {
    const mode = modeOf(paging);
    const entries = new Set<bigint>();
    if (mode === 'none') return entries;
    const wide = mode !== '32-bit';
    const levels = { none: 0, '32-bit': 2, PAE: 3, '4-level': 4, '5-level': 5 }[mode];
    let table = mode === 'PAE' ? paging.cr3 & 0xffffffe0n : CODE_TABLES;
    for (let level = levels; level > 0; level--) {
      const at = level > 1 ? table : table + (CODE >> 12n) * (wide ? 8n : 4n);
      const next = level > 1 ? CODE_TABLES + BigInt(levels - level + 1) * 0x1000n : CODE;
      const flags = mode === 'PAE' && level === 3 ? 1n : level === 1 && !user ? FLAGS & ~4n : FLAGS;
      this.lab.put(at, next | flags, wide ? 8 : 4);
      entries.add(at);
      table = next;
    }
    return entries;
  }

  /** Reads an entry as the CPU would: from RAM, else from the bus, but without a trace of it. */
  peek(at: bigint, size: number): bigint {
    if (at + BigInt(size) <= RAM_END) return this.lab.get(at, size);
    let value = 0n;
    for (let i = 0; i < size; i++) value |= BigInt(this.answers.get(at + BigInt(i)) ?? 0) << BigInt(8 * i);
    return value;
  }

  /** All zero again: tables and what the bus remembers. */
  clear(): void {
    this.lab.core.write(CODE_TABLES, new Uint8Array(Number(TABLES_END - CODE_TABLES)));
    this.log.length = 0;
    this.answers = new Map();
  }
}
