/** A segment register whose hidden part is not what the GDT says. */
import { hex } from '../../address/format';
import type { DescriptorTable } from '../../machine/bootState';
import { decodeDescriptor, type SegmentDescriptor } from '../../x86/descriptor';
import { SEGMENTS, type SegmentState } from '../../x86/state';
import type { Check, Found } from '../check';
import { bootsOf, longModeActive, placeOf, protectedMode, vcpuWord, written } from './boots';

const UNUSABLE = 0x10000;
const LOCAL = 4;
/** S set: code or data. Its bit A, and the busy bit of a TSS, change as they are used. */
const S = 0x10;
const CONFORMING = 4;

function attributesOf({ type, s, dpl, present, long, big, granular }: SegmentDescriptor): number {
  const low = type | (s ? S : 0) | (dpl << 5) | (present ? 0x80 : 0);
  return low | (long ? 0x2000 : 0) | (big ? 0x4000 : 0) | (granular ? 0x8000 : 0);
}

/** Access rights without AVL and without what use changes. */
function lasting(attributes: number): number {
  return attributes & 0xf0ff & ~0x1000 & ~((attributes & S) !== 0 ? 1 : 2);
}

/** Only C: conforming or not is the same for code that stays at its own privilege level. */
function isConformingAlone(cached: SegmentState, table: SegmentDescriptor): boolean {
  const code = (cached.attributes & (S | 8)) === (S | 8);
  return code && (lasting(cached.attributes) ^ lasting(attributesOf(table))) === CONFORMING;
}

/** What differs, in words; null where nothing does. In 64-bit mode base and limit of code and data are not looked at. */
function differences(cached: SegmentState, table: SegmentDescriptor, flat: boolean): string | null {
  const parts: string[] = [];
  const rights = attributesOf(table);
  if (lasting(cached.attributes) !== lasting(rights))
    parts.push(`access rights ${hex(rights)} instead of ${hex(cached.attributes)}`);
  if (!flat && cached.base !== table.base)
    parts.push(`base ${hex(table.base)} instead of ${hex(cached.base)}`);
  if (!flat && cached.limit !== table.limit)
    parts.push(`limit ${hex(table.limit)} instead of ${hex(cached.limit)}`);
  return parts.length === 0 ? null : parts.join(', ');
}

function entryAt(table: DescriptorTable, selector: number): DescriptorTable['entries'][number] | undefined {
  const index = selector >> 3;
  return table.entries.find((entry) => entry.index === index);
}

export const cachedSegment: Check = {
  code: 'boot-segment-cache',
  severity: 'warning',
  title: 'Segment register that differs from its descriptor',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      const gdt = boot.state.tables.find(({ which }) => which === 'gdt');
      if (!gdt || !written(gdt.origin)) continue;
      for (const vcpu of boot.state.vcpus) {
        const virtual8086 = ((vcpu.state.rflags ?? 0n) & 0x20000n) !== 0n;
        if (!written(vcpu.origin) || !protectedMode(vcpu) || virtual8086) continue;
        for (const name of SEGMENTS) {
          const cached = vcpu.state.segments?.[name];
          if (!cached || (cached.attributes & UNUSABLE) !== 0) continue;
          if ((cached.selector & LOCAL) !== 0 || (cached.selector & ~7) === 0) continue;
          const entry = entryAt(gdt, cached.selector);
          if (!entry) continue;
          const code = ((vcpu.state.segments?.cs?.attributes ?? 0) & 0x2000) !== 0;
          const system = name === 'tr' || name === 'ldtr';
          const flat = longModeActive(vcpu) === true && (code || name === 'cs') && !system;
          const inTable = decodeDescriptor(entry.value);
          const found = differences(cached, inTable, flat);
          if (found === null) continue;
          const harmless = isConformingAlone(cached, inTable) && !found.includes(',');
          const at = placeOf(boot, vcpu, name);
          const message = `${vcpuWord(boot, vcpu)}${name.toUpperCase()} is cached otherwise than entry ${entry.index} of the GDT says: ${found}. The CPU starts with what is cached, and the first load of selector ${hex(cached.selector)} changes it.`;
          const finding: Found = {
            ...(harmless ? { severity: 'information' as const } : {}),
            at,
            evidence: 'proven',
            message,
          };
          yield entry.at && at
            ? {
                ...finding,
                related: [{ at: entry.at, message: `Entry ${entry.index}: ${hex(entry.value)}.` }],
              }
            : finding;
        }
      }
    }
  },
};
