/** A machine under another VMM, or another version of its own: the same guest, its memory laid out anew. */
import type { Machine } from '../machine/machine';
import type { VmmModel } from './model';

/**
 * The machine as this model would build it. A machine of a config is laid out anew; a memory map, which says where memory is
 * and not how much, keeps its regions.
 */
export function underModel(machine: Machine, model: VmmModel, version: string): Machine {
  const moved = { ...machine, vmm: model.name, version };
  return machine.memory === null ? moved : { ...moved, regions: model.layOut(machine, version) };
}
