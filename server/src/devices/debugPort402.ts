/**
 * A debug console port as Bochs and QEMU have at 0x402: every byte written is text, and reading gives 0xE9, which is how
 * SeaBIOS finds out that it is there. An observation overlay: no VMM model has it.
 */
import type { Device, DeviceState } from './device';

const READ_BACK = 0xe9;

export class DebugPort implements Device {
  readonly name: string;
  readonly ports: readonly { start: number; end: number }[];

  constructor(
    port: number,
    private readonly write: (text: string) => void,
  ) {
    this.name = `debug port 0x${port.toString(16)}`;
    this.ports = [{ start: port, end: port + 1 }];
  }

  readPort(): number {
    return READ_BACK;
  }

  writePort(_port: number, _size: number, value: number): void {
    this.write(String.fromCharCode(value & 0xff));
  }

  reset(): void {
    // Nothing to forget: the text belongs to the run.
  }

  save(): DeviceState {
    return {};
  }

  restore(): void {
    // See reset.
  }
}
