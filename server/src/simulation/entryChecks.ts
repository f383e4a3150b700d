/** Checks that a CPU makes of the guest state at VM entry, the most frequent ones (SDM vol. 3, “Checks on the Guest State Area”). */
import { hex } from '../address/format';
import type { VcpuState } from '../x86/state';

const PE = 1n;
const PG = 1n << 31n;
const PAE = 1n << 5n;
const PCIDE = 1n << 17n;
const LME = 1n << 8n;
const LMA = 1n << 10n;
const RFLAGS_RESERVED = 0xffffffffffc08028n;
const CS_L = 1 << 13;
const CS_D = 1 << 14;
const GRANULARITY = 1 << 15;
const UNUSABLE = 1 << 16;

type Check = (state: VcpuState) => string | null;

const CHECKS: readonly Check[] = [
  ({ cr0 }) => ((cr0 & PG) !== 0n && (cr0 & PE) === 0n ? `CR0 ${hex(cr0)} has PG without PE` : null),
  ({ cr0, efer }) => {
    const active = (cr0 & PG) !== 0n && (efer & LME) !== 0n;
    const lma = (efer & LMA) !== 0n;
    if (active === lma) return null;
    return `EFER ${hex(efer)} has LMA=${lma ? 1 : 0}, CR0.PG and LME make it ${active ? 1 : 0}`;
  },
  ({ cr4, efer }) =>
    (efer & LMA) !== 0n && (cr4 & PAE) === 0n ? `EFER.LMA is 1 and CR4 ${hex(cr4)} lacks PAE` : null,
  ({ cr4, efer }) =>
    (cr4 & PCIDE) !== 0n && (efer & LMA) === 0n ? `CR4 ${hex(cr4)} has PCIDE outside IA-32e mode` : null,
  ({ efer, segments }) => {
    const { attributes } = segments.cs;
    const both = (attributes & CS_L) !== 0 && (attributes & CS_D) !== 0;
    return (efer & LMA) !== 0n && both ? `CS access rights ${hex(attributes)} have both L and D` : null;
  },
  ({ rflags }) => {
    const reserved = rflags & RFLAGS_RESERVED;
    if ((rflags & 2n) === 0n) return `RFLAGS ${hex(rflags)} lacks the fixed bit 1`;
    return reserved !== 0n ? `RFLAGS ${hex(rflags)} has the reserved bits ${hex(reserved)}` : null;
  },
  ({ rip, efer, segments }) => {
    const long = (efer & LMA) !== 0n && (segments.cs.attributes & CS_L) !== 0;
    if (long) return canonical(rip) ? null : `RIP ${hex(rip)} is not canonical`;
    return rip >> 32n === 0n ? null : `RIP ${hex(rip)} has bits above 31 outside 64-bit mode`;
  },
  ({ efer, segments }) => {
    const { attributes } = segments.tr;
    const type = attributes & 0xf;
    if ((attributes & UNUSABLE) !== 0) return 'TR is unusable';
    if (type === 11) return null;
    if ((efer & LMA) !== 0n) return `TR has type ${hex(type)}, not that of a busy 64-bit TSS`;
    return type === 3 ? null : `TR has type ${hex(type)}, not that of a busy TSS`;
  },
  ({ segments }) => {
    for (const [name, { attributes, limit }] of Object.entries(segments)) {
      if ((attributes & UNUSABLE) !== 0) continue;
      const granular = (attributes & GRANULARITY) !== 0;
      if (granular ? (limit & 0xfff) !== 0xfff : limit > 0xfffff) {
        return `${name.toUpperCase()} has limit ${hex(limit >>> 0)} with G=${granular ? 1 : 0}`;
      }
    }
    return null;
  },
];

/** What the state violates, in words with numbers; empty where the CPU would enter the guest. */
export function entryProblems(state: VcpuState): string[] {
  return CHECKS.map((check) => check(state)).filter((problem) => problem !== null);
}

function canonical(address: bigint): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(48, address)) === BigInt.asUintN(64, address);
}
