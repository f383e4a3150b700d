/** VMRUN's consistency checks on the guest state; a violation ends it with VMEXIT_INVALID (APM vol. 2, 15.5.1, “Canonicalization and Consistency Checks”). */
import { hex } from '../../address/format';
import { bit, listBits, unnamedBits } from '../bitField';
import { CR4, EFER } from '../controlRegisters';
import type { EntryCheck, GuestState } from './guestState';

const SOURCE = 'APM vol. 2, 15.5.1, “Canonicalization and Consistency Checks”';
const CD = 30;
const NW = 29;
const PG = 31;
const PAE = 5;

/** Whether EFER.LME and CR0.PG are both 1: the guest is to run in long mode. */
function longMode({ efer, cr0 }: GuestState): boolean | undefined {
  return efer === undefined || cr0 === undefined ? undefined : bit(efer, 8) && bit(cr0, PG);
}

export const VMRUN_CHECKS: readonly EntryCheck[] = [
  {
    id: 'A1',
    rule: 'CR0.NW needs CR0.CD, and CR0 has no bit above 31',
    source: SOURCE,
    holds: ({ cr0 }) => {
      if (cr0 === undefined) return undefined;
      if (bit(cr0, NW) && !bit(cr0, CD)) return `CR0 ${hex(cr0)} has NW=1 with CD=0`;
      return cr0 >> 32n === 0n ? null : `CR0 ${hex(cr0)} has bits above 31`;
    },
  },
  {
    id: 'A2',
    rule: 'in long mode CR3 has no bit at or above the physical-address width',
    source: SOURCE,
    holds: (guest, { physicalWidth }) => {
      const long = longMode(guest);
      if (guest.cr3 === undefined || long === undefined) return undefined;
      return long && guest.cr3 >> BigInt(physicalWidth) !== 0n
        ? `CR3 ${hex(guest.cr3)} has bits at or above MAXPHYADDR ${physicalWidth}`
        : null;
    },
  },
  {
    id: 'A3',
    rule: 'CR4 has no must-be-zero bit',
    source: SOURCE,
    holds: ({ cr4 }) => {
      if (cr4 === undefined) return undefined;
      const reserved = unnamedBits(cr4, CR4, 64);
      return reserved.length === 0
        ? null
        : `CR4 ${hex(cr4)} has ${listBits(reserved)} set, which no CPU defines`;
    },
  },
  {
    id: 'A4',
    rule: 'DR6 and DR7 have no bit above 31',
    source: SOURCE,
    holds: ({ dr }) => {
      if (dr?.[6] === undefined || dr[7] === undefined) return undefined;
      for (const number of [6, 7] as const)
        if (dr[number]! >> 32n !== 0n) return `DR${number} ${hex(dr[number]!)} has bits above 31`;
      return null;
    },
  },
  {
    id: 'A5',
    rule: 'EFER has no must-be-zero bit',
    source: SOURCE,
    holds: ({ efer }) => {
      if (efer === undefined) return undefined;
      const reserved = unnamedBits(efer, EFER, 64);
      return reserved.length === 0
        ? null
        : `EFER ${hex(efer)} has ${listBits(reserved)} set, which no CPU defines`;
    },
  },
  {
    id: 'A6',
    rule: 'long mode (EFER.LME and CR0.PG) needs CR4.PAE and CR0.PE',
    source: SOURCE,
    holds: (guest) => {
      const { cr0, cr4 } = guest;
      const long = longMode(guest);
      if (long === undefined || cr0 === undefined) return undefined;
      if (long && !bit(cr0, 0)) return `CR0 ${hex(cr0)} has PE=0 with PG=1 and EFER.LME=1`;
      if (long && cr4 !== undefined && !bit(cr4, PAE))
        return `CR4 ${hex(cr4)} has PAE=0 with CR0.PG=1 and EFER.LME=1`;
      return cr4 === undefined ? undefined : null;
    },
  },
  {
    id: 'A7',
    rule: 'in long mode CS has not both L and D',
    source: SOURCE,
    holds: (guest) => {
      const long = longMode(guest);
      const cs = guest.segments?.cs;
      if (long === undefined || cs === undefined) return undefined;
      return long && (cs.attributes & 0x6000) === 0x6000
        ? `CS has access rights ${hex(cs.attributes)}: L and D are both 1`
        : null;
    },
  },
];
