/** Port 0x84 (post.c): firmware reads it and gets all ones; a write is refused before it comes here. */
import type { Device, DeviceState } from '../../devices/device';

export class PostCodes implements Device {
  readonly name = 'POST codes';
  readonly ports = [{ start: 0x84, end: 0x85 }];

  readPort(): number {
    return 0xff;
  }

  reset(): void {}

  save(): DeviceState {
    return {};
  }

  restore(): void {}
}
