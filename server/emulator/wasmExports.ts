/** What the WebAssembly instance offers (assembly/core.ts), as TypeScript sees it. Unsigned results come as signed numbers. */
import type { TranslationSink } from './translations';

export interface Exports extends TranslationSink {
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
  wakesByInterrupt(vcpu: number): number;
  switchTo(vcpu: number): void;
  slotsChanged(): void;
  pageForHost(gpa: bigint): number;
  allocatedPage(gpa: bigint): number;
  beforeHostWrite(gpa: bigint, size: number): void;
  setA20(on: number): void;
  setInterruptLine(up: number): void;
  setNmiLine(up: number): void;
  enterVirtualWireMode(vcpu: number): void;
  deliverMessage(vector: number, destination: number, logical: number, mode: number, level: number): number;
  rflagsOf(vcpu: number): number;
  stateChanged(flags: number): void;
  setSegment(number: number, selector: number, base: bigint, limit: number, attributes: number): void;
  setMsr(index: number, value: bigint): number;
  refreshPdptes(): void;
  clear(): void;
  restored(): void;
  restorePage(gpa: bigint): number;
  takePage(index: number): number;
  snapshotTaken(): void;
}
