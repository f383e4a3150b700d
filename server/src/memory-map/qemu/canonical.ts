/** Linear addresses as QEMU's monitor prints them: the upper half of the space sign-extended (addr_canonical). */
import { ADDRESS_SPACE_END, type AddressRange } from '../../address/range';

/** Bits of a linear address with four levels of page tables, and with five. */
type LinearBits = 48 | 57;

/** Whether addresses are of four levels or five: only five have bits between 47 and 56 that are no copies of bit 47. */
export function bitsOf(addresses: Iterable<bigint>): LinearBits {
  for (const address of addresses) {
    const high = address >> 47n;
    if (high !== 0n && high !== 0x1ffffn) return 57;
  }
  return 48;
}

/** The canonical form of an address of so many bits; higher bits are ignored. */
function extended(address: bigint, bits: LinearBits): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(bits, address));
}

/**
 * The linear addresses of a range that is printed as a canonical start and a size, which QEMU sign-extends too. The page
 * tables do not know of the hole in the middle of the space, so a range that crosses it is two; one of 32-bit addresses is
 * as it stands.
 */
export function linearRanges(start: bigint, size: bigint, bits: LinearBits): AddressRange[] {
  const mask = (1n << BigInt(bits)) - 1n;
  const half = 1n << BigInt(bits - 1);
  const [low, length] = [start & mask, size & mask];
  // The whole space has as many bytes as none.
  const end = low + (length === 0n && size !== 0n ? mask + 1n : length);
  if (low >= half || end <= half) {
    const from = extended(low, bits);
    return [{ start: from, end: from + (end - low) }];
  }
  return [
    { start: low, end: half },
    { start: ADDRESS_SPACE_END - half, end: ADDRESS_SPACE_END - half + (end - half) },
  ];
}
