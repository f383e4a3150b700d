/** Which device answers a port or a physical address. */
import type { Device } from '../devices/device';

const PORTS = 0x10000;
const NOBODY = 255;

export class AddressDecode {
  private readonly portOwner = new Uint8Array(PORTS);
  /** Numbers are exact: physical addresses have 52 bits at most. */
  private readonly spans: readonly { start: number; end: number; device: Device }[];

  /** Of two devices with the same port the earlier one answers. At most 255 devices. */
  constructor(private readonly devices: readonly Device[]) {
    this.placePorts();
    this.spans = devices
      .flatMap((device) =>
        (device.mmio ?? []).map(({ start, end }) => ({ start: Number(start), end: Number(end), device })),
      )
      .sort((a, b) => a.start - b.start);
  }

  /** Asks the devices for their ports again: some are where the guest puts them. */
  placePorts(): void {
    this.portOwner.fill(NOBODY);
    this.devices.forEach((device, index) => {
      for (const { start, end } of device.ports ?? []) {
        for (let port = start; port < end; port++) {
          if (this.portOwner[port] === NOBODY) this.portOwner[port] = index;
        }
      }
    });
  }

  atPort(port: number): Device | null {
    const owner = this.portOwner[port] ?? NOBODY;
    return owner === NOBODY ? null : this.devices[owner]!;
  }

  /** By bisection; spans do not overlap. */
  atAddress(address: number): Device | null {
    let low = 0;
    let high = this.spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.spans[middle]!.end <= address) low = middle + 1;
      else high = middle;
    }
    const span = this.spans[low];
    return span && address >= span.start ? span.device : null;
  }
}
