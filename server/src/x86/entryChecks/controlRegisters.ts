/** Control registers, debug registers and MSRs at a VMX entry (SDM vol. 3C, “Checks on Guest Control Registers, Debug Registers, and MSRs”). */
import { hex } from '../../address/format';
import { bit, listBits, unnamedBits } from '../bitField';
import { EFER } from '../controlRegisters';
import { canonical, entersIa32e, type EntryCheck, type EntryCpu } from './guestState';

const SOURCE = 'SDM vol. 3C, “Checks on Guest Control Registers, Debug Registers, and MSRs”';
const NE = 5;
const WP = 16;
const PG = 31;
const PAE = 5;
const VMXE = 13;
const PCIDE = 17;
const CET = 23;
/** SCE, LME, LMA and NXE: all that Intel defines in IA32_EFER (SDM vol. 3A, 2.2.1). */
const EFER_INTEL = EFER.filter(({ low }) => [0, 8, 10, 11].includes(low));
const PAT_TYPES = [0, 1, 4, 5, 6, 7];

const numberOf = (on: boolean): number => (on ? 1 : 0);

function notCanonical(name: string, value: bigint | undefined, cpu: EntryCpu): string | null | undefined {
  if (value === undefined) return undefined;
  return canonical(value, cpu) ? null : `${name} ${hex(value)} is not canonical`;
}

export const CONTROL_REGISTER_CHECKS: readonly EntryCheck[] = [
  {
    id: 'V1',
    rule: 'CR0.PG needs CR0.PE',
    source: SOURCE,
    holds: ({ cr0 }) => {
      if (cr0 === undefined) return undefined;
      return bit(cr0, PG) && !bit(cr0, 0) ? `CR0 ${hex(cr0)} has PG=1 with PE=0` : null;
    },
  },
  {
    id: 'V2',
    rule: 'CR0 and CR4 keep the bits that VMX operation fixes',
    source: `${SOURCE}; vol. 3D, appendix A.7 and A.8`,
    holds: ({ cr0, cr4 }, { unrestrictedGuest, fixedBitsVisible }) => {
      if (cr0 !== undefined && cr0 >> 32n !== 0n) return `CR0 ${hex(cr0)} has bits above 31`;
      if (cr0 !== undefined && !unrestrictedGuest && (!bit(cr0, 0) || !bit(cr0, PG)))
        return `CR0 ${hex(cr0)} has PE=${numberOf(bit(cr0, 0))} and PG=${numberOf(bit(cr0, PG))} without “unrestricted guest”`;
      if (!fixedBitsVisible) return cr0 === undefined ? undefined : null;
      if (cr0 !== undefined && !bit(cr0, NE)) return `CR0 ${hex(cr0)} has NE=0`;
      if (cr4 !== undefined && !bit(cr4, VMXE)) return `CR4 ${hex(cr4)} has VMXE=0`;
      return cr0 === undefined || cr4 === undefined ? undefined : null;
    },
  },
  {
    id: 'V3',
    rule: 'an IA-32e guest has CR0.PG and CR4.PAE; any other has no CR4.PCIDE',
    source: SOURCE,
    holds: (guest) => {
      const { cr0, cr4 } = guest;
      const ia32e = entersIa32e(guest);
      if (ia32e === undefined) return undefined;
      if (ia32e && cr0 !== undefined && !bit(cr0, PG)) return `CR0 ${hex(cr0)} has PG=0 in an IA-32e guest`;
      if (ia32e && cr4 !== undefined && !bit(cr4, PAE)) return `CR4 ${hex(cr4)} has PAE=0 in an IA-32e guest`;
      if (!ia32e && cr4 !== undefined && bit(cr4, PCIDE))
        return `CR4 ${hex(cr4)} has PCIDE=1 outside IA-32e mode`;
      return cr4 === undefined || (ia32e && cr0 === undefined) ? undefined : null;
    },
  },
  {
    id: 'V4',
    rule: 'CR3 has no bit at or above the physical-address width',
    source: SOURCE,
    holds: ({ cr3 }, { physicalWidth }) => {
      if (cr3 === undefined) return undefined;
      if (cr3 >> BigInt(physicalWidth) === 0n) return null;
      const noFlush = bit(cr3, 63)
        ? '; bit 63, “do not flush”, is for the operand of MOV to CR3 only and is never stored'
        : '';
      return `CR3 ${hex(cr3)} has bits at or above MAXPHYADDR ${physicalWidth}${noFlush}`;
    },
  },
  {
    id: 'V5',
    rule: 'EFER.LMA agrees with the entry control and, under paging, with LME; reserved bits are 0',
    source: SOURCE,
    holds: ({ efer, cr0, ia32eEntry }) => {
      if (efer === undefined) return undefined;
      const [lme, lma] = [bit(efer, 8), bit(efer, 10)];
      if (ia32eEntry !== undefined && lma !== ia32eEntry)
        return `EFER ${hex(efer)} has LMA=${numberOf(lma)}, and the entry control “IA-32e mode guest” is ${numberOf(ia32eEntry)}`;
      if (cr0 !== undefined && bit(cr0, PG) && lma !== lme)
        return `EFER ${hex(efer)} has LMA=${numberOf(lma)} with LME=${numberOf(lme)} while CR0.PG is 1`;
      const reserved = unnamedBits(efer, EFER_INTEL, 64);
      if (reserved.length > 0) return `EFER ${hex(efer)} has ${listBits(reserved)} set, reserved on Intel`;
      return cr0 === undefined ? undefined : null;
    },
  },
  {
    id: 'V6',
    rule: 'CR4.CET needs CR0.WP',
    source: SOURCE,
    holds: ({ cr0, cr4 }) => {
      if (cr0 === undefined || cr4 === undefined) return undefined;
      return bit(cr4, CET) && !bit(cr0, WP) ? `CR4 ${hex(cr4)} has CET=1 with CR0.WP=0` : null;
    },
  },
  {
    id: 'V7',
    rule: 'DR7 has no bit above 31 (with the entry control “load debug controls”)',
    source: SOURCE,
    holds: ({ dr }) => {
      const dr7 = dr?.[7];
      if (dr7 === undefined) return undefined;
      return dr7 >> 32n === 0n ? null : `DR7 ${hex(dr7)} has bits above 31`;
    },
  },
  {
    id: 'V8',
    rule: 'IA32_SYSENTER_ESP and IA32_SYSENTER_EIP are canonical',
    source: SOURCE,
    holds: ({ sysenterEsp, sysenterEip }, cpu) => {
      const esp = notCanonical('IA32_SYSENTER_ESP', sysenterEsp, cpu);
      const eip = notCanonical('IA32_SYSENTER_EIP', sysenterEip, cpu);
      return esp || eip || (esp === undefined ? undefined : eip);
    },
  },
  {
    id: 'V9',
    rule: 'each byte of IA32_PAT is 0, 1, 4, 5, 6 or 7 (with the entry control “load IA32_PAT”)',
    source: SOURCE,
    holds: ({ pat }) => {
      if (pat === undefined) return undefined;
      for (let i = 0n; i < 8n; i++) {
        const type = Number((pat >> (8n * i)) & 0xffn);
        if (!PAT_TYPES.includes(type)) return `IA32_PAT ${hex(pat)} has ${hex(type)} in PA${i}`;
      }
      return null;
    },
  },
];
