/** What is no register: activity, interruptibility, link pointer (SDM vol. 3C, “Checks on Guest Non-Register State”), PDPTEs. */
import { hex } from '../../address/format';
import { entersIa32e, type EntryCheck, type GuestState, type Outcome } from './guestState';

const SOURCE = 'SDM vol. 3C, “Checks on Guest Non-Register State”';
const STI = 1;
const MOV_SS = 2;
const ACTIVITIES = ['active', 'HLT', 'shutdown', 'wait-for-SIPI'];
const EXTERNAL = 0;
const NMI = 2;
const HARDWARE_EXCEPTION = 3;
const OTHER_EVENT = 7;
const DB = 1;
const MC = 18;
/** Reserved in a present PDPTE below the physical-address width: bits 2:1 and 8:5. */
const PDPTE_RESERVED = 0x1e6n;

function injected({ injection }: GuestState): { readonly type: number; readonly vector: number } | null {
  if (injection === undefined || injection >>> 31 === 0) return null;
  return { type: (injection >> 8) & 7, vector: injection & 0xff };
}

/** Which events may be injected into a vCPU that is not active. */
function injectionInto(activity: number, type: number, vector: number): boolean {
  if (activity === 1) {
    const debugOrMachineCheck = type === HARDWARE_EXCEPTION && (vector === DB || vector === MC);
    return type === EXTERNAL || type === NMI || debugOrMachineCheck || (type === OTHER_EVENT && vector === 0);
  }
  return activity === 2 && (type === NMI || (type === HARDWARE_EXCEPTION && vector === MC));
}

function interruptibilityProblem(guest: GuestState): Outcome {
  const { interruptibility: blocked, activity, rflags } = guest;
  if (blocked === undefined) return undefined;
  const event = injected(guest);
  if (blocked >>> 5 !== 0) return `interruptibility ${hex(blocked >>> 0)} has reserved bits`;
  if ((blocked & 3) === 3)
    return `interruptibility ${hex(blocked)} has blocking by STI and by MOV SS at once`;
  if ((blocked & 3) !== 0 && activity !== undefined && activity !== 0)
    return `interruptibility ${hex(blocked)} has blocking by STI or MOV SS in a vCPU that is not active`;
  if ((blocked & STI) !== 0 && rflags !== undefined && (rflags & 0x200n) === 0n)
    return `interruptibility ${hex(blocked)} has blocking by STI with RFLAGS.IF=0`;
  if (event?.type === EXTERNAL && (blocked & 3) !== 0)
    return `interruptibility ${hex(blocked)} blocks the external interrupt ${hex(event.vector)} that is injected`;
  if (event?.type === NMI && (blocked & MOV_SS) !== 0)
    return `interruptibility ${hex(blocked)} has blocking by MOV SS while an NMI is injected`;
  return null;
}

export const NON_REGISTER_CHECKS: readonly EntryCheck[] = [
  {
    id: 'V24',
    rule: 'activity and interruptibility agree with SS, RFLAGS and the injected event',
    source: SOURCE,
    holds: (guest) => {
      const { activity, segments } = guest;
      const blocking = interruptibilityProblem(guest);
      if (blocking) return blocking;
      if (activity === undefined) return blocking;
      if (activity > 3) return `activity state ${activity} does not exist`;
      const dpl = segments?.ss === undefined ? 0 : (segments.ss.attributes >> 5) & 3;
      if (activity === 1 && dpl !== 0) return `the vCPU is in HLT with SS.DPL ${dpl}, not 0`;
      const event = injected(guest);
      if (event && activity !== 0 && !injectionInto(activity, event.type, event.vector))
        return `an event of type ${event.type}, vector ${hex(event.vector)}, is injected into a vCPU in ${ACTIVITIES[activity]}`;
      return blocking;
    },
  },
  {
    id: 'V25',
    rule: 'under PAE paging outside IA-32e mode a present PDPTE has no reserved bit',
    source: 'SDM vol. 3C, “Checks on Guest Page-Directory-Pointer-Table Entries”',
    holds: (guest, { physicalWidth }) => {
      const { cr0, cr4, pdptes } = guest;
      const ia32e = entersIa32e(guest);
      if (ia32e === true || (cr0 !== undefined && cr0 >> 31n === 0n)) return null;
      if (cr4 !== undefined && (cr4 & 0x20n) === 0n) return null;
      if (!pdptes || ia32e === undefined || cr0 === undefined || cr4 === undefined) return undefined;
      for (const [i, entry] of pdptes.entries()) {
        const reserved =
          (entry & PDPTE_RESERVED) | ((entry >> BigInt(physicalWidth)) << BigInt(physicalWidth));
        if ((entry & 1n) !== 0n && reserved !== 0n)
          return `PDPTE${i} ${hex(entry)} has the reserved bits ${hex(reserved)}`;
      }
      return null;
    },
  },
  {
    id: 'V26',
    rule: 'the VMCS link pointer is all ones or a page-aligned physical address',
    source: SOURCE,
    holds: ({ linkPointer }, { physicalWidth }) => {
      if (linkPointer === undefined) return undefined;
      if (BigInt.asUintN(64, linkPointer) === (1n << 64n) - 1n) return null;
      const valid = (linkPointer & 0xfffn) === 0n && linkPointer >> BigInt(physicalWidth) === 0n;
      return valid
        ? null
        : `the VMCS link pointer ${hex(linkPointer)} is neither all ones nor a page-aligned physical address`;
    },
  },
];
