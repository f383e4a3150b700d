/** Page tables that map the first 4 GiB identically, for a kernel that is entered in 64-bit mode (SDM vol. 3, 4.5). */
import { PAGE } from '../../address/range';

const GIBS = 4n;
const ENTRIES = 512n;
const PRESENT_WRITABLE = 3n;
const LARGE = 0x80n;
const TWO_MIB = 0x200000n;

/** PML4, one page directory pointer table, and a page directory of 2 MiB pages for each GiB. */
export const IDENTITY_TABLES_SIZE = Number((2n + GIBS) * PAGE);

/** @param at physical address of the tables, which begin with the PML4 */
export function identityTables(at: bigint): Uint8Array {
  const bytes = new Uint8Array(IDENTITY_TABLES_SIZE);
  const view = new DataView(bytes.buffer);
  const pointers = PAGE;
  const directories = 2n * PAGE;
  const put = (offset: bigint, value: bigint) => view.setBigUint64(Number(offset), value, true);
  put(0n, (at + pointers) | PRESENT_WRITABLE);
  for (let i = 0n; i < GIBS; i++) put(pointers + 8n * i, (at + directories + i * PAGE) | PRESENT_WRITABLE);
  for (let i = 0n; i < GIBS * ENTRIES; i++) {
    put(directories + 8n * i, (i * TWO_MIB) | LARGE | PRESENT_WRITABLE);
  }
  return bytes;
}
