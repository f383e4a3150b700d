/** Descriptors of a GDT that no CPU takes as they are meant. */
import { hex } from '../../address/format';
import type { DescriptorTable } from '../../machine/bootState';
import { decodeDescriptor, descriptorKind } from '../../x86/descriptor';
import type { Check, Found } from '../check';
import { bootsOf, longModeActive, written } from './boots';

const TSS_TYPES: ReadonlySet<number> = new Set([9, 11]);
const LAST_LIMIT = 0xfffff;

interface Problem {
  readonly message: string;
  readonly severity?: Found['severity'];
}

/** Upper halves of 16-byte descriptors are no descriptors. */
function upperHalves({ entries }: DescriptorTable): Set<number> {
  const halves = new Set<number>();
  for (const { index, value } of entries) {
    if (!halves.has(index) && descriptorKind(value) === 'system' && decodeDescriptor(value).present)
      halves.add(index + 1);
  }
  return halves;
}

function problemsOf(value: bigint, next: bigint | undefined, long: boolean): Problem[] {
  const kind = descriptorKind(value);
  const segment = decodeDescriptor(value);
  if (!segment.present) return [];
  const problems: Problem[] = [];
  if (kind === 'code' && segment.long && segment.big)
    problems.push({
      message: 'has L and D both set, which is reserved: in IA-32e mode loading CS with it is #GP',
    });
  if (kind === 'data' && segment.long)
    problems.push({ message: 'is data with L set, a bit that is reserved there and must be 0' });
  if ((kind === 'code' || kind === 'data') && !segment.granular && segment.limitField === LAST_LIMIT)
    problems.push({
      message:
        'has limit 0xfffff without G and so ends at 1 MiB; a flat segment of 4 GiB needs G (a 64-bit one has no limit)',
      ...(segment.long ? { severity: 'information' as const } : {}),
    });
  if (long && kind === 'system' && TSS_TYPES.has(segment.type)) {
    // The upper eight bytes: base 63:32, then zeros where a type would be.
    const upper = next !== undefined && ((next >> 40n) & 0x1fn) === 0n;
    if (!upper)
      problems.push({
        severity: 'information',
        message: `is a TSS of 8 bytes, and in IA-32e mode it takes 16 (SDM vol. 3A, “TSS Descriptor in 64-bit mode”): ${next === undefined ? 'no entry follows' : `the next entry ${hex(next)} is read as its upper half`}. What a VMM sets as TR stands; LTR with this selector is #GP`,
      });
  }
  return problems;
}

export const descriptor: Check = {
  code: 'boot-descriptor',
  severity: 'warning',
  title: 'Descriptor that contradicts itself or the mode',
  on: ['machine'],
  *run(document) {
    for (const { state } of bootsOf(document)) {
      const long = state.vcpus.some((vcpu) => longModeActive(vcpu) === true);
      for (const table of state.tables) {
        if (table.which !== 'gdt' || !written(table.origin)) continue;
        const halves = long ? upperHalvesInLongMode(table) : new Set<number>();
        const values = new Map(table.entries.map(({ index, value }) => [index, value]));
        for (const { index, value, at } of table.entries) {
          if (halves.has(index)) continue;
          for (const { message, severity } of problemsOf(value, values.get(index + 1), long))
            yield {
              ...(severity ? { severity } : {}),
              at: at ?? table.at,
              evidence: 'proven',
              message: `Entry ${index} of the GDT, ${hex(value)}, ${message}.`,
            };
        }
      }
    }
  },
};

/** Only where the next entry is one: with a type in it, it is a descriptor that was put too near. */
function upperHalvesInLongMode(table: DescriptorTable): Set<number> {
  const values = new Map(table.entries.map(({ index, value }) => [index, value]));
  return new Set(
    [...upperHalves(table)].filter((index) => (((values.get(index) ?? 0n) >> 40n) & 0x1fn) === 0n),
  );
}
