/** A process's pages under 4-level paging, and the kernel's corner of them: tables, stacks and the entry points of traps. */
import type { Core } from '../../../../server/emulator/face';

const PAGE = 0x1000n;
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ENTRIES = 0x000ffffffffff000n;
/** The top-level table; pages are handed out behind it. */
export const PML4 = 0x1000n;
/** Physical RAM of the machine, in bytes. */
export const RAM = 0x8000000n;
/** Where the kernel's pages lie, for the supervisor only. */
export const KERNEL = 0xffff800000000000n;
/** Bytes of it, mapped to physical addresses from `KERNEL_PHYSICAL` on. */
const KERNEL_SIZE = 0x20000n;
const KERNEL_PHYSICAL = 0x100000n;

export class AddressSpace {
  private next = 0x200000n;
  private nextTable = PML4 + PAGE;

  constructor(private readonly core: Core) {
    for (let at = 0n; at < KERNEL_SIZE; at += PAGE)
      this.entry(KERNEL + at, KERNEL_PHYSICAL + at, PRESENT | WRITABLE);
  }

  /** Maps `[start, start + size)` with zeroed pages where nothing is mapped yet. */
  map(start: bigint, size: bigint, writable = true): void {
    for (let page = start & ~(PAGE - 1n); page < start + size; page += PAGE) {
      if (this.physical(page) !== null) continue;
      if (this.next >= RAM) throw new Error('the program needs more memory than the machine has');
      this.entry(page, this.next, PRESENT | USER | (writable ? WRITABLE : 0n));
      this.next += PAGE;
    }
  }

  /** Makes the pages of `[start, start + size)` writable or read-only. */
  protect(start: bigint, size: bigint, writable: boolean): void {
    for (let page = start; page < start + size; page += PAGE) {
      const physical = this.physical(page);
      if (physical !== null) this.entry(page, physical, PRESENT | USER | (writable ? WRITABLE : 0n));
    }
  }

  read(linear: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.each(linear, length, (physical, from, count) => {
      const part = this.core.read(physical, count);
      if (part) bytes.set(part, from);
    })
      ? bytes
      : null;
  }

  /** False where a byte is not mapped; what lies before it is written. */
  write(linear: bigint, bytes: Uint8Array): boolean {
    return this.each(linear, bytes.length, (physical, from, count) =>
      this.core.write(physical, bytes.subarray(from, from + count)),
    );
  }

  number(linear: bigint, size: 2 | 4 | 8): bigint {
    const bytes = this.read(linear, size);
    if (!bytes) throw new Error(`nothing is mapped at 0x${linear.toString(16)}`);
    return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  put(linear: bigint, value: bigint | number, size: 1 | 2 | 4 | 8): boolean {
    const bits = BigInt.asUintN(64, BigInt(value));
    return this.write(
      linear,
      Uint8Array.from({ length: size }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn)),
    );
  }

  private each(
    linear: bigint,
    length: number,
    use: (physical: bigint, from: number, count: number) => void,
  ): boolean {
    for (let done = 0; done < length;) {
      const at = linear + BigInt(done);
      const page = this.physical(at);
      if (page === null) return false;
      const count = Math.min(length - done, Number(PAGE - (at & (PAGE - 1n))));
      use(page | (at & (PAGE - 1n)), done, count);
      done += count;
    }
    return true;
  }

  /** The physical page behind a linear address. */
  private physical(linear: bigint): bigint | null {
    let table = PML4;
    for (let shift = 39n; shift >= 12n; shift -= 9n) {
      const entry = this.quad(table + 8n * ((linear >> shift) & 511n));
      if ((entry & PRESENT) === 0n) return null;
      table = entry & ENTRIES;
    }
    return table;
  }

  private entry(linear: bigint, physical: bigint, rights: bigint): void {
    let table = PML4;
    for (let shift = 39n; shift > 12n; shift -= 9n) {
      const at = table + 8n * ((linear >> shift) & 511n);
      if ((this.quad(at) & PRESENT) === 0n) {
        if (this.nextTable >= KERNEL_PHYSICAL) throw new Error('no room for page tables');
        this.setQuad(at, this.nextTable | PRESENT | WRITABLE | USER);
        this.nextTable += PAGE;
      }
      table = this.quad(at) & ENTRIES;
    }
    this.setQuad(table + 8n * ((linear >> 12n) & 511n), physical | rights);
  }

  private quad(address: bigint): bigint {
    const bytes = this.core.read(address, 8);
    return bytes ? new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true) : 0n;
  }
  private setQuad(address: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.core.write(address, bytes);
  }
}
