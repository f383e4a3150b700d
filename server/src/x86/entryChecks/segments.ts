/** Segment registers at a VMX entry (SDM vol. 3C, “Checks on Guest Segment Registers”). Rules hold for usable segments; CS and TR always are. */
import { hex } from '../../address/format';
import type { SegmentName, SegmentState } from '../state';
import { canonical, entersIa32e, type EntryCheck, type GuestState, type Outcome } from './guestState';

const SOURCE = 'SDM vol. 3C, “Checks on Guest Segment Registers”';
const VM = 0x20000n;
const CODE_OR_DATA = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const;
const DATA = ['ds', 'es', 'fs', 'gs'] as const;
const ALL = [...CODE_OR_DATA, 'ldtr', 'tr'] as const;

const typeOf = (segment: SegmentState): number => segment.attributes & 15;
const dplOf = (segment: SegmentState): number => (segment.attributes >> 5) & 3;
const rplOf = (segment: SegmentState): number => segment.selector & 3;
const isSystem = (segment: SegmentState): boolean => (segment.attributes & 0x10) === 0;
const isPresent = (segment: SegmentState): boolean => (segment.attributes & 0x80) !== 0;
const is = (segment: SegmentState, attribute: number): boolean => (segment.attributes & attribute) !== 0;
const UNUSABLE = 0x10000;
const L = 0x2000;
const D = 0x4000;
const G = 0x8000;

/** Whether RFLAGS.VM is 1: segments then have one legal form, and the rules for descriptors do not apply. */
function virtual8086({ rflags }: GuestState): boolean | undefined {
  return rflags === undefined ? undefined : (rflags & VM) !== 0n;
}

/** The first violation among the segments that are known and usable; undefined where none of them is known. */
function each(
  { segments }: GuestState,
  names: readonly SegmentName[],
  check: (segment: SegmentState, label: string, name: SegmentName) => Outcome,
): Outcome {
  let known = false;
  for (const name of names) {
    const segment = segments?.[name];
    if (!segment) continue;
    known = true;
    if (is(segment, UNUSABLE) && name !== 'cs' && name !== 'tr') continue;
    const problem = check(segment, name.toUpperCase(), name);
    if (problem) return problem;
  }
  return known ? null : undefined;
}

/** As `each`, for the rules that do not hold in virtual-8086 mode. */
const eachDescriptor: typeof each = (guest, names, check) => {
  const v86 = virtual8086(guest);
  return v86 === undefined ? undefined : v86 ? null : each(guest, names, check);
};

const rights = (segment: SegmentState): string => `access rights ${hex(segment.attributes)}`;

