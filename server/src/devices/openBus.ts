/** What a read gives where nothing drives the data lines of a bus. */

/** All ones in `size` bytes. */
export function allOnes(size: number): bigint {
  return (1n << BigInt(8 * size)) - 1n;
}
