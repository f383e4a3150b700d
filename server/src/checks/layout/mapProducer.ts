/** Who printed a memory map: what its oddities mean depends on it. */
import type { Document } from '../../machine/language';
import type { Machine } from '../../machine/machine';

/** True for a table of `bhyvectl --get-memmap`. */
export function isBhyvectl(machine: Machine): boolean {
  return machine.producer === 'bhyvectl';
}

/** VMMs that back the whole first MiB with RAM on purpose; the firmware makes the map that the guest sees. */
const BACK_THE_FIRST_MIB: ReadonlySet<string | null> = new Set(['bhyve', 'propolis']);

/** True where RAM below 1 MiB, through the VGA window and the BIOS, is as its VMM means it. */
export function backsFirstMib(document: Document, machine: Machine): boolean {
  return document.language === 'memmap' ? isBhyvectl(machine) : BACK_THE_FIRST_MIB.has(machine.vmm);
}
