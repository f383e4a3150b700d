/** The states in which vmd starts a kernel that it loads itself, recognised in a register set. */
import { flat32, flat64, flatUnpaged } from '../../vmm/vmd/bootState';
import type { ElfEntry } from '../../vmm/vmd/exits';
import { register } from '../crashFacts';
import type { RegisterFacts } from './facts';

export type VmdEntryKind =
  /** amd64 kernels: compatibility mode (`vcpu_init_flat64`). */
  | 'flat64'
  /** i386 kernels: paging on, 4 MiB pages (loadfile_elf.c up to rev 1.51). */
  | 'flat32'
  /** Both kinds by the proposal of 2025-08-20: paging off. */
  | 'proposed'
  /** Both kinds since loadfile_elf.c rev 1.59 at the latest: paging off, CR3 and CR4 zero. */
  | 'unpaged';

/** What a version does with ELF kernels, by the states that this gives. */
export const STATES_OF: Readonly<Record<ElfEntry, readonly VmdEntryKind[]>> = {
  'by-class': ['flat64', 'flat32'],
  'unpaged-directory': ['proposed'],
  unpaged: ['unpaged'],
};

export interface VmdEntry {
  readonly kind: VmdEntryKind;
  /** Of CR0, CR3, CR4, EFER: those that the text has, all of which are vmd's. */
  readonly matching: readonly string[];
}

const COMPARED = ['cr0', 'cr3', 'cr4', 'efer'] as const;
type Compared = Readonly<Record<(typeof COMPARED)[number], bigint>>;

/** CR0 = ET|PE, the directory of 4 MiB pages in CR3, CR4 = PSE, EFER = 0 (tech@, 2025-08-20). */
const PROPOSED: Compared = { cr0: 0x11n, cr3: flat32(0n, 0n).cr3, cr4: 0x10n, efer: 0n };

const STATES: readonly (readonly [VmdEntryKind, Compared])[] = [
  ['flat64', flat64(0n, 0n)],
  ['flat32', flat32(0n, 0n)],
  ['proposed', PROPOSED],
];

/** Any boot loader may leave this one: it is vmd's only where the guest is. */
const UNPAGED: Compared = flatUnpaged(0n, 0n);

/**
 * Every value that the text has must be vmd's, CR0, CR4 and EFER among them. CR3 is what tells vmd from others: without
 * it one of the candidates must be vmd's.
 */
export function readVmdEntry(facts: RegisterFacts): VmdEntry | null {
  const cr3 = register(facts, 'cr3');
  const underVmd = facts.candidates.some(({ machine }) => machine.vmm === 'vmd');
  if (cr3 === undefined && !underVmd) return null;
  if (facts.codeSize?.long === true) return null;
  const states = underVmd ? [...STATES, ['unpaged', UNPAGED] as const] : STATES;
  for (const [kind, state] of states) {
    const matching = COMPARED.filter((name) => register(facts, name) !== undefined);
    if (!['cr0', 'cr4', 'efer'].every((name) => matching.includes(name as (typeof COMPARED)[number])))
      continue;
    if (matching.every((name) => register(facts, name) === state[name])) return { kind, matching };
  }
  return null;
}
