/** A segment register loaded from a GDT: what MOV, LTR and LLDT put into its hidden part. SDM vol. 3, 3.4.3 and 3.5. */
import { hex } from '../address/format';
import { decodeDescriptor, descriptorKind, SYSTEM_TYPES } from '../x86/descriptor';
import { decodeSelector } from '../x86/selectors';
import type { SegmentName, SegmentState } from '../x86/state';

/** Bit 16 of VMX access rights. */
const UNUSABLE = 1 << 16;
const BUSY = 2;

export interface Gdt {
  /** 8 bytes each, by index. */
  readonly words: readonly bigint[];
  /** Offset of the last byte (inclusive). */
  readonly limit: number;
}

export type LoadedSegment = { readonly segment: SegmentState } | { readonly problem: string };

/** @param wide whether LTR and LLDT take 16 bytes, as they do in IA-32e mode */
export function loadSegment(name: SegmentName, selector: number, gdt: Gdt, wide: boolean): LoadedSegment {
  const { index, local } = decodeSelector(selector);
  const what = `\`${name} = ${hex(selector)}\``;
  if (local) {
    return {
      problem: `${what} names entry ${index} of the LDT (bit 2 is set), which a plan does not have: give its base, limit and attributes`,
    };
  }
  if (index === 0) {
    if (name === 'cs' || name === 'tr')
      return { problem: `${what} is a null selector, which ${name} cannot hold` };
    return { segment: { selector, base: 0n, limit: 0, attributes: UNUSABLE } };
  }
  const system = name === 'tr' || name === 'ldtr';
  const bytes = system && wide ? 16 : 8;
  const word = gdt.words[index];
  if (word === undefined || 8 * index + bytes - 1 > gdt.limit) {
    const last = Math.floor((gdt.limit + 1) / 8) - 1;
    const holds = last < 1 ? 'no entry beside the null descriptor' : `entries 1 to ${last}`;
    return {
      problem: `${what} is entry ${index}, whose last byte is at offset ${hex(8 * index + bytes - 1)}, and the GDT ends at ${hex(gdt.limit)}: it has ${holds}`,
    };
  }
  const high = system && wide ? (gdt.words[index + 1] ?? 0n) : null;
  const wrong = unfit(name, word, high);
  if (wrong) return { problem: `${what} is ${wrong}` };
  const { base, limit } = decodeDescriptor(word, high);
  const rights = Number((word >> 40n) & 0xf0ffn);
  // What is loaded has been accessed, and a TSS that is loaded is busy.
  const attributes = name === 'tr' ? rights | BUSY : system ? rights : rights | 1;
  return { segment: { selector, base, limit: limit % 2 ** 32, attributes } };
}

/** What the descriptor is instead of what this register takes; null where it fits. */
function unfit(name: SegmentName, low: bigint, high: bigint | null): string | null {
  const kind = descriptorKind(low, high);
  const { type, present } = decodeDescriptor(low, high);
  if (kind === 'null') return 'a null descriptor';
  const found = kind === 'system' || kind === 'gate' ? SYSTEM_TYPES[type]!.legacy : kind;
  if (name === 'tr' && !(kind === 'system' && (type & 5) === 1))
    return `a descriptor of ${found}, and TR takes a TSS`;
  if (name === 'ldtr' && !(kind === 'system' && type === 2))
    return `a descriptor of ${found}, and LDTR takes an LDT`;
  if (name === 'cs' && kind !== 'code') return `a descriptor of ${found}, and CS takes code`;
  if (name === 'ss' && !(kind === 'data' && (type & 2) !== 0)) return `not writable data, which SS takes`;
  const data = name === 'ds' || name === 'es' || name === 'fs' || name === 'gs';
  if (data && (kind === 'system' || kind === 'gate'))
    return `a descriptor of ${found}, and ${name.toUpperCase()} takes data or code`;
  if (data && kind === 'code' && (type & 2) === 0)
    return 'code that can only be executed, and a data segment must be readable';
  return present ? null : 'a descriptor that is not present (P is 0)';
}
