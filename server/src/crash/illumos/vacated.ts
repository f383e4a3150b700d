/** A panic while a guest's memory was taken out of its second-level page table. */
import { bit } from '../../x86/bitField';
import { frameOf } from '../../x86/pageTableEntry';
import { frameNamed, type PanicFacts } from './facts';
import type { IllumosFrame } from './panic';

export interface Vacation {
  /** The frame that vacates, where the text has a stack. */
  readonly frame: IllumosFrame | null;
  /** What the kernel was about: `the destruction of the VM`; null where the stack does not tell. */
  readonly operation: string | null;
  /** The VM is destroyed, as opposed to restarted. */
  readonly destroys: boolean;
  /** The live entry that was found where none should be. */
  readonly entry: bigint;
  /** Whose nested paging, by the names in the stack (vmm_sol_rvi.c, vmm_sol_ept.c); null where they do not tell. */
  readonly vendor: 'AMD' | 'Intel' | null;
}

const DESTRUCTION = 'the destruction of the VM';

/** Outermost frames first: the widest operation names it. */
const OPERATIONS: readonly (readonly [RegExp, string])[] = [
  [/^vmmdev_do_vm_destroy$|^vmm_(?:do_)?vm_destroy|^vmm_destroy/, DESTRUCTION],
  [/^vm_reinit$/, 'the reset of the VM'],
  [
    /^(?:vm_free_memmap|vm_map_remove|vm_munmap_memseg|vm_cleanup|vmspace_unmap|vmc_space_unmap)$/,
    'the removal of a mapping',
  ],
];

const VACATES = /^vmm_gpt_(?:vacate|unmap)/;

/** `ptes[i] == 0` failed in vmm_gpt.c: an entry was live in a table that should be empty. Null for any other panic. */
export function readVacation(facts: PanicFacts): Vacation | null {
  const { assertion, frames } = facts.panic;
  if (!assertion || !/(?:^|\/)vmm_gpt\.c$/.test(assertion.file)) return null;
  if (!/\bptes\[\w{1,16}\] == 0\b/.test(assertion.expression)) return null;
  const entry = assertion.operands?.left;
  if (entry === undefined || !bit(entry, 0)) return null;
  const frame = frameNamed(facts, VACATES) ?? null;
  // A stack without the function is another path to the same words.
  if (frames.length > 0 && !frame) return null;
  const operation = OPERATIONS.find(([pattern]) => frameNamed(facts, pattern))?.[1] ?? null;
  const destroys = operation === DESTRUCTION;
  const vendor = frameNamed(facts, /^rvi_/) ? 'AMD' : frameNamed(facts, /^ept_/) ? 'Intel' : null;
  return { frame, operation, destroys, entry, vendor };
}

/** The host-physical page that a leaf entry of either vendor maps: bits 51:12 in both layouts. */
export function hostFrame(entry: bigint): bigint {
  return frameOf(entry, 'pt');
}