export const SEGMENT_CHECKS: readonly EntryCheck[] = [
  {
    id: 'V10',
    rule: 'CS is an accessed code segment, present, with a DPL that fits SS',
    source: SOURCE,
    holds: (guest, { unrestrictedGuest }) =>
      eachDescriptor(guest, ['cs'], (cs) => {
        const type = typeOf(cs);
        if (type === 3 && unrestrictedGuest) {
          if (dplOf(cs) !== 0) return `CS has type 3 (data) with DPL ${dplOf(cs)}, not 0`;
        } else if (![9, 11, 13, 15].includes(type)) {
          const also = unrestrictedGuest ? ', nor 3' : '';
          return `CS has type ${type}, which is no accessed code segment (9, 11, 13 or 15)${also}`;
        }
        if (isSystem(cs) || !isPresent(cs)) return `CS has ${rights(cs)}: S and P must be 1`;
        const ss = guest.segments?.ss;
        if (!ss || type === 3) return null;
        const fits = type >= 13 ? dplOf(cs) <= dplOf(ss) : dplOf(cs) === dplOf(ss);
        return fits ? null : `CS has type ${type} and DPL ${dplOf(cs)}, SS has DPL ${dplOf(ss)}`;
      }),
  },
  {
    id: 'V11',
    rule: 'SS is accessed writable data; its DPL is its RPL, and 0 without protection',
    source: SOURCE,
    holds: (guest, { unrestrictedGuest }) =>
      eachDescriptor(guest, ['ss'], (ss) => {
        if (typeOf(ss) !== 3 && typeOf(ss) !== 7) return `SS has type ${typeOf(ss)}, not 3 or 7`;
        if (isSystem(ss) || !isPresent(ss)) return `SS has ${rights(ss)}: S and P must be 1`;
        if (!unrestrictedGuest && dplOf(ss) !== rplOf(ss))
          return `SS has DPL ${dplOf(ss)} and RPL ${rplOf(ss)} without “unrestricted guest”`;
        const real = guest.cr0 !== undefined && (guest.cr0 & 1n) === 0n;
        const dataCode = guest.segments?.cs !== undefined && typeOf(guest.segments.cs) === 3;
        if (dplOf(ss) !== 0 && (real || dataCode))
          return `SS has DPL ${dplOf(ss)}, not 0, with ${real ? 'CR0.PE=0' : 'CS of type 3'}`;
        return null;
      }),
  },
  {
    id: 'V12',
    rule: 'DS, ES, FS and GS are accessed, present, and readable where they are code',
    source: SOURCE,
    holds: (guest, { unrestrictedGuest }) =>
      eachDescriptor(guest, DATA, (segment, label) => {
        const type = typeOf(segment);
        if (isSystem(segment) || !isPresent(segment))
          return `${label} has ${rights(segment)}: S and P must be 1`;
        if ((type & 1) === 0) return `${label} has type ${type}, which is not accessed`;
        if ((type & 8) !== 0 && (type & 2) === 0) return `${label} has type ${type}, execute-only code`;
        if (!unrestrictedGuest && type < 12 && dplOf(segment) < rplOf(segment))
          return `${label} has DPL ${dplOf(segment)} below RPL ${rplOf(segment)} without “unrestricted guest”`;
        return null;
      }),
  },
  {
    id: 'V13',
    rule: 'bases of CS, SS, DS and ES have no bit above 31; those of FS, GS, TR and LDTR are canonical',
    source: SOURCE,
    holds: (guest, cpu) => {
      const narrow = each(guest, ['cs', 'ss', 'ds', 'es'], ({ base }, label) =>
        base >> 32n === 0n ? null : `${label} has base ${hex(base)}, with bits above 31`,
      );
      if (narrow) return narrow;
      // FS, GS and TR are checked even where they are unusable.
      for (const name of ['fs', 'gs', 'tr', 'ldtr'] as const) {
        const segment = guest.segments?.[name];
        if (!segment || (name === 'ldtr' && is(segment, UNUSABLE))) continue;
        if (!canonical(segment.base, cpu))
          return `${name.toUpperCase()} has base ${hex(segment.base)}, which is not canonical`;
      }
      return narrow;
    },
  },
  {
    id: 'V14',
    rule: 'the limit is one that its G bit can express',
    source: SOURCE,
    holds: (guest) =>
      each(guest, ALL, (segment, label, name) => {
        // In virtual-8086 mode V19 says all about the six.
        if (virtual8086(guest) === true && name !== 'ldtr' && name !== 'tr') return null;
        const limit = segment.limit >>> 0;
        if (is(segment, G) && (limit & 0xfff) !== 0xfff) return `${label} has limit ${hex(limit)} with G=1`;
        return !is(segment, G) && limit > 0xfffff ? `${label} has limit ${hex(limit)} with G=0` : null;
      }),
  },
  {
    id: 'V15',
    rule: 'in IA-32e mode CS has not both L and D',
    source: SOURCE,
    holds: (guest) => {
      const ia32e = entersIa32e(guest);
      if (ia32e === undefined) return undefined;
      return each(guest, ['cs'], (cs) =>
        ia32e && is(cs, L) && is(cs, D) ? `CS has ${rights(cs)}: L and D are both 1` : null,
      );
    },
  },
  {
    id: 'V16',
    rule: 'bits 11:8 and 31:17 of the access rights are 0',
    source: SOURCE,
    holds: (guest) =>
      each(guest, ALL, (segment, label) => {
        const reserved = (segment.attributes & 0xfffe0f00) >>> 0;
        return reserved === 0
          ? null
          : `${label} has ${rights(segment)} with the reserved bits ${hex(reserved)}`;
      }),
  },
  {
    id: 'V17',
    rule: 'TR is a busy TSS in the GDT: type 11, outside IA-32e mode also 3',
    source: SOURCE,
    holds: (guest) => {
      const ia32e = entersIa32e(guest);
      return each(guest, ['tr'], (tr) => {
        if (is(tr, UNUSABLE)) return 'TR is unusable';
        if ((tr.selector & 4) !== 0) return `TR has selector ${hex(tr.selector)}, in the LDT`;
        if (!isSystem(tr) || !isPresent(tr)) return `TR has ${rights(tr)}: S must be 0 and P 1`;
        if (typeOf(tr) === 11) return null;
        if (ia32e === true) return `TR has type ${typeOf(tr)}, not that of a busy 64-bit TSS (11)`;
        return typeOf(tr) === 3 ? null : `TR has type ${typeOf(tr)}, not that of a busy TSS (3 or 11)`;
      });
    },
  },
  {
    id: 'V18',
    rule: 'a usable LDTR is a present LDT whose selector is in the GDT',
    source: SOURCE,
    holds: (guest) =>
      each(guest, ['ldtr'], (ldtr) => {
        if ((ldtr.selector & 4) !== 0) return `LDTR has selector ${hex(ldtr.selector)}, in the LDT`;
        const right = typeOf(ldtr) === 2 && isSystem(ldtr) && isPresent(ldtr);
        return right ? null : `LDTR has ${rights(ldtr)}, not those of a present LDT (type 2)`;
      }),
  },
  {
    id: 'V19',
    rule: 'in virtual-8086 mode base is selector × 16, limit 0xffff, access rights 0xf3',
    source: SOURCE,
    holds: (guest) => {
      const v86 = virtual8086(guest);
      if (v86 === undefined) return undefined;
      if (!v86) return null;
      for (const name of CODE_OR_DATA) {
        const segment = guest.segments?.[name];
        if (!segment) continue;
        const { selector, base, limit, attributes } = segment;
        if (base === BigInt(selector << 4) && limit === 0xffff && attributes === 0xf3) continue;
        return `${name.toUpperCase()} has selector ${hex(selector)}, base ${hex(base)}, limit ${hex(limit)}, ${rights(segment)} in virtual-8086 mode`;
      }
      return guest.segments ? null : undefined;
    },
  },
  {
    id: 'V20',
    rule: 'SS and CS have the same RPL (without “unrestricted guest”)',
    source: SOURCE,
    holds: (guest, { unrestrictedGuest }) => {
      const { cs, ss } = guest.segments ?? {};
      if (unrestrictedGuest || virtual8086(guest) === true) return null;
      if (!cs || !ss) return undefined;
      return rplOf(cs) === rplOf(ss) ? null : `CS has RPL ${rplOf(cs)}, SS has RPL ${rplOf(ss)}`;
    },
  },
];
