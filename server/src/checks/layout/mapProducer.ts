/** Who printed a memory map: what its oddities mean depends on it. */
import type { Document } from '../../machine/language';
import type { Machine } from '../../machine/machine';

/** True for a table of `bhyvectl --get-memmap`; its reader names the map so. */
export function isBhyvectl(document: Document, machine: Machine): boolean {
  return document.language === 'memmap' && machine.name.startsWith('bhyvectl');
}
