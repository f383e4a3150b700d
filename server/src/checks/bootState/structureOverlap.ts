/** Two structures of the boot that share bytes: what is written later overwrites the other. */
import { formatRange, formatSize } from '../../address/format';
import { overlappingPairs } from '../../address/intervals';
import { sizeOf } from '../../address/range';
import type { BootStructure, StructureKind } from '../../machine/bootState';
import type { Check } from '../check';
import { bootsOf, written } from './boots';

/** Pairs reported a machine. */
const LIMIT = 50;

/** What may well lie inside an EBDA. */
const IN_EBDA: ReadonlySet<StructureKind> = new Set<StructureKind>(['mp-table', 'acpi', 'smbios']);

function holds(outer: BootStructure, inner: BootStructure): boolean {
  if (outer.kind !== 'ebda' || !IN_EBDA.has(inner.kind)) return false;
  return outer.range.start <= inner.range.start && inner.range.end <= outer.range.end;
}

/** A stack and an EBDA are only claimed, and plain bytes may be meant to be overwritten in part. */
const SOFT: ReadonlySet<StructureKind> = new Set<StructureKind>(['stack', 'ebda', 'image']);

function consequence(a: BootStructure, b: BootStructure): string {
  const stack = [a, b].find(({ kind }) => kind === 'stack');
  const other = stack === a ? b : a;
  return stack
    ? `The guest's first pushes overwrite the ${other.name}.`
    : 'Whichever is written later overwrites the other.';
}

export const structureOverlap: Check = {
  code: 'boot-structure-overlap',
  severity: 'error',
  title: 'Boot structures that share addresses',
  on: ['machine'],
  *run(document) {
    for (const { state } of bootsOf(document)) {
      const { structures } = state;
      const pairs = overlappingPairs(
        structures.map(({ range }) => range),
        LIMIT,
      );
      for (const { first, second, shared } of pairs) {
        const [a, b] = [structures[first]!, structures[second]!];
        if (holds(a, b) || holds(b, a) || !(written(a.origin) || written(b.origin))) continue;
        const soft = [a, b].some(({ kind }) => SOFT.has(kind));
        yield {
          severity: soft ? 'warning' : 'error',
          at: b.at ?? a.at,
          evidence: 'proven',
          message: `${b.name} ${formatRange(b.range)} and ${a.name} ${formatRange(a.range)} share ${formatSize(sizeOf(shared))}, ${formatRange(shared)}. ${consequence(a, b)}`,
          ...(a.at && b.at ? { related: [{ at: a.at, message: `${a.name} ${formatRange(a.range)}` }] } : {}),
        };
      }
    }
  },
};
