/** Small devices of Propolis at single ports: fast A20, POST code, QEMU's debug port and pvpanic. */
import type { Device, DeviceState } from '../../devices/device';

const FAST_A20 = 0x92;
const POST_CODE = 0x80;
const DEBUG = 0x402;
/** QEMU_DEBUG_IDENT. */
const DEBUG_IDENT = 0xe9;
const PVPANIC = 0x505;
/** Host-handled and guest-handled panics are both taken. */
const PVPANIC_EVENTS = 0b11;

/** Only the first byte of a wider access counts; the others read as ones (pio.rs, handle_in). */
const firstByte = (value: number): number => (0xffffff00 | value) >>> 0;

/** Piix3Lpc::pio_rw: A20 is always on, and writes to port 0x92, a reset by it too, do nothing. */
export class Piix3Ports implements Device {
  readonly name = 'PIIX3 ports 0x80 and 0x92';
  readonly ports = [
    { start: POST_CODE, end: POST_CODE + 1 },
    { start: FAST_A20, end: FAST_A20 + 1 },
  ];
  private postCode = 0;

  readPort(port: number): number {
    return firstByte(port === FAST_A20 ? 0x02 : this.postCode);
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === POST_CODE) this.postCode = value & 0xff;
  }

  /** Piix3Lpc::reset leaves the POST code. */
  reset(): void {
    // Nothing.
  }

  save(): DeviceState {
    return { postCode: this.postCode };
  }

  restore(state: DeviceState): void {
    this.postCode = (state as { postCode: number }).postCode;
  }
}

/** QemuDebugPort: what is written goes to the file debug.out in the working directory. */
export class DebugOut implements Device {
  readonly name = 'QEMU debug port 0x402';
  readonly ports = [{ start: DEBUG, end: DEBUG + 1 }];

  constructor(private readonly write: (text: string) => void) {}

  readPort(): number {
    return firstByte(DEBUG_IDENT);
  }

  writePort(_port: number, _size: number, value: number): void {
    this.write(String.fromCharCode(value & 0xff));
  }

  reset(): void {
    // Nothing is kept.
  }

  save(): DeviceState {
    return {};
  }

  restore(): void {
    // See reset.
  }
}

/** QemuPvpanic with enable_isa: panics are counted, and the guest goes on. */
export class IsaPvpanic implements Device {
  readonly name = 'pvpanic at port 0x505';
  readonly ports = [{ start: PVPANIC, end: PVPANIC + 1 }];
  private panics = 0;

  readPort(): number {
    return firstByte(PVPANIC_EVENTS);
  }

  writePort(): void {
    this.panics++;
  }

  /** The device has no reset of its own. */
  reset(): void {
    // Nothing.
  }

  save(): DeviceState {
    return { panics: this.panics };
  }

  restore(state: DeviceState): void {
    this.panics = (state as { panics: number }).panics;
  }
}
