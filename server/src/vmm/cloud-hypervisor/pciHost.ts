/**
 * The PCI bus with its host bridge alone, by ports 0xCF8 to 0xCFF and by the ECAM (pci/src/bus.rs). Bus 0 is the only one, and a
 * device has function 0 alone: the ports answer all ones for others, the ECAM does not look at the function.
 */
import type { Device, DeviceState } from '../../devices/device';
import { allOnes } from '../../devices/openBus';
import { ECAM, ECAM_PER_SEGMENT } from './addresses';

const ADDRESS = 0xcf8;
const DATA = 0xcfc;
const REGISTERS = 1024;
const ALL_ONES = 0xffffffff;
/** PciRoot: Intel, DEVICE_ID_INTEL_VIRT_PCIE_HOST; a host bridge; subsystem 0. */
const IDENTITY = ((0x0d57 << 16) | 0x8086) >>> 0;
const CLASS = 0x06000000;
/** Command, cache line size, interrupt line. */
const WRITABLE: ReadonlyMap<number, number> = new Map([
  [1, 0x0000ffff],
  [3, 0x000000ff],
  [15, 0x000000ff],
]);

export class PciHost implements Device {
  readonly name = 'PCI host bridge';
  readonly ports = [{ start: ADDRESS, end: ADDRESS + 8 }];
  readonly mmio = [{ start: ECAM.start, end: ECAM.start + ECAM_PER_SEGMENT }];
  private address = 0;
  private registers = powerOn();

  readPort(port: number, size: 1 | 2 | 4): number {
    const value = port < DATA ? this.address : this.read(this.ofAddress(true));
    return part(value, port & 3, size);
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port < DATA) this.setAddress(port & 3, size, value);
    else this.write(this.ofAddress(false), port & 3, size, value);
  }

  readMmio(address: bigint, size: 1 | 2 | 4 | 8): bigint {
    const offset = Number(address - ECAM.start);
    if (size === 8 || (offset & 3) + size > 4) return allOnes(size);
    return BigInt(part(this.read(ofEcam(offset)), offset & 3, size));
  }

  writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void {
    const offset = Number(address - ECAM.start);
    if (size !== 8) this.write(ofEcam(offset), offset & 3, size, Number(value & 0xffffffffn));
  }

  reset(): void {
    this.address = 0;
    this.registers = powerOn();
  }

  save(): DeviceState {
    return { address: this.address, registers: this.registers.slice() };
  }

  restore(state: DeviceState): void {
    const saved = state as { address: number; registers: Uint32Array };
    this.address = saved.address;
    this.registers = saved.registers.slice();
  }

  /** PciConfigIo::set_config_address: a word is shifted by 16 bits for each byte of its offset, as the source does it. */
  private setAddress(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset + size > 4) return;
    if (size === 4) {
      this.address = value >>> 0;
      return;
    }
    const shift = offset * 8 * size;
    if (shift >= 32) return;
    const mask = ((2 ** (8 * size) - 1) << shift) >>> 0;
    this.address = ((this.address & ~mask) | ((value << shift) & mask)) >>> 0;
  }

  /** The register that CONFIG_ADDRESS selects, or null. Reads look at the function; writes do not. */
  private ofAddress(reads: boolean): number | null {
    const { address } = this;
    const [bus, device, fn] = [(address >>> 16) & 0xff, (address >>> 11) & 0x1f, (address >>> 8) & 7];
    if (address < 0x80000000 || bus !== 0 || device !== 0 || (reads && fn !== 0)) return null;
    return (address >>> 2) & 0x3f;
  }

  private read(register: number | null): number {
    return register === null ? ALL_ONES : this.registers[register]!;
  }

  private write(register: number | null, offset: number, size: 1 | 2 | 4, value: number): void {
    if (register === null || offset + size > 4) return;
    const writable = WRITABLE.get(register) ?? 0;
    const mask = (size === 4 ? ALL_ONES : ((2 ** (8 * size) - 1) << (8 * offset)) >>> 0) & writable;
    const shifted = value << (8 * offset);
    this.registers[register] = (this.registers[register]! & ~mask) | (shifted & mask);
  }
}

function powerOn(): Uint32Array {
  const registers = new Uint32Array(REGISTERS);
  registers[0] = IDENTITY;
  registers[2] = CLASS;
  return registers;
}

/** Within one segment there are no other buses than 0. */
function ofEcam(offset: number): number | null {
  return ((offset >>> 15) & 0x1f) === 0 && offset >>> 20 === 0 ? (offset >>> 2) & 0x3ff : null;
}

/** `size` bytes of a register from `offset` on; all ones where they reach beyond it. */
function part(value: number, offset: number, size: 1 | 2 | 4): number {
  if (offset + size > 4) return size === 4 ? ALL_ONES : 2 ** (8 * size) - 1;
  return size === 4 ? value >>> 0 : (value >>> (8 * offset)) & (2 ** (8 * size) - 1);
}
