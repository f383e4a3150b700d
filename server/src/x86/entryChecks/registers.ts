/** Descriptor-table registers, RIP and RFLAGS at a VMX entry (SDM vol. 3C, the two sections of these names). */
import { hex } from '../../address/format';
import { canonical, entersIa32e, in64BitMode, type EntryCheck } from './guestState';

const RESERVED = 0xffffffffffc08028n;
const VM = 0x20000n;
const IF = 0x200n;

export const REGISTER_CHECKS: readonly EntryCheck[] = [
  {
    id: 'V21',
    rule: 'GDTR and IDTR have canonical bases and 16-bit limits',
    source: 'SDM vol. 3C, “Checks on Guest Descriptor-Table Registers”',
    holds: ({ gdtr, idtr }, cpu) => {
      for (const [name, table] of [
        ['GDTR', gdtr],
        ['IDTR', idtr],
      ] as const) {
        if (table && !canonical(table.base, cpu))
          return `${name} has base ${hex(table.base)}, which is not canonical`;
        if (table && table.limit > 0xffff) return `${name} has limit ${hex(table.limit)}, above 0xffff`;
      }
      return gdtr && idtr ? null : undefined;
    },
  },
  {
    id: 'V22',
    rule: 'RIP is canonical in 64-bit mode and has no bit above 31 elsewhere',
    source: 'SDM vol. 3C, “Checks on Guest RIP, RFLAGS, and SSP”',
    holds: (guest, cpu) => {
      const { rip } = guest;
      const long = in64BitMode(guest);
      if (rip === undefined || long === undefined) return undefined;
      if (long) return canonical(rip, cpu) ? null : `RIP ${hex(rip)} is not canonical`;
      return rip >> 32n === 0n ? null : `RIP ${hex(rip)} has bits above 31 outside 64-bit mode`;
    },
  },
  {
    id: 'V23',
    rule: 'RFLAGS has bit 1, no reserved bit, no VM in real or IA-32e mode, and IF where an interrupt is injected',
    source: 'SDM vol. 3C, “Checks on Guest RIP, RFLAGS, and SSP”',
    holds: (guest) => {
      const { rflags, cr0, injection } = guest;
      if (rflags === undefined) return undefined;
      if ((rflags & 2n) === 0n) return `RFLAGS ${hex(rflags)} lacks bit 1, which always reads 1`;
      const reserved = rflags & RESERVED;
      if (reserved !== 0n) return `RFLAGS ${hex(rflags)} has the reserved bits ${hex(reserved)}`;
      if ((rflags & VM) !== 0n && entersIa32e(guest) === true)
        return `RFLAGS ${hex(rflags)} has VM=1 in IA-32e mode`;
      if ((rflags & VM) !== 0n && cr0 !== undefined && (cr0 & 1n) === 0n)
        return `RFLAGS ${hex(rflags)} has VM=1 with CR0.PE=0`;
      const external = injection !== undefined && injection >>> 31 === 1 && ((injection >> 8) & 7) === 0;
      if (external && (rflags & IF) === 0n)
        return `RFLAGS ${hex(rflags)} has IF=0 while the external interrupt ${hex(injection & 0xff)} is injected`;
      return null;
    },
  },
];
