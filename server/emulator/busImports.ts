/** What the WebAssembly of the core imports: a `Bus`, with 64-bit numbers as the unsigned ones that they are. */
import * as L from './assembly/layout';
import { REFUSED } from './face';
import type { CoreOptions, Ticks } from './face';
import { traceEvent } from './traceEvents';

/** The one object that unwinds the instruction in progress; cheap because it is made once. */
export const UNWIND = new Error('unwinding the instruction in progress');

/** What the imports need of the instance that calls them. */
export interface Calling {
  /** Of the instance's memory as it is now. */
  view(): DataView;
  /** The vCPU that runs. */
  current(): number;
  now(): Ticks;
}

/** A refused access, and a fault that the core raises, leave by a throw of UNWIND. */
export function busImports({ bus, profile }: CoreOptions, calling: Calling): WebAssembly.ModuleImports {
  const refuse = (): never => {
    calling.view().setUint32(L.UNWIND_CAUSE, L.CAUSE_REFUSED, true);
    throw UNWIND;
  };
  return {
    unwind: () => {
      throw UNWIND;
    },
    readPort: (port: number, size: 1 | 2 | 4, vcpu: number, flags: number) => {
      const value = bus.readPort(port, size, vcpu, flags);
      return value === REFUSED ? refuse() : value;
    },
    writePort: (port: number, size: 1 | 2 | 4, value: number, vcpu: number, flags: number) => {
      if (bus.writePort(port, size, value >>> 0, vcpu, flags) === REFUSED) refuse();
    },
    readMmio: (address: bigint, size: 1 | 2 | 4 | 8, vcpu: number) => {
      const value = bus.readMmio(BigInt.asUintN(64, address), size, vcpu);
      return value === REFUSED ? refuse() : value;
    },
    writeMmio: (address: bigint, size: 1 | 2 | 4 | 8, value: bigint, vcpu: number) => {
      const result = bus.writeMmio(BigInt.asUintN(64, address), size, BigInt.asUintN(size * 8, value), vcpu);
      if (result === REFUSED) refuse();
    },
    acknowledge: () => bus.acknowledge(calling.current()) & 0xff,
    readMsr: (index: number) => {
      const value = bus.readMsr(index >>> 0, calling.current());
      if (value === null) return 0;
      calling.view().setBigUint64(L.CPUID_ANSWER, BigInt.asUintN(64, value), true);
      return 1;
    },
    writeMsr: (index: number, value: bigint) =>
      bus.writeMsr(index >>> 0, BigInt.asUintN(64, value), calling.current()) ? 1 : 0,
    cpuid: (leaf: number, subleaf: number) => {
      const answer = profile.cpuid(leaf >>> 0, subleaf >>> 0, calling.current());
      answer.forEach((word, i) => calling.view().setUint32(L.CPUID_ANSWER + 4 * i, word, true));
    },
    hypercall: (number: bigint, cpl: number) => {
      const answer = bus.hypercall?.(BigInt.asUintN(64, number), cpl, calling.current()) ?? null;
      if (answer === null) return 0;
      calling.view().setBigUint64(L.CPUID_ANSWER, BigInt.asUintN(64, answer), true);
      return 1;
    },
    interprocessorInterrupt: (icr: bigint) => {
      const answer = bus.interprocessorInterrupt?.(BigInt.asUintN(64, icr), calling.current());
      if (answer === REFUSED) refuse();
      return answer === 'sent' ? 1 : 0;
    },
    endOfInterrupt: (vector: number) => bus.endOfInterrupt?.(vector, calling.current()),
    trace: (kind: number, where: number, a: bigint, b: bigint, c: bigint) => {
      const details = [BigInt.asUintN(64, a), BigInt.asUintN(64, b), BigInt.asUintN(64, c)] as const;
      const event = traceEvent(calling.view(), calling.now(), kind, where, details);
      if (event) bus.trace?.(event);
    },
  };
}
