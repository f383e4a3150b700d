/** The guest-physical addresses that a Linux oops has, by the roles of its values. */
import { hex } from '../../address/format';
import { GIB, MIB } from '../../address/range';
import { bit } from '../../x86/bitField';
import { frameOf, isLeaf, type TableLevel } from '../../x86/pageTableEntry';
import { register, type CrashFacts } from '../crashFacts';
import { tableBase, type GuestPhysical } from '../locate';
import type { OopsFacts } from './facts';
import type { PageWalkEntry } from './oops';
import { DEFAULT_DIRECT_MAP } from './reboot';

const DIRECT_MAP_END = 0xffffc88000000000n;

/**
 * True where linear addresses are guest-physical ones: RIP below 4 GiB on a page table in the first MiB is Linux's
 * trampoline, which maps low memory one to one.
 */
export function isIdentityMapped(facts: CrashFacts): boolean {
  const rip = register(facts, 'rip');
  const cr3 = register(facts, 'cr3');
  return rip !== undefined && cr3 !== undefined && rip < 4n * GIB && tableBase(cr3) < MIB;
}

/** The guest-physical addresses that the dump has, most certain first. Host addresses and kernel pointers are none. */
export function guestPhysicalAddresses(facts: OopsFacts): GuestPhysical[] {
  const found: GuestPhysical[] = [];
  const cr3 = register(facts, 'cr3');
  if (cr3 !== undefined) {
    found.push({
      what: 'CR3 page table',
      address: tableBase(cr3),
      role: 'certain',
      why: 'certain: CR3 holds the guest-physical address of the top page table',
      register: 'cr3',
    });
  }
  found.push(...walkAddresses(facts.oops.walk));
  if (isIdentityMapped(facts)) {
    const assumption =
      'if identity-mapped: RIP below 4 GiB on a page table in the first MiB, as on Linux’s trampoline';
    // The trampoline maps the first GiB at least; a fault beyond it is at no guest-physical address.
    for (const [name, what, end] of [
      ['rip', 'RIP', 4n * GIB],
      ['cr2', 'CR2', GIB],
    ] as const) {
      const address = register(facts, name);
      if (address !== undefined && address < end) {
        found.push({ what, address, role: 'identity-mapped', why: assumption, register: name });
      }
    }
  }
  const blob = facts.reboot?.blob;
  if (blob) {
    found.push({
      what: 'real-mode blob',
      address: blob.physical,
      role: 'derived',
      why: `derived: ${blob.pointer.register.toUpperCase()} ${hex(blob.pointer.value)} less the direct map base ${hex(blob.directMap)}, taken as the multiple of 1 GiB below it`,
      register: blob.pointer.register,
    });
  }
  const fault = facts.oops.faultAddress;
  if (fault !== null && fault >= DEFAULT_DIRECT_MAP && fault < DIRECT_MAP_END) {
    found.push({
      what: 'fault address',
      address: fault - DEFAULT_DIRECT_MAP,
      role: 'derived',
      why: `derived: ${hex(fault)} less the direct map base ${hex(DEFAULT_DIRECT_MAP)}, right only without KASLR`,
      register: 'cr2',
    });
  }
  return found;
}

const WALK_LEVELS: Readonly<Record<PageWalkEntry['level'], TableLevel>> = {
  PGD: 'pml4',
  P4D: 'pml4',
  PUD: 'pdpt',
  PMD: 'pd',
  PTE: 'pt',
};

/** What the kernel's page walk points to. A P4D that repeats the PGD is a folded level. */
function walkAddresses(walk: readonly PageWalkEntry[]): GuestPhysical[] {
  const found: GuestPhysical[] = [];
  let before: bigint | null = null;
  for (const { level, value } of walk) {
    const folded = level === 'P4D' && value === before;
    before = value;
    if (folded || !bit(value, 0)) continue;
    const tableLevel = WALK_LEVELS[level];
    found.push({
      what: isLeaf(value, tableLevel) ? `page of the fault (${level})` : `table of the ${level} entry`,
      address: frameOf(value, tableLevel),
      role: 'certain',
      why: `certain: the ${level} entry ${hex(value)} of the guest’s own tables`,
      register: 'cr2',
    });
  }
  return found;
}
