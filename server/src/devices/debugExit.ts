/**
 * QEMU's isa-debug-exit: a write of `value` ends the VM, with the status (value << 1) | 1. By custom at port 0xF4, four
 * ports long; reads give 0 (hw/misc/debugexit.c).
 */
import type { Device, DeviceState } from './device';

export class DebugExit implements Device {
  readonly name = 'isa-debug-exit';
  readonly ports: readonly { start: number; end: number }[];

  constructor(
    base: number,
    private readonly exit: (value: number, status: number) => void,
  ) {
    this.ports = [{ start: base, end: base + 4 }];
  }

  readPort(): number {
    return 0;
  }

  writePort(_port: number, _size: number, value: number): void {
    // The host keeps 8 bits of a process's status.
    this.exit(value, ((value << 1) | 1) & 0xff);
  }

  reset(): void {
    // It has no state.
  }

  save(): DeviceState {
    return {};
  }

  restore(): void {
    // See reset.
  }
}
